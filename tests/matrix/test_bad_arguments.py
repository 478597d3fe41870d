"""What no constructor takes: every argument of every registered unit, by construction.

An argument that is not in these tables fails the tests.
"""

import re

import numpy as np
import pytest

import nnfs_xp as nx
from nnfs_xp.registry import UNITS
from nnfs_xp.unit import PLACE, _parameters
from tests.matrix.cases import ALL

NO_NUMBER = {
    "text": "0.5", "flag": True, "NumPy's flag": np.True_, "NaN": float("nan"),
    "infinity": float("inf"), "minus infinity": -np.inf, "list": [0.5], "none": None,
    "array": np.array([0.5]), "complex": 1j, "beyond floats": 10**400,
    "beyond print": -(10**5000), "unit": nx.ReLU(),
}  # fmt: skip
NO_RATE = {**NO_NUMBER, "negative": -0.5}
NO_COUNT = {
    "zero": 0, "negative": -3, "float": 2.0, "text": "3", "flag": True, "none": None,
    "NaN": float("nan"), "list": [3], "half": 2.5, "array": np.array([2]),
    "beyond 64 bits": 2**63, "beyond print": 10**5000,
}  # fmt: skip
# One of a list is good where there is one axis.
NO_LENGTHS = {
    **NO_COUNT, "list": [2.5], "three": [2, 2, 2], "zero in a pair": (1, 0),
    "empty": (), "beyond 32 bits": 2**31, "beyond 32 bits in a pair": (1, 2**31),
}  # fmt: skip
NO_FLAG = {
    "text": "False", "0": 0, "1": 1, "none": None, "list": [True], "yes": "yes",
    "float": 1.0, "array": np.array([True]),
}  # fmt: skip
NO_WORD = {
    "empty": "", "other": "no such", "none": None, "number": 3, "list": ["mean"],
    "flag": False, "bytes": b"mean", "capitals": "MEAN",
}  # fmt: skip
NO_UNIT = {
    "word": "no such", "number": 3, "list": [], "class": nx.ReLU, "layer": nx.ReLU(),
    "dict": {"class": "NoSuch"}, "flag": True, "empty": {},
}  # fmt: skip
NO_LABEL = {
    "float": 1.0, "text": "1", "flag": True, "wide": 2**31, "low": -(2**31) - 1,
    "list": [1],
}  # fmt: skip
NO_WEIGHTS = {
    "empty": [], "text": "11", "negative": [1.0, -1.0], "NaN": [1.0, float("nan")],
    "infinity": [1.0, float("inf")], "words": ["1", "2"], "flags": [True, False],
    "nested": [[1.0, 2.0]], "beyond floats": [1, 10**400], "array": np.ones((2, 2)),
}  # fmt: skip


def without_none(values):
    return {name: value for name, value in values.items() if value is not None}


