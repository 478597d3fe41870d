"""Contexts: all that a unit may use besides its own settings.

Units are given one as ``cx`` in ``fwd(cx, x)`` and ``bwd(cx, residuals, dy)``. It is
how the same lines run on arrays that are written to in place, in a function that JAX
traces, and in a captured CUDA graph.
"""

from __future__ import annotations

import contextlib
import dataclasses
from collections.abc import Mapping
from typing import Any

from nnfs_xp.backends import Array, Backend
from nnfs_xp.engine.copies import copy_arrays
from nnfs_xp.engine.draws import Draws, Stream
from nnfs_xp.engine.network import Node
from nnfs_xp.errors import InputError
from nnfs_xp.kernels import has_implementation
from nnfs_xp.registry import is_of_library

Shape = tuple[int, ...]


class Pass:
    """What all contexts of one program share during a pass.

    Attributes
    ----------
    written : set of str
        Paths of the gradients that were written in this pass.
    pending : dict of str to array
        New values of buffers, which take effect when the step is complete.
    calls : dict of str to int
        How often each stream of random numbers was used.
    gradients, buffers : dict of str to array
    draws : Draws
        Where random numbers come from.
    copies_at_once : bool
        Whether a kernel copies several gradients to their slots in one launch.
    fork : Fork or None
        Where an executor has one, a second branch of the step, which computes gradients
        of parameters; see `nnfs_xp.engine.executors.cuda_fork`.
    """

    def __init__(self, be: Backend, fork: Any = None) -> None:
        self.written: set[str] = set()
        self.pending: dict[str, Array] = {}
        self.calls: dict[str, int] = {}
        self.gradients: dict[str, Array] = {}
        self.buffers: Mapping[str, Array] = {}
        self.draws = Draws(be)
        self.fork = fork
        self.be = be
        self.copies_at_once = be.in_place and has_implementation("copy_arrays", be.name)
        self._copies: dict[int, tuple[Array, Array]] = {}

    def begin(self, draws: Draws) -> None:
        """Forget the pass before, and draw from this source."""
        self.written.clear()
        self.pending.clear()
        self.calls.clear()
        self._copies.clear()
        self.gradients = {}
        self.draws = draws

    def copy_later(self, slot: Array, value: Array) -> None:
        """Write a value that stays as it is to a slot, with others in one launch."""
        self._copies[id(slot)] = slot, value

    def copy_now(self, slot: Array | None = None) -> None:
        """Write everything that is pending, if there is something for this slot."""
        self.join()
        if self._copies and (slot is None or id(slot) in self._copies):
            targets, values = map(list, zip(*self._copies.values(), strict=True))
            self._copies.clear()
            copy_arrays(self.be, targets, values)

    def join(self) -> None:
        """Let what follows come after everything that was computed in a fork."""
        if self.fork is not None:
            self.fork.join()


class Gradients:
    """Slots for the gradients of one unit's parameters, by the parameters' names.

    The first write of a pass stores the gradient, and further ones add to it, so a unit
    that is called twice, or stands in two places, gets the sum. Gradients of frozen
    parameters are dropped.
    """

    def __init__(self, run: Pass, node: Node) -> None:
        self._run, self._shapes = run, {n: p.shape for n, p in node.parameters.items()}
        # A user's unit may later change an array that it has written.
        own = is_of_library(type(node.unit))
        self._copies_later = own and run.copies_at_once
        # Those of the library have the dtype of the model.
        self._casts = not own
        # None for a frozen parameter.
        self._paths: dict[str, Any] = {
            n: node.key(n) if node.trainable else None for n in self._shapes
        }
        # Arrays to write to, where a program has them.
        self.slots: dict[str, Array] = {}

    def out(self, name: str) -> Array | None:
        """Return an array that a product may be written to directly, or None."""
        if self._paths[name] in self._run.written:
            return None
        return self.slots.get(name)

    def beside(self, *operands: Array) -> contextlib.AbstractContextManager[Any]:
        """Return a context in which gradients are computed beside what follows it.

        What is computed there must be written to these slots, after the context, and
        used for nothing else. The operands must stay as they are for the rest of the
        pass.
        """
        fork = self._run.fork
        return contextlib.nullcontext() if fork is None else fork.beside(*operands)

    def __setitem__(self, name: str, value: Array) -> None:
        written, slot = self._run.written, self.slots.get(name)
        if self._casts:
            value = in_dtype(self._run.be, value)
        # A product that was written directly to the slot has its shape.
        if value is not slot or slot is None:
            self._check(name, value)
            path = self._paths[name]
            if path is None:
                return
            if not self._copies_later or path in written:
                self._run.join()
            if slot is None:
                found = self._run.gradients
                found[path] = found[path] + value if path in written else value
            elif path in written:
                self._run.copy_now(slot)
                slot += value
            elif self._copies_later:
                self._run.copy_later(slot, value)
            else:
                slot[...] = value
        written.add(self._paths[name])

    def _check(self, name: str, value: Array) -> None:
        wanted = self._shapes.get(name)
        if wanted is None:
            raise InputError(
                f"bwd writes a gradient of {name!r}, which is not a parameter"
            )
        if tuple(value.shape) != wanted:
            raise InputError(
                f"the gradient of {self._paths[name] or name} must have shape "
                f"{wanted}, got {tuple(value.shape)}"
            )


