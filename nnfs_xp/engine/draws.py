"""Where the random numbers of a pass come from.

A value depends on seed, stream and step alone, so all of these give the same ones. An
eager step draws on the host when a unit asks. A traced step gets them as arguments,
after an abstract pass has shown which ones it needs. In a captured step a kernel draws
them, with the step's number in the device's memory.
"""

from __future__ import annotations

from typing import Any

from nnfs_xp.backends import Array, Backend
from nnfs_xp.errors import InputError
from nnfs_xp.kernels import has_implementation, portable
from nnfs_xp.random import Stream

# Kind, shape, and further arguments of a draw.
Wanted = tuple[Any, ...]
# Draws of these kinds have a dtype of their own; all others are floats.
_DTYPES = {"bernoulli": "bool", "integers": "int32"}


class CannotDraw(RuntimeError):
    """Random numbers are needed on the host while a step is captured."""


class Draws:
    """No random numbers: for all programs except that of training.

    Parameters
    ----------
    be : Backend
        Where the numbers are wanted.
    """

    def __init__(self, be: Backend) -> None:
        self.backend = be

    def stream(self, seed: int, name: str) -> Stream | None:
        """Return the stream for a kernel that draws by itself, or None."""
        return None

    def draw(self, key: str, seed: int, name: str, wanted: Wanted) -> Array:
        """Return the numbers that a call asks for."""
        raise InputError(
            "random numbers are for training only; a unit that asks for them must "
            "ask whether cx.training is true first"
        )


class HostDraws(Draws):
    """Draws when a unit asks, on the host where there is no kernel for that.

    Parameters
    ----------
    be : Backend
        Where the numbers are wanted.
    step : int
        Number of the step.
    """

    def __init__(self, be: Backend, step: Any) -> None:
        super().__init__(be)
        self.step = step

    def stream(self, seed: int, name: str) -> Stream:
        """Return the stream at this step."""
        return Stream(seed, name, self.step)

    def draw(self, key: str, seed: int, name: str, wanted: Wanted) -> Array:
        """Draw for this step."""
        return drawn(self.backend, seed, name, self.step, wanted)


class DeviceDraws(HostDraws):
    """Draws by kernels, at a step whose number is on the device.

    Parameters
    ----------
    be : Backend
        Where the numbers are wanted.
    step : array
        Number of the step, 0-d.
    """

    def draw(self, key: str, seed: int, name: str, wanted: Wanted) -> Array:
        """Draw for this step, or refuse where the host would have to."""
        if not has_implementation("draw", self.backend.name):
            raise CannotDraw(
                f"{key.partition('#')[0]} draws its random numbers on the host"
            )
        return super().draw(key, seed, name, wanted)


class GivenDraws(Draws):
    """Numbers that were drawn before a traced step, by key."""

    def __init__(self, be: Backend, given: dict[str, Array]) -> None:
        super().__init__(be)
        self.given = given

    def draw(self, key: str, seed: int, name: str, wanted: Wanted) -> Array:
        """Return the numbers of this key."""
        return self.given[key]


class AskedDraws(Draws):
    """Notes which numbers are asked for, and returns zeros.

    Attributes
    ----------
    asked : dict
        Seed, stream and what is wanted, by key.
    """

    def __init__(self, be: Backend) -> None:
        super().__init__(be)
        self.asked: dict[str, tuple[int, str, Wanted]] = {}

    def draw(self, key: str, seed: int, name: str, wanted: Wanted) -> Array:
        """Note the call."""
        self.asked[key] = seed, name, wanted
        be = self.backend
        return be.zeros(wanted[1], getattr(be.xp, dtype_of(be, wanted)))

    def at(self, step: int) -> dict[str, Array]:
        """Return the numbers that were asked for, as they are at a step."""
        be = self.backend
        return {
            key: drawn(be, seed, name, step, wanted)
            for key, (seed, name, wanted) in self.asked.items()
        }


def drawn(be: Backend, seed: int, name: str, step: int, wanted: Wanted) -> Array:
    """Return numbers of a stream on a backend, of the dtype of their kind."""
    return draw(be, Stream(seed, name, step), wanted)


@portable
def draw(be: Backend, stream: Stream, wanted: Wanted) -> Array:
    """Return random numbers: the host draws them, and they are moved.

    Parameters
    ----------
    be : Backend
        Where they are wanted.
    stream : Stream
        Its step may be a number on the device for an implementation.
    wanted : tuple
        Name of a method of the stream, shape, and further arguments.
    """
    kind, shape, *arguments = wanted
    numbers = getattr(stream, kind)(shape, *arguments)
    return be.asarray(numbers, dtype_of(be, wanted))


def dtype_of(be: Backend, wanted: Wanted) -> str:
    """Return the name of the dtype that numbers have on a backend."""
    return _DTYPES.get(wanted[0], be.dtype_name)


def values(seed: int, name: str, step: int, wanted: Wanted) -> Any:
    """Return numbers of a stream on the host: booleans, int32, or float64."""
    kind, shape, *arguments = wanted
    return getattr(Stream(seed, name, step), kind)(shape, *arguments)
