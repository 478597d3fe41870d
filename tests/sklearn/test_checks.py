"""All checks that scikit-learn has for estimators."""

import importlib.util
import os
import subprocess
import sys

import pytest

pytest.importorskip("sklearn", reason="scikit-learn is not installed")

from sklearn.utils.estimator_checks import (
    check_array_api_input_and_values,
    estimator_checks_generator,
)

from nnfs_xp.sklearn import (
    MLPClassifier,
    MLPRegressor,
    ModelClassifier,
    ModelRegressor,
)
from tests.sklearn import models

ESTIMATORS = [
    MLPClassifier(),
    MLPRegressor(),
    ModelClassifier(models.classifier, tol=1e-4),
    ModelRegressor(models.regressor, tol=1e-4),
]
# Of a method that networks do not have, in scikit-learn neither.
LEFT_OUT = {"check_classifiers_multilabel_output_format_decision_function"}
# SciPy reads it when it is imported, so these checks have a process of their own.
DISPATCHES = os.environ.get("SCIPY_ARRAY_API") == "1"
LIBRARIES = [
    name
    for name in ("array_api_strict", "torch", "cupy")
    if importlib.util.find_spec(name)
]

pytestmark = [
    pytest.mark.slow,
    pytest.mark.filterwarnings("ignore:the training has not converged"),
]


def pairs():
    for one in ESTIMATORS:
        for estimator, check in estimator_checks_generator(one):
            words = [type(one).__name__, check.func.__name__]
            words += [f"{key}={value}" for key, value in check.keywords.items()]
            of_arrays = "array_api" in check.func.__name__
            if check.func.__name__ not in LEFT_OUT and of_arrays is DISPATCHES:
                yield pytest.param(estimator, check, id="-".join(words))


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
    def test_same_numbers_of_arrays(estimator, library, lenient):
        check_array_api_input_and_values(
            type(estimator).__name__, estimator, library, dtype_name="float64"
        )

else:

    def test_with_arrays_of_the_standard():
        call = [sys.executable, "-m", "pytest", "-q", "-m", "", __file__]
        environment = {**os.environ, "SCIPY_ARRAY_API": "1"}
        run = subprocess.run(call, capture_output=True, text=True, env=environment)
        assert run.returncode == 0, run.stdout[-5000:]
        assert " passed" in run.stdout
