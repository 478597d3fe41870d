"""Changed pictures: the same on every backend, by picture, and only in training."""

import numpy as np
import pytest

import nnfs_xp as nx
from nnfs_xp.random import Stream
from tests.conftest import backend_or_skip

_random = np.random.default_rng(14)
PICTURES = _random.standard_normal((24, 6, 5, 2)).astype("float32")
Y = (PICTURES[:, 2, 2, 0] > 0).astype("int64")


def units(seed):
    return [
        nx.RandomFlip(seed=seed),
        nx.RandomCrop(4, 5, padding=1, fill_value=2.0, seed=seed),
        nx.RandomTranslation(0.4, 0.2, fill_value=-1.0, seed=seed),
        nx.GaussianNoise(0.5, seed=seed),
    ]


@pytest.mark.parametrize("number", range(4))
def test_pictures_are_the_same_bit_for_bit(backend_name, number):
    be = backend_or_skip(backend_name, "float32")
    expected, unit = (units(9)[number] for _ in range(2))
    unit._backend, expected._backend = be, nx.get_backend("numpy", dtype="float32")
    drawn = []
    for _ in range(2):
        x = be.asarray(PICTURES, be.dtype)
        drawn.append(be.to_numpy(unit.forward(x)))
        np.testing.assert_array_equal(drawn[-1], expected.forward(PICTURES))
    assert (drawn[0] != drawn[1]).any(), "each step draws anew"


def test_each_picture_is_changed_by_itself():
    """What happens to a picture does not depend on those behind it."""
    for unit, fewer in zip(units(3)[:3], units(3)[:3], strict=True):
        y = unit.forward(PICTURES)
        np.testing.assert_array_equal(fewer.forward(PICTURES[:7]), y[:7])
    same = np.repeat(PICTURES[:1], 40, axis=0)
    for unit in units(3):
        assert len(np.unique(unit.forward(same), axis=0)) > 1


def test_every_shift_and_every_flip_comes():
    one = np.zeros((400, 5, 5), "float32")
    one[:, 2, 2] = 1.0
    moved = nx.RandomTranslation(0.4, 0.2, seed=0).forward(one)
    counts = moved.sum(axis=0)
    assert (counts[:, 1:4] > 10).all() and counts.sum() == 400
    assert not counts[:, [0, 4]].any()
    cropped = nx.RandomCrop(5, 5, padding=2, seed=0).forward(one)
    assert (cropped.sum(axis=0) > 3).all()
    corner = np.zeros((400, 3, 4), "float32")
    corner[:, 0, 0] = 1.0
    flipped = nx.RandomFlip(seed=0).forward(corner).sum(axis=0)
    assert (flipped[::2, ::3] > 70).all() and flipped[::2, ::3].sum() == 400


@pytest.mark.parametrize("seed", range(3))
def test_integers_are_the_floor_of_exact_products(seed):
    for count in (1, 2, 7, 10**6, 2**31 - 1):
        stream = Stream(seed, "test")
        found = stream.integers((50,), count)
        words = stream.bits(50)
        assert found.dtype == np.int32
        assert found.tolist() == [(int(w) >> 32) * count >> 32 for w in words]


def test_outside_of_training_nothing_is_drawn(backend):
    x = backend.asarray(PICTURES, backend.dtype)
    for unit in units(None):
        unit._backend = backend
        y = backend.to_numpy(unit.forward(x, training=False))
        # The middle of six rows; all other units leave the pictures as they are.
        rows = slice(1, 5) if isinstance(unit, nx.RandomCrop) else slice(None)
        np.testing.assert_array_equal(y, backend.to_numpy(x)[:, rows])


def augmented(be, **options):
    return nx.Model(
        [
            nx.RandomFlip("horizontal"), nx.RandomCrop(6, 5, padding=1),
            nx.RandomTranslation(0.2, 0.2), nx.GaussianNoise(0.1),
            nx.Flatten(), nx.Dense(60, 2), nx.Softmax(),
        ],
        loss="categorical_crossentropy", optimizer="adam", backend=be, **options,
    )  # fmt: skip


def test_trainings_agree(backend_name):
    be = backend_or_skip(backend_name, "float64")
    expected = augmented(nx.get_backend("numpy", dtype="float64"))
    options = {"epochs": 4, "batch_size": 10}
    np.testing.assert_allclose(
        augmented(be).fit(PICTURES, Y, **options)["loss"],
        expected.fit(PICTURES, Y, **options)["loss"],
        rtol=1e-9,
    )


def test_a_recorded_step_draws_anew():
    straight = augmented("numpy").fit(PICTURES, Y, epochs=4, batch_size=8)
    eager = augmented("numpy", compile="off").fit(PICTURES, Y, epochs=4, batch_size=8)
    assert straight["loss"] == eager["loss"]


def test_a_resumed_training_has_the_pictures_it_would_have_had(tmp_path, backend64):
    straight, halved = augmented(backend64), augmented(backend64)
    straight.fit(PICTURES, Y, epochs=4, batch_size=10)
    halved.fit(PICTURES, Y, epochs=2, batch_size=10)
    halved.save(tmp_path / "half")
    resumed = nx.Model.load(tmp_path / "half", backend=backend64)
    resumed.fit(PICTURES, Y, epochs=2, batch_size=10)
    # XLA may round a sum with noise once or twice, as it compiles the step.
    rtol = 1e-13 if backend64.name == "jax" else 0
    for name, value in straight.parameters.items():
        np.testing.assert_allclose(
            backend64.to_numpy(resumed.parameters[name]),
            backend64.to_numpy(value),
            rtol=rtol,
            atol=rtol,
        )


@pytest.mark.parametrize("unit", units(0)[:3], ids=lambda unit: type(unit).__name__)
def test_what_is_no_picture(unit):
    for shape in ((4, 30), (4, 6, 5, 2, 1)):
        with pytest.raises(nx.InputError, match=r"samples of shape \(height, width\)"):
            unit.forward(np.zeros(shape))


def test_a_window_that_does_not_fit():
    with pytest.raises(nx.InputError, match="a window of 9 x 5, got"):
        nx.RandomCrop(9, 5, padding=1).forward(PICTURES)
    assert nx.RandomCrop(8, 5, padding=1).forward(PICTURES).shape == (24, 8, 5, 2)