KINDS = {
    "number": NO_NUMBER,
    "rate": NO_RATE,
    "positive": {**NO_RATE, "zero": 0},
    "decay": {**NO_RATE, "one": 1, "more": 1.5},
    "factor": {**NO_RATE, "zero": 0, "more": 1.5},
    "share": {**NO_RATE, "more": 1.5},
    "limit": without_none({**NO_RATE, "zero": 0}),
    "bound": without_none(NO_NUMBER),
    "balance": without_none({**NO_RATE, "more": 1.5}),
    "quantile": {**NO_RATE, "zero": 0, "one": 1},
    "tolerance": without_none(NO_RATE),
    "decay or none": without_none({**NO_RATE, "one": 1, "more": 1.5}),
    "growth": {**NO_RATE, "zero": 0, "less": 0.5},
    "names": {
        "word": "biases", "number": 3, "flag": True, "none": None, "empty": [""],
        "numbers": [1], "bytes": [b"biases"], "unit": [nx.ReLU()],
    },
    "count": NO_COUNT,
    "boundaries": {
        "empty": [], "number": 3, "text": "12", "none": None, "floats": [1.0],
        "equal": [3, 3], "falling": [5, 3], "negative": [-1, 3], "flags": [True],
        "words": ["1"], "nested": [[1]], "one more": [1, 2, 3, 4], "array": np.ones(2),
    },
    "optional count": without_none(NO_COUNT),
    "id": {name: value for name, value in NO_COUNT.items() if name != "zero"},
    "classes": without_none({**NO_COUNT, "one": 1}),
    "axis": {"samples": 0, "float": 1.0, "text": "1", "flag": True, "none": None},
    "shape": {
        "zero": [0, 2], "two open": [-1, -1], "float": [2.0], "text": "2", "flag": True,
        "none": None, "negative": -2,
    },
    "lengths": NO_LENGTHS,
    "optional lengths": without_none(NO_LENGTHS),
    "padding": {
        "negative": -1, "float": 1.0, "other": "full", "flag": True, "none": None,
        "three": [1, 1, 1], "capitals": "SAME", "in a pair": (1, -1), "empty": "",
        "NaN": float("nan"), "beyond 32 bits": 2**31,
    },
    "flag": NO_FLAG,
    "word": NO_WORD,
    "name": {"empty": "", "number": 3, "flag": True, "list": ["a"]},
    "seed": {
        "negative": -1, "wide": 2**64, "float": 1.0, "text": "1", "flag": True,
        "list": [1],
    },
    "label": NO_LABEL,
    "unit": {**NO_UNIT, "none": None},
    "unit or none": NO_UNIT,
    "layers": {
        "empty": [], "number": 3, "words": "ab", "none": None, "class": [nx.ReLU],
        "loss": [nx.Huber()], "twice": [_twice := nx.Tanh(), _twice],
    },
    "weights": {**NO_WEIGHTS, "negative number": -1.0, "flag": True},
    "class weights": {
        **NO_WEIGHTS, "number": 2.0, "flag": True, "word": "even", "nothing": {},
        "text label": {"a": 1.0}, "flag label": {True: 1.0}, "below": {-1: 1.0},
        "text weight": {0: "1"},
    },
}  # fmt: skip
OF_ARGUMENT = {
    "count": "bins n n_inputs n_neurons n_ids n_outputs k steps every accumulate "
    "n_channels n_filters groups n_features n_heads n_units length height width",
    "lengths": "kernel_size dilation size", "optional lengths": "stride",
    "padding": "padding", "id": "padding_id",
    "decay": "beta_1 beta_2 rho label_smoothing momentum",
    "positive": "eps delta",
    "rate": "gamma epsilon weight_decay decay initial final l1 l2 learning_rate then "
    "power peak strength momentum_decay initial_accumulator stddev",
    "decay or none": "ema", "names": "undecayed others",
    "number": "scale offset negative_slope alpha beta bias threshold value gain limit "
    "fill_value",
    "bound": "low high",
    "share": "rate rising dropout height_factor width_factor",
    "factor": "factor shrinkage",
    "growth": "growth divisor final_divisor base", "boundaries": "boundaries",
    "limit": "clip_value clip_norm",
    "tolerance": "tolerance", "classes": "classes", "axis": "axis", "shape": "shape",
    "balance": "balance", "quantile": "quantile",
    "flag": "log_input multi_label use_bias from_logits nesterov staircase cycle "
    "amsgrad centered causal masked return_sequences forget_bias synchronized",
    "name": "name", "seed": "seed",
    "word": "distribution of mode reduction average approximate curve",
    "label": "ignore_index",
    "optional count": "top_k n_context n_hidden",
    "unit": "weight_initializer bias_initializer recurrent_initializer inner loss "
    "activation embedding",
    "unit or none": "weight_regularizer bias_regularizer weight_constraint "
    "bias_constraint",
    "layers": "layers branches", "weights": "pos_weight values",
    "class weights": "class_weight",
}  # fmt: skip
KIND_OF = {name: kind for kind, names in OF_ARGUMENT.items() for name in names.split()}
NUMBERS = (
    "number",
    "rate",
    "positive",
    "decay",
    "decay or none",
    "factor",
    "share",
    "growth",
    "limit",
    "bound",
    "balance",
    "quantile",
    "tolerance",
)
# Numbers that cannot be huge.
BELOW_2 = ("decay", "decay or none", "factor", "share", "balance", "quantile")
# What is no initializer may be a layer, where one is wanted.
ALSO_GOOD = ("inner", "activation"), "layer"
# Arguments that some units need, and these do not.
MAY_BE_NONE = {("Dense", "activation")}


def arguments_of(unit_class):
    open_ones = {"self", "where", "common", "options"}
    return [p for p in _parameters(unit_class) if p not in PLACE | open_ones]


def units():
    """Yield kind, class, and the arguments of a good one."""
    for kind, classes in UNITS.items():
        for name, unit_class in classes.items():
            case = ALL[kind][name][0]
            make = case[0] if isinstance(case, tuple) else case.make
            yield kind, unit_class, make().config()


