"""Counter-based random streams: the same seed, the same bits, everywhere.

A value depends only on ``(seed, stream, step, index)``, never on how many
numbers were drawn before it. So a run that is interrupted and resumed sees the
batch order it would have seen anyway, and adding a layer does not change the
weights of the others.

The bits come from Philox-4x64-10 (Salmon, Moraes, Dror and Shaw, "Parallel
random numbers: as easy as 1, 2, 3", SC'11), which NumPy computes on the host.
They are drawn there for every backend and then moved, which is what makes
initial weights and batch order bit-identical on all of them.
"""

from __future__ import annotations

import math
import secrets
import threading
import zlib

import numpy as np

_MASK_64 = (1 << 64) - 1
_BUFFER = np.zeros(4, dtype=np.uint64)
_of_thread = threading.local()


def fresh_seed() -> int:
    """Return a 63-bit seed from the operating system's entropy."""
    return secrets.randbits(63)


class Stream:
    """One named sequence of random numbers.

    Parameters
    ----------
    seed : int
        The user's seed, from 0 to 2**64 - 1.
    name : str
        What the numbers are for, such as ``"shuffle"`` or
        ``"layers.0.weights"``. Streams of different names are independent.
    step : int, default 0
        Position in time, such as the epoch of a shuffle.

    Examples
    --------
    >>> Stream(0, "example").permutation(5).tolist()
    [1, 2, 0, 3, 4]
    """

    def __init__(self, seed: int, name: str, step: int = 0) -> None:
        self.seed = seed & _MASK_64
        self.name = name
        self.step = step

    @property
    def key(self) -> tuple[int, int]:
        """The two words of Philox's key: the seed, and a number for the name."""
        # CRC-32 rather than hash(): Python salts the hash of a string anew in
        # every process.
        return self.seed, zlib.crc32(self.name.encode())

    def bits(self, count: int) -> np.ndarray:
        """Return `count` random 64-bit words, dtype uint64."""
        # To make one takes ten times as long as to set it.
        generator = getattr(_of_thread, "generator", None)
        if generator is None:
            generator = _of_thread.generator = np.random.Philox(key=0)
        generator.state = {
            "bit_generator": "Philox",
            "state": {
                "counter": np.array([0, 0, self.step, 0], dtype=np.uint64),
                "key": np.array(self.key, dtype=np.uint64),
            },
            # Which holds nothing: four of its four words are used.
            "buffer": _BUFFER, "buffer_pos": 4,
            "has_uint32": 0, "uinteger": 0,
        }  # fmt: skip
        return generator.random_raw(count)

    def uniform(self, shape: tuple[int, ...]) -> np.ndarray:
        """Return float64 values of [0, 1), each a multiple of 2**-53."""
        words = self.bits(math.prod(shape))
        return ((words >> np.uint64(11)) * 2.0**-53).reshape(shape)

    def normal(self, shape: tuple[int, ...]) -> np.ndarray:
        """Return float64 values of the standard normal distribution.

        Two uniform values ``u`` and ``v`` give ``sqrt(-2 log(1 - u)) cos(2 pi
        v)`` (Box and Muller, 1958). Taking ``1 - u`` keeps the logarithm
        finite.
        """
        u, v = self.uniform((2, math.prod(shape)))
        radius = np.sqrt(-2.0 * np.log1p(-u))
        return (radius * np.cos(2.0 * np.pi * v)).reshape(shape)

    def truncated_normal(self, shape: tuple[int, ...]) -> np.ndarray:
        """Return float64 values of the standard normal distribution within 2.

        Of so many normal values that enough are left, those beyond are left out.
        """
        count = tried = math.prod(shape)
        kept = np.zeros(0)
        while len(kept) < count:
            # Of all normal values 95 % lie within 2.
            tried += tried // 8 + 32
            values = self.normal((tried,))
            kept = values[np.abs(values) <= 2.0]
        return kept[:count].reshape(shape)

    def bernoulli(self, shape: tuple[int, ...], probability: float) -> np.ndarray:
        """Return booleans that are True with a probability, dtype bool.

        Each compares 32 bits with the probability in units of 2**-32, so no
        rounding of a float is involved.
        """
        count = math.prod(shape)
        # The low half of a word comes first, whatever the machine's byte order.
        halves = self.bits((count + 1) // 2).astype("<u8").view("<u4")
        kept = halves[:count] < np.uint64(self.threshold(probability))
        return kept.reshape(shape)

    def integers(self, shape: tuple[int, ...], count: int) -> np.ndarray:
        """Return integers from 0 to ``count - 1``, dtype int32.

        Each is ``floor(count b / 2**32)`` of 32 random bits ``b``, in exact integers.
        """
        high = self.bits(math.prod(shape)) >> np.uint64(32)
        chosen = (high * np.uint64(count)) >> np.uint64(32)
        return chosen.astype(np.int32).reshape(shape)

    @staticmethod
    def threshold(probability: float) -> int:
        """Return a probability in units of 2**-32, exact for 0 and 1."""
        return round(probability * 2**32)

    def orthogonal(self, rows: int, columns: int) -> np.ndarray:
        """Return a float64 matrix with orthonormal columns, or rows if fewer.

        The Q of the QR decomposition of a normal matrix is uniform (Haar)
        among all such matrices if the diagonal of R is made positive. LAPACK
        leaves its signs open (Mezzadri, "How to generate random matrices from
        the classical compact groups", Notices of the AMS 54, 2007).
        """
        q, r = np.linalg.qr(self.normal((max(rows, columns), min(rows, columns))))
        q *= np.copysign(1.0, np.diag(r))
        return q if rows >= columns else q.T

    def permutation(self, count: int) -> np.ndarray:
        """Return the integers below `count` in random order, dtype int64.

        They are the ranks of `count` random words, so no rounding is involved
        and the order is the same on every machine.
        """
        return np.argsort(self.bits(count), kind="stable")