class Buffers:
    """Buffers of one unit, which are kept but not trained, by name.

    A read gives the value from before the step, or the one that this pass has written.
    Writes take effect when the step is complete.
    """

    def __init__(self, run: Pass, node: Node) -> None:
        self._run, self._paths = run, {name: node.key(name) for name in node.buffers}

    def __getitem__(self, name: str) -> Array:
        path, run = self._paths[name], self._run
        return run.pending[path] if path in run.pending else run.buffers[path]

    def __setitem__(self, name: str, value: Array) -> None:
        path, run = self._paths[name], self._run
        wanted = tuple(run.buffers[path].shape)
        if tuple(value.shape) != wanted:
            raise InputError(
                f"{path} must have shape {wanted}, got {tuple(value.shape)}"
            )
        run.pending[path] = value


class Random:
    """Random numbers of one unit, from the stream of seed, path and step.

    They are the same on every backend, and after saving and resuming.
    Each call of a pass has a stream of its own.
    """

    def __init__(self, run: Pass, path: str, seed: int, stream: str) -> None:
        # Path is the unit's own name for its draws; two may share seed and stream.
        self._run, self._path = run, path
        self._seed, self._stream = seed, stream

    def bernoulli(self, shape: Shape, probability: float) -> Array:
        """Return booleans that are True with a probability."""
        return self._draw(*self._next(), "bernoulli", shape, probability)

    def integers(self, shape: Shape, count: int) -> Array:
        """Return integers from 0 to ``count - 1``, int32."""
        return self._draw(*self._next(), "integers", shape, count)

    def uniform(self, shape: Shape) -> Array:
        """Return floats of [0, 1)."""
        return self._draw(*self._next(), "uniform", shape)

    def normal(self, shape: Shape) -> Array:
        """Return floats of the standard normal distribution."""
        return self._draw(*self._next(), "normal", shape)

    def bernoulli_or_stream(self, shape: Shape, probability: float) -> Array | Stream:
        """Return booleans, or the stream that a kernel draws them from."""
        key, name = self._next()
        stream = self._run.draws.stream(self._seed, name)
        if stream is not None:
            return stream
        return self._draw(key, name, "bernoulli", shape, probability)

    def _next(self) -> tuple[str, str]:
        """Return key and stream of the next call."""
        calls = self._run.calls
        number = calls.get(self._path, 0)
        calls[self._path] = number + 1
        name = f"{self._stream}#{number}" if number else self._stream
        return f"{self._path}#{number}", name

    def _draw(self, key: str, name: str, kind: str, shape: Shape, *rest: float) -> Any:
        return self._run.draws.draw(key, self._seed, name, (kind, tuple(shape), *rest))