def bad_ones():
    """Yield every argument of every unit, with all the values that it refuses."""
    for _, unit_class, good in units():
        for argument in arguments_of(unit_class):
            values = dict(KINDS[KIND_OF[argument]])
            if argument in ALSO_GOOD[0]:
                del values[ALSO_GOOD[1]]
            if (unit_class.__name__, argument) in MAY_BE_NONE:
                del values["none"]
            name = f"{unit_class.__name__}-{argument}"
            yield pytest.param(unit_class, good, argument, values, id=name)


BAD = list(bad_ones())


def test_there_are_many():
    assert sum(len(values) for *_, values in (bad.values for bad in BAD)) >= 600
    names = {name for _, cls, _ in units() for name in arguments_of(cls)}
    assert names == KIND_OF.keys()


@pytest.mark.parametrize(("unit_class", "good", "argument", "values"), BAD)
def test_an_argument_is_refused_by_its_name(unit_class, good, argument, values):
    """In one test, as a test for each of thousands of values would take minutes."""

    def what_is_said_of(value):
        try:
            unit_class(**{**good, argument: value})
        except nx.InputError as error:
            named = re.search(rf"\b{argument}\b", str(error))
            exactly = type(error) is nx.InputError and len(str(error)) < 400
            return "refused" if named and exactly else error
        return "taken"

    found = {label: what_is_said_of(value) for label, value in values.items()}
    assert found == dict.fromkeys(values, "refused")


# Numbers that are lost in a dtype, where a unit is used on a backend.


def used(kind, unit, be):
    """Use a unit on a backend, in the way of its kind."""
    options = {"backend": be}
    if kind == "layer":
        first = unit
    elif kind == "initializer":
        first = nx.Dense(2, 2, weight_initializer=unit)
    elif kind == "constraint":
        first = nx.Dense(2, 2, weight_constraint=unit)
    elif kind == "regularizer":
        first = nx.Dense(2, 2, weight_regularizer=unit)
    else:
        first = nx.Dense(2, 2)
    if kind in ("optimizer", "schedule"):
        options["optimizer"] = unit if kind == "optimizer" else nx.SGD(unit)
        options["loss"] = "mean_squared_error"
    if kind == "loss":
        options["loss"] = unit
    if kind == "metric":
        options["metrics"] = [unit]
    return nx.Model([first, nx.Tanh()], **{"metrics": None, **options})


def lost_ones():
    for kind, unit_class, good in units():
        for argument in arguments_of(unit_class):
            of = KIND_OF[argument]
            values = {"tiny": 1e-60, "huge": 1e60} if of in NUMBERS else {}
            if of in ("weights", "class weights"):
                values = {"tiny": [1.0, 1e-60], "huge": [1e60, 1.0]}
            for label, value in values.items():
                if label == "huge" and of in BELOW_2:
                    continue
                if label == "tiny" and of == "growth":
                    continue
                name = f"{unit_class.__name__}-{argument}-{label}"
                yield pytest.param(kind, unit_class, good, argument, value, id=name)
            if kind == "optimizer" and of in ("decay", "decay or none"):
                name = f"{unit_class.__name__}-{argument}-almost 1"
                yield pytest.param(kind, unit_class, good, argument, 1 - 1e-10, id=name)


@pytest.mark.parametrize(
    ("kind", "unit_class", "good", "argument", "value"), list(lost_ones())
)
def test_a_number_that_a_dtype_loses_is_refused(
    backend, kind, unit_class, good, argument, value
):
    """In float32 on every backend, and not in float64, which holds it."""
    unit = unit_class(**{**good, argument: value})
    if backend.dtype_name == "float64":
        used(kind, unit, backend)
        return
    with pytest.raises(nx.InputError, match=rf"\b{argument}\b.* float32") as caught:
        used(kind, unit, backend)
    assert type(caught.value) is nx.InputError


