"""All checks that scikit-learn has for estimators."""

import importlib
import importlib.util
import os
import subprocess
import sys

import numpy as np
import pytest

pytest.importorskip("sklearn", reason="scikit-learn is not installed")

from sklearn import config_context
from sklearn.base import clone
from sklearn.datasets import make_classification
from sklearn.utils.estimator_checks import estimator_checks_generator

from nnfs_xp.backends import get_backend, library_of, to_numpy
from nnfs_xp.sklearn import (
    MLPClassifier,
    MLPRegressor,
    ModelClassifier,
    ModelRegressor,
)
from tests.sklearn import models

# SciPy reads it when it is imported, so these checks have a process of their own.
DISPATCHES = os.environ.get("SCIPY_ARRAY_API") == "1"
ESTIMATORS = [
    MLPClassifier(),
    MLPRegressor(),
    ModelClassifier(models.classifier, tol=1e-4),
    ModelRegressor(models.regressor, tol=1e-4),
]
if DISPATCHES:
    # These look at arrays, not at how well is learned.
    ESTIMATORS = [one.set_params(max_iter=20) for one in ESTIMATORS]
# Of a method that networks do not have, in scikit-learn neither.
LEFT_OUT = {"check_classifiers_multilabel_output_format_decision_function"}
LIBRARIES = [
    name
    for name in ("array_api_strict", "torch", "cupy")
    if importlib.util.find_spec(name)
]

pytestmark = [
    pytest.mark.slow,
    pytest.mark.filterwarnings("ignore:the training has not converged"),
]


def without_device(words):
    """Tell whether a check is of PyTorch's CUDA device, and there is none."""
    if not any("cuda" in word for word in words):
        return False
    torch = importlib.util.find_spec("torch") and importlib.import_module("torch")
    return not (torch and torch.cuda.is_available())


def pairs():
    for one in ESTIMATORS:
        for estimator, check in estimator_checks_generator(one):
            words = [type(one).__name__, check.func.__name__]
            words += [f"{key}={value}" for key, value in check.keywords.items()]
            of_arrays = "array_api" in check.func.__name__
            if check.func.__name__ not in LEFT_OUT and of_arrays is DISPATCHES:
                # scikit-learn asks only how PyTorch was built.
                marks = pytest.mark.skipif(without_device(words), reason="no device")
                yield pytest.param(estimator, check, marks=marks, id="-".join(words))


@pytest.fixture
def lenient():
    """Let scikit-learn's scores index by truth values, as they do."""
    strict = pytest.importorskip("array_api_strict")
    with strict.ArrayAPIStrictFlags(boolean_indexing=True, data_dependent_shapes=True):
        yield


@pytest.mark.parametrize(("estimator", "check"), list(pairs()))
def test_of_scikit_learn(estimator, check, lenient):
    check(estimator)


if DISPATCHES:

    @pytest.mark.parametrize("library", LIBRARIES)
    @pytest.mark.parametrize("estimator", ESTIMATORS, ids=lambda e: type(e).__name__)
    def test_same_numbers_of_arrays(estimator, library):
        be = get_backend(library, dtype="float64")
        samples, labels = make_classification(30, 10, random_state=42)
        x, y = be.asarray(samples), be.asarray(labels, "int32")
        own, others = (clone(estimator).set_params(random_state=0) for _ in "12")
        own.fit(samples, labels)
        with config_context(array_api_dispatch=True):
            others.fit(x, y)
            for method in ("predict", "predict_proba", "predict_log_proba"):
                if hasattr(own, method):
                    found = getattr(others, method)(x)
                    assert library_of(found) == library
                    np.testing.assert_allclose(
                        to_numpy(found), getattr(own, method)(samples), rtol=1e-7
                    )

else:

    def test_with_arrays_of_the_standard():
        call = [sys.executable, "-m", "pytest", "-q", "-m", "", __file__]
        environment = {**os.environ, "SCIPY_ARRAY_API": "1"}
        run = subprocess.run(call, capture_output=True, text=True, env=environment)
        assert run.returncode == 0, run.stdout[-5000:]
        assert " passed" in run.stdout
