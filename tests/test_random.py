"""Random streams: the generator of the paper, and independence of streams."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import nnfs_xp as nx
from nnfs_xp.random import Stream, fresh_seed

MASK = 2**64 - 1


def philox_4x64_10(counter, key):
    """Philox written out in Python integers, from section 3.3 of the paper."""
    c, k = list(counter), list(key)
    for _ in range(10):
        high_0, low_0 = divmod(0xD2E7470EE14C6C93 * c[0], 2**64)
        high_1, low_1 = divmod(0xCA5A826395121157 * c[2], 2**64)
        c = [high_1 ^ c[1] ^ k[0], low_1, high_0 ^ c[3] ^ k[1], low_0]
        k = [(k[0] + 0x9E3779B97F4A7C15) & MASK, (k[1] + 0xBB67AE8584CAA73B) & MASK]
    return c


@pytest.mark.parametrize(
    ("counter", "key", "expected"),
    [
        # The known-answer vectors that the authors publish with Random123.
        (
            [0] * 4, [0] * 2,
            [0x16554D9ECA36314C, 0xDB20FE9D672D0FDC,
             0xD7E772CEE186176B, 0x7E68B68AEC7BA23B],
        ),
        (
            [MASK] * 4, [MASK] * 2,
            [0x87B092C3013FE90B, 0x438C3C67BE8D0224,
             0x9CC7D7C69CD777B6, 0xA09CAEBF594F0BA0],
        ),
    ],
)  # fmt: skip
def test_reference_gives_the_published_vectors(counter, key, expected):
    assert philox_4x64_10(counter, key) == expected


@given(
    seed=st.integers(0, MASK),
    step=st.integers(0, MASK),
    name=st.text(max_size=20),
    count=st.integers(1, 13),
)
def test_bits_are_philox_of_seed_name_and_step(seed, step, name, count):
    import zlib

    found = Stream(seed, name, step).bits(count).tolist()
    expected = []
    for block in range(1, -(-count // 4) + 1):
        key = [seed, zlib.crc32(name.encode())]
        expected += philox_4x64_10([block, 0, step, 0], key)
    assert found == expected[:count]


def test_values_do_not_depend_on_how_many_are_drawn():
    stream = Stream(3, "0.weights")
    np.testing.assert_array_equal(stream.uniform((10,))[:4], stream.uniform((4,)))
    np.testing.assert_array_equal(stream.bits(9)[:5], stream.bits(5))


def test_streams_differ_by_seed_name_and_step():
    drawn = [
        Stream(0, "a").bits(8),
        Stream(1, "a").bits(8),
        Stream(0, "b").bits(8),
        Stream(0, "a", step=1).bits(8),
    ]
    assert len({tuple(bits) for bits in drawn}) == 4
    assert not set(drawn[0]) & set(drawn[3])


@given(seed=st.integers(0, MASK), count=st.integers(1, 300))
def test_permutation_is_one(seed, count):
    order = Stream(seed, "shuffle").permutation(count)
    assert sorted(order) == list(range(count))


def test_distributions():
    uniform = Stream(0, "u").uniform((200_000,))
    assert 0 <= uniform.min() < 1e-4
    assert 1 - 1e-4 < uniform.max() < 1
    assert abs(uniform.mean() - 0.5) < 0.003
    normal = Stream(0, "n").normal((400, 500))
    assert np.isfinite(normal).all()
    assert abs(normal.mean()) < 0.01
    assert abs(normal.std() - 1) < 0.01
    assert abs((normal**4).mean() - 3) < 0.1


def test_same_seed_same_model_other_seed_other_model():
    def weights(**kwargs):
        model = nx.Model([nx.Dense(3, 4), nx.ReLU(), nx.Dense(4, 3)], **kwargs)
        return [np.array(value) for value in model.parameters.values()]

    for one, other in zip(weights(seed=5), weights(seed=5), strict=True):
        np.testing.assert_array_equal(one, other)
    assert not np.array_equal(weights(seed=5)[0], weights(seed=6)[0])
    assert not np.array_equal(weights(seed=None)[0], weights(seed=None)[0])
    first, _, second, _ = weights()
    assert not np.array_equal(first.ravel(), second.ravel())


def test_a_layer_does_not_change_the_weights_of_others():
    short = nx.Model([nx.Dense(3, 4), nx.ReLU()])
    long = nx.Model([nx.Dense(3, 4), nx.ReLU(), nx.Dense(4, 2)])
    np.testing.assert_array_equal(short.layers[0].weights, long.layers[0].weights)


def test_a_layers_own_seed_comes_first():
    alone = nx.Dense(3, 4, seed=9)
    model = nx.Model([nx.Dense(3, 4, seed=9)], seed=1)
    np.testing.assert_array_equal(alone.weights, model.layers[0].weights)


def test_fresh_seeds_differ():
    assert len({fresh_seed() for _ in range(20)}) == 20