@pytest.mark.parametrize("value", [1e-60, 1e60])
def test_units_of_their_own_check_their_numbers_too(backend, value):
    if backend.dtype_name == "float64":
        return
    two = backend.asarray([[1.0], [2.0]])
    for call in (
        lambda: nx.ELU(value, backend=backend).forward(two),
        lambda: nx.Huber(value, backend=backend).calculate(two, two),
        lambda: nx.BinaryAccuracy(value, backend=backend).calculate(two, two / 2),
        lambda: nx.BinaryAccuracy(value, backend=backend).update(two, two / 2),
        lambda: stepped(nx.Adam(epsilon=value), backend),
        lambda: (
            nx.Dense(
                1, 1, weight_initializer=nx.Constant(value), backend=backend
            ).weights
        ),
    ):
        with pytest.raises(
            nx.InputError, match="must be 0, or from .* float32, got 1e"
        ):
            call()


def stepped(optimizer, be):
    layer = nx.Dense(1, 1, backend=be)
    layer.forward([[1.0]])
    layer.backward([[1.0]])
    optimizer.step(layer)


def test_a_schedule_that_becomes_too_large(backend):
    """Before the step, which is then not taken; a rate may fade to 0."""
    layer = nx.Dense(1, 1, backend=backend)
    layer.forward([[1.0]])
    layer.backward([[0.0]])
    optimizer = nx.SGD(lambda step: 10.0 ** (150 * step))
    optimizer.step(layer)
    if backend.dtype_name == "float32":
        with pytest.raises(nx.InputError, match="learning_rate at step 1 .* float32"):
            optimizer.step(layer)
        assert optimizer.iterations == 1
    fading = nx.SGD(lambda step: 0.1 * 1e-200**step)
    for _ in range(3):
        fading.step(layer)


@pytest.mark.parametrize(
    "make",
    [
        lambda: nx.Dense(10**9, 10**9),
        lambda: nx.Dense(2**60, 1),
        lambda: nx.Embedding(10**9, 10**9),
        lambda: nx.BatchNorm(2**60),
        lambda: nx.LayerNorm(2**60),
        lambda: nx.Residual(nx.Dense(10**9, 10**9)),
    ],
)
def test_what_fits_into_no_memory_is_refused_before_it_is_made(backend, make):
    layer = make()
    with pytest.raises(nx.InputError, match=r"n.*more than any memory holds"):
        nx.Model([layer], backend=backend)
    values = layer.inner if isinstance(layer, nx.Residual) else layer
    values._backend = backend
    name = next(iter(values.parameters()))
    for _ in range(2):
        with pytest.raises(nx.InputError, match=r"\bn(_\w+)?\b.*any memory holds"):
            getattr(values, name)


@pytest.mark.parametrize("value", NO_FLAG.values(), ids=NO_FLAG)
def test_flags_of_calls(value):
    """A string such as "False" would be true."""
    layer = nx.Dropout(0.5)
    with pytest.raises(nx.InputError, match="training must be True or False"):
        layer.forward([[1.0]], training=value)
    model = nx.Model([nx.Dense(1, 1)], loss="mean_squared_error", optimizer="sgd")
    before = model.parameters["0.weights"].copy()
    for name in ("shuffle", "verbose", "resume"):
        with pytest.raises(nx.InputError, match=f"{name} must be True or False"):
            model.fit([[1.0]], [[1.0]], **{name: value})
    np.testing.assert_array_equal(model.parameters["0.weights"], before)


PATH_TAKERS = {
    "save": lambda model, path: model.save(path),
    "save_parameters": lambda model, path: model.save_parameters(path),
    "load_parameters": lambda model, path: model.load_parameters(path),
    "load": lambda model, path: nx.Model.load(path),
    "export": lambda model, path: model.export(path),
    "checkpoint": lambda model, path: model.fit([[1.0]], [[1.0]], checkpoint=path),
    "Checkpoint": lambda model, path: nx.Checkpoint(path),
    "JSONLog": lambda model, path: nx.JSONLog(path),
    "TensorBoard": lambda model, path: nx.TensorBoard(path),
}


@pytest.mark.parametrize("name", PATH_TAKERS)
@pytest.mark.parametrize("path", ["", b"", None, 3, 1.5, False, "a\0b", ["a"]])
def test_what_is_no_path(name, path, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    if name == "checkpoint" and path is None:
        pytest.skip("None is for no checkpoint")
    model = nx.Model([nx.Dense(1, 1)], loss="mean_squared_error", optimizer="sgd")
    argument = {"checkpoint": "checkpoint", "TensorBoard": "directory"}
    with pytest.raises(nx.InputError, match=rf"^{argument.get(name, 'path')} must "):
        PATH_TAKERS[name](model, path)
    assert model.steps_trained == 0
    assert not list(tmp_path.iterdir())
