"""Every unit is in the matrix, and the matrix holds nothing else."""

import importlib
import inspect
import pkgutil
import sys

import pytest

import nnfs_xp
import nnfs_xp.book
from nnfs_xp.registry import UNITS, resolve, to_config
from tests.matrix.cases import ALL

NOT_UNITS = (
    "nnfs_xp.backends.",
    "nnfs_xp.book",
    "nnfs_xp.kernels.",
    "nnfs_xp.parallel.",
    "nnfs_xp.engine.executors.",
    "nnfs_xp.__",
)
# Bases that are no unit themselves.
ABSTRACT = {
    "Attention", "AveragedScore", "ClassCounts", "MeanOf", "MomentOptimizer",
    "OfClasses", "OfDecisions", "OfLengths", "OverAxis", "Recurrent", "Share",
    "_Convolution", "_Normalization", "_Pool2D", "_Weighted",
}  # fmt: skip
# Made by the library of units of a network, and never saved.
INTERNAL = {
    "ConvolutionActivation", "DenseActivation", "ElementwiseActivation",
    "WholeDenseActivation",
}  # fmt: skip


@pytest.mark.parametrize("kind", UNITS)
def test_every_registered_unit_has_a_case(kind):
    assert set(UNITS[kind]) == set(ALL[kind])
    assert all(ALL[kind].values()), "a unit with an empty list of cases"


@pytest.mark.parametrize(
    ("kind", "base"),
    [
        ("layer", nnfs_xp.Layer),
        ("loss", nnfs_xp.Loss),
        ("optimizer", nnfs_xp.Optimizer),
        ("initializer", nnfs_xp.Initializer),
        ("schedule", nnfs_xp.Schedule),
        ("metric", nnfs_xp.Metric),
        ("regularizer", nnfs_xp.Regularizer),
        ("constraint", nnfs_xp.Constraint),
    ],
)
def test_no_unit_of_the_package_is_left_out_of_the_registry(kind, base):
    for info in pkgutil.walk_packages(nnfs_xp.__path__, "nnfs_xp."):
        # Second names of the same units have no formula of their own.
        if not info.name.startswith(NOT_UNITS):
            importlib.import_module(info.name)

    def subclasses(cls):
        for subclass in cls.__subclasses__():
            yield subclass
            yield from subclasses(subclass)

    ours = {
        c.__name__
        for c in subclasses(base)
        # Not one of a test that has put a module of its own into the package.
        if c.__module__.startswith("nnfs_xp.")
        and c.__module__ in sys.modules
        and not c.__module__.startswith(NOT_UNITS)
    }
    assert ours - ABSTRACT - INTERNAL == set(UNITS[kind])


@pytest.mark.parametrize("name", nnfs_xp.book.__all__)
def test_the_books_units_are_units_of_the_library(name):
    value = getattr(nnfs_xp.book, name)
    own = getattr(value, "saved_as", None)
    if own is not None:
        assert issubclass(value, own)
        assert any(units.get(own.__name__) is own for units in UNITS.values())


def _units():
    for kind, cases in ALL.items():
        for name, variants in cases.items():
            for number, case in enumerate(variants):
                make = case[0] if isinstance(case, tuple) else case.make
                yield pytest.param(kind, make, id=f"{kind}-{name}-{number}")


@pytest.mark.parametrize(("kind", "make"), list(_units()))
def test_configuration_makes_an_equal_unit(kind, make):
    unit = make()
    again = resolve(kind, to_config(unit), "unit")
    assert type(again) is type(unit)
    assert to_config(again) == to_config(unit)


@pytest.mark.parametrize("kind", UNITS)
def test_units_are_public(kind):
    for name, unit_class in UNITS[kind].items():
        assert getattr(nnfs_xp, name) is unit_class
        assert inspect.getdoc(unit_class)


def test_resolve_names_what_is_wrong():
    with pytest.raises(nnfs_xp.InputError, match=r"optimizer must be one of .*'adm'"):
        resolve("optimizer", "adm", "optimizer")
    with pytest.raises(nnfs_xp.InputError, match="optimizer must be one of .* got 3"):
        resolve("optimizer", 3, "optimizer")
    with pytest.raises(nnfs_xp.InputError, match="layers: .*n_inputs"):
        resolve("layer", {"class": "Dense"}, "layers")


class Base(nnfs_xp.Layer):
    def __init__(self, n, *, gain=1.0, note=None, **where):
        super().__init__(**where)
        self.n, self.gain, self.note = n, gain, note
        self.half = n / 2


class Passing(Base):
    def __init__(self, first, **others):
        super().__init__(3, **others)
        self.first = first


class PassingAll(Base):
    def __init__(self, *values, **others):
        super().__init__(*values, **others)


class Closed(Base):
    def __init__(self, first=()):
        super().__init__(3, gain=2.0)
        self.first = first


def test_the_arguments_of_a_constructor_are_the_configuration():
    """Other attributes are not, nor what is not set, nor where a unit computes."""
    assert Base(4, backend="numpy").config() == {"n": 4}
    assert Base(4, gain=2.0, note="a").config() == {"n": 4, "gain": 2.0, "note": "a"}
    assert repr(Base(4, gain=2.0)) == "Base(n=4, gain=2.0)"
    # Those that are passed on, but what the constructor gives itself.
    assert Passing(1, gain=2.0).config() == {"first": 1, "gain": 2.0}
    assert PassingAll(4, note=[1]).config() == {"n": 4, "note": [1]}
    assert Closed((nnfs_xp.Tanh(),)).config() == {"first": [{"class": "Tanh"}]}


def test_a_function_is_shown_but_not_saved():
    layer = Base(2, gain=abs)
    assert repr(layer) == "Base(n=2, gain=<built-in function abs>)"
    with pytest.raises(nnfs_xp.InputError, match="gain is a function, which cannot"):
        layer.config()
