"""Every unit is in the matrix, and the matrix holds nothing else."""

import importlib
import inspect
import pkgutil

import pytest

import nnfs_xp
from nnfs_xp.registry import UNITS, resolve, to_config
from tests.matrix.cases import ALL


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
    ],
)
def test_no_unit_of_the_package_is_left_out_of_the_registry(kind, base):
    for package in ("layers", "activations", "losses", "optimizers"):
        module = importlib.import_module(f"nnfs_xp.{package}")
        for info in pkgutil.iter_modules(module.__path__):
            importlib.import_module(f"nnfs_xp.{package}.{info.name}")

    def subclasses(cls):
        for subclass in cls.__subclasses__():
            yield subclass
            yield from subclasses(subclass)

    ours = {c.__name__ for c in subclasses(base) if c.__module__.startswith("nnfs_xp.")}
    assert ours == set(UNITS[kind])


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
