"""The first epochs of each chapter's program, against the book's classes.

The figures come from a transcription of the book's classes into plain NumPy,
independent of this library, run over the same programs in float64.
"""

import pytest

from tests.book import (
    chapter_10,
    chapter_11,
    chapter_14,
    chapter_15,
    chapter_16,
    chapter_17,
    chapter_18,
    chapter_19,
)
from tests.conftest import backend_or_skip

EPOCHS = 21
# Program, its arguments, and what it returns after 21 epochs with seed 0.
PROGRAMS = {
    "10 SGD": (
        chapter_10.sgd,
        {},
        {"loss": 1.0983013671365636, "accuracy": 125 / 300},
    ),
    "10 SGD with decay": (
        chapter_10.sgd_with_decay,
        {},
        {"loss": 1.0983048988640391, "accuracy": 125 / 300},
    ),
    "10 SGD with momentum": (
        chapter_10.sgd_with_momentum,
        {},
        {"loss": 1.092588928151065, "accuracy": 122 / 300},
    ),
    "10 Adagrad": (
        chapter_10.adagrad,
        {},
        {"loss": 1.0965350662863151, "accuracy": 105 / 300},
    ),
    "10 RMSprop": (
        chapter_10.rmsprop,
        {},
        {"loss": 1.0570967412708308, "accuracy": 123 / 300},
    ),
    "10 Adam": (
        chapter_10.adam,
        {},
        {"loss": 1.040803312859941, "accuracy": 144 / 300},
    ),
    "11": (
        chapter_11.main,
        {},
        {
            "loss": 1.040803312859941,
            "accuracy": 144 / 300,
            "validation_loss": 1.054816314441135,
            "validation_accuracy": 126 / 300,
        },
    ),
    "14, 64 neurons": (
        chapter_14.main,
        {},
        {
            "loss": 1.0719940509490682,
            "regularization_loss": 0.001457990020269855,
            "accuracy": 1282 / 3000,
            "validation_loss": 1.0790033938700982,
            "validation_accuracy": 119 / 300,
        },
    ),
    "14, 512 neurons": (
        chapter_14.main,
        {"n_neurons": 512},
        {
            "loss": 1.0509821212816117,
            "regularization_loss": 0.0029234515918988304,
            "accuracy": 1246 / 3000,
            "validation_loss": 1.0460188909926609,
            "validation_accuracy": 124 / 300,
        },
    ),
    "16": (
        chapter_16.main,
        {},
        {
            "loss": 0.6920128343358034,
            "accuracy": 124 / 200,
            "validation_loss": 0.6917669691221832,
            "validation_accuracy": 119 / 200,
        },
    ),
    "17": (
        chapter_17.main,
        {},
        {"loss": 0.3674450098526563, "accuracy": 3 / 1000},
    ),
}
# The same for programs that return a model: loss and accuracy on their data.
MODELS = {
    "18 regression": (chapter_18.regression, EPOCHS, {}, (0.3478689389751938, 0.003)),
    "18 binary": (chapter_18.binary, EPOCHS, {}, (0.6917461710440892, 0.565)),
    # 79 batches, the last one of 16 rows.
    "19": (
        chapter_19.main,
        1,
        {"name": "fashion-mnist-mini"},
        (0.7900883919334656, 0.6375),
    ),
}


# The programs call NumPy's functions on arrays of the backend, as the book does,
# which arrays of other libraries do not put up with.
BACKENDS = ["numpy", "jax", "cupy"]


def on(backend):
    """Return the arguments of ``init`` for a backend, in float64."""
    return {
        "backend": backend_or_skip(backend, "float64"),
        "default_dtype": "float64",
    }


@pytest.fixture(params=BACKENDS)
def where(request):
    return on(request.param)


@pytest.fixture(params=BACKENDS[1:])
def elsewhere(request):
    """Everywhere but on NumPy."""
    return on(request.param)


def assert_figures(found, expected):
    assert found.keys() >= expected.keys()
    for name, value in expected.items():
        # A program's accuracy is a mean that JAX takes in float32.
        tolerance = {"abs": 1e-6} if "accuracy" in name else {"rel": 1e-9}
        assert float(found[name]) == pytest.approx(value, **tolerance), name


@pytest.mark.parametrize("chapter", PROGRAMS)
def test_programs(chapter, where):
    program, arguments, expected = PROGRAMS[chapter]
    assert_figures(program(epochs=EPOCHS, **arguments, **where), expected)


@pytest.mark.parametrize("chapter", MODELS)
def test_models(chapter, where):
    program, epochs, arguments, (loss, accuracy) = MODELS[chapter]
    model, (X, y) = program(epochs=epochs, **arguments, **where)
    assert_figures(model.evaluate(X, y), {"loss": loss, "accuracy": accuracy})


def test_dropout_is_the_same_on_every_backend(elsewhere):
    """Its masks are not the book's, but those of streams."""
    expected = chapter_15.main(epochs=EPOCHS, **on("numpy"))
    found = chapter_15.main(epochs=EPOCHS, **elsewhere)
    assert_figures(found, {name: float(value) for name, value in expected.items()})


def test_model_with_dropout_is_the_same_on_every_backend(elsewhere):
    expected, found = (
        model.evaluate(X, y)
        for model, (X, y) in (
            chapter_18.categorical(epochs=5, **on("numpy")),
            chapter_18.categorical(epochs=5, **elsewhere),
        )
    )
    assert_figures(found, expected)