# Without slots: torch.compile makes contexts inside a trace.
@dataclasses.dataclass(eq=False, repr=False)
class Context:
    """Everything that a unit sees while it computes.

    Attributes
    ----------
    be : Backend
        Where it computes.
    xp : module
        The backend's Array API namespace.
    params : dict of str to array
        The unit's parameters by name.
    buffers : Buffers
        State that is kept but not trained: slots to read and to write.
    grads : Gradients
        Slots to write the gradients of its parameters to.
    training : bool
        Whether this is training; a fact of the program, not of the data.
    learns : bool
        Whether any parameter of the unit, or of a unit inside, is trained.
    needs_dx : bool
        Whether anyone needs the gradient of the inputs. If not, ``bwd`` may return
        anything.
    keeps : bool
        Whether residuals will be used.
    random : Random
        Random numbers for training.
    across : Across or None
        If several ranks share the batch, what they compute together, for units that are
        ``synchronized``; see ``nnfs_xp/engine/ranks``.
    children : dict of str to Context
        Those of the units inside, also as ``cx[name]``.

    Examples
    --------
    >>> from nnfs_xp import Dense, Layer
    >>> class Residual(Layer):
    ...     def __init__(self, inner):
    ...         super().__init__()
    ...         self.children = {"inner": inner}
    ...     def fwd(self, cx, x):
    ...         y, kept = cx["inner"].fwd(x)
    ...         return x + y, kept
    ...     def bwd(self, cx, kept, dy):
    ...         return dy + cx["inner"].bwd(kept, dy)
    >>> Residual(Dense(2, 2)).forward([[1.0, 2.0]]).shape
    (1, 2)
    """

    unit: Any
    be: Backend
    _: dataclasses.KW_ONLY
    path: str = ""
    grads: Any = None
    buffers: Any = None
    random: Any = None
    across: Any = None
    training: bool = False
    learns: bool = False
    needs_dx: bool = True
    keeps: bool = True

    def __post_init__(self) -> None:
        self.xp = self.be.xp
        self.params: dict[str, Array] = {}
        self.children: dict[str, Context] = {}

    def __getitem__(self, name: str) -> Context:
        return self.children[name]

    def fwd(self, x: Any) -> tuple[Any, Any]:
        """Call ``fwd`` of the unit: return its output, and its residuals."""
        return self.unit.fwd(self, x)

    def bwd(self, residuals: Any, dy: Any) -> Any:
        """Call ``bwd`` of the unit: return the gradient of its inputs."""
        return self.unit.bwd(self, residuals, dy)


class OwnContext(Context):
    """Of a unit of a user's own, whose results get the dtype of the model.

    NumPy's float64 numbers, for example, make a float64 array of a float32 one.
    """

    def fwd(self, x: Any) -> tuple[Any, Any]:
        """Call ``fwd`` of the unit: return its output, and its residuals."""
        y, residuals = super().fwd(x)
        return in_dtype(self.be, y), residuals

    def bwd(self, residuals: Any, dy: Any) -> Any:
        """Call ``bwd`` of the unit: return the gradient of its inputs."""
        return in_dtype(self.be, super().bwd(residuals, dy))


def in_dtype(be: Backend, value: Any) -> Any:
    """Return an array, or each of a tuple, in the dtype of the backend if of floats."""
    if isinstance(value, tuple):
        return tuple(in_dtype(be, item) for item in value)
    dtype = getattr(value, "dtype", be.dtype)
    if dtype == be.dtype or not be.xp.isdtype(dtype, "real floating"):
        return value
    return be.xp.astype(value, be.dtype)


class RecordingContext(Context):
    """Stores with each unit what passes through it, as the book's layers do.

    Every unit inside a block therefore has ``.inputs``, ``.output`` and ``.dinputs``.
    """

    def fwd(self, x: Any) -> tuple[Any, Any]:
        """Call ``fwd``, and store inputs, output and residuals with the unit."""
        unit = self.unit
        unit.inputs = x
        unit.output, unit._residuals = unit.fwd(self, x)
        return unit.output, unit._residuals

    def bwd(self, residuals: Any, dy: Any) -> Any:
        """Call ``bwd``, and store the gradient of the inputs with the unit."""
        self.unit.dinputs = self.unit.bwd(self, residuals, dy)
        return self.unit.dinputs
