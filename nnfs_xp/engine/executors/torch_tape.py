"""A tape of PyTorch: the calls of a step, noted below autograd, to be replayed.

``TorchDispatchMode`` shows each call of PyTorch's kernels, whichever Python function
led to it. A view stays valid as long as its memory does, so it needs no call. A new
array is written to again, and everything else is repeated.
"""

from __future__ import annotations

import functools
import os
import warnings
from collections.abc import Callable, Iterator
from typing import Any

import torch
from torch.utils._python_dispatch import TorchDispatchMode

from nnfs_xp.engine.draws import Draws, HostDraws, Wanted, drawn

Call = Callable[[], Any]

# Tags of calls whose results may differ in the next step: other numbers, other shapes,
# or a value that Python has read.
_CHANGING = {
    getattr(torch.Tag, name)
    for name in (
        "data_dependent_output",
        "dynamic_output_shape",
        "nondeterministic_seeded",
    )
}
# It is tagged as seeded because of its dropout, which we never use.
_SEEDED_FOR_NOTHING = "_scaled_dot_product_flash_attention_for_cpu"
# Methods that write to an array, and functions with an `out` argument, that take half
# the time if they are called as such, not as operators.
_METHODS = {
    "add_", "addcmul_", "clamp_", "copy_", "div_", "exp_", "fill_", "log_", "mul_",
    "neg_", "relu_", "sqrt_", "sub_", "tanh_", "zero_",
}  # fmt: skip
_FUNCTIONS = {"_fused_adam_", "addmm", "div", "mm", "sum"}
# Memory that is there needs no call.
_EMPTY = {"empty", "empty_like", "empty_strided", "new_empty", "new_empty_strided"}
# How to write a function's result to an array, by the function and the form of its
# call.
_known: dict[Any, tuple[Callable[..., Any], str]] = {}


class TorchTape(TorchDispatchMode):
    """Notes the calls of a step that is taken inside of it.

    Parameters
    ----------
    known : iterable of tensor
        Arrays that a step may write to, and reads anew each time: its state and its
        batch.

    Attributes
    ----------
    calls : list of callable
        In order, without arguments.
    nbytes : int
        Memory of all results.
    why_not : str
        Why the step cannot be replayed; empty if it can.
    """

    def __init__(self, known: Any) -> None:
        super().__init__()
        _make_ready()
        self.calls: list[Call] = []
        self.nbytes = 0
        self.why_not = ""
        self._known = {_memory(tensor) for tensor in known}
        # Arguments of calls and what they write to, by memory.
        self._arguments: dict[int, dict[int, torch.Tensor]] = {}
        self._written: set[int] = set()
        self._pauses = False
        # Memory of a result must not be reused for another one.
        self._kept: list[torch.Tensor] = []

    @classmethod
    def _should_skip_dynamo(cls) -> bool:
        """Return that PyTorch need not import its compiler, which takes seconds."""
        return False

    def __torch_dispatch__(
        self, func: Any, types: Any, args: Any = (), kwargs: Any = None
    ) -> Any:
        """Make a call, and note it."""
        kwargs = kwargs or {}
        out = func(*args, **kwargs)
        if not self._pauses and not self.why_not:
            self._note(func, args, kwargs, out)
        return out

    def host(self, function: Callable[[], torch.Tensor]) -> torch.Tensor:
        """Return a function's result on the host, computed anew in every step."""
        self._pauses = True
        try:
            made = function()
        finally:
            self._pauses = False
        self._made(made)
        self.calls.append(lambda: made.copy_(function()))
        return made

    def made(self, tensor: torch.Tensor) -> bool:
        """Return whether a tensor lies in memory of a result."""
        return any(_memory(one) == _memory(tensor) for one in self._kept)

    def arguments_of(self, tensor: torch.Tensor) -> list[torch.Tensor] | None:
        """Return all arguments of calls that lie in the memory of a tensor.

        None if a call writes to it.
        """
        memory = _memory(tensor)
        if memory in self._written:
            return None
        return list(self._arguments.get(memory, {}).values())

    def _note(self, func: Any, args: Any, kwargs: Any, out: Any) -> None:
        name = func._schema.name.removeprefix("aten::")
        results = list(_tensors(out))
        if name == "index":
            # If it takes rows by their numbers, the shape is known.
            numbers = _tensors(args[1])
            changes = any(t.dtype in (torch.bool, torch.uint8) for t in numbers)
        else:
            changes = not _CHANGING.isdisjoint(func.tags)
            changes = changes and name != _SEEDED_FOR_NOTHING
        mutable = func._schema.is_mutable
        if changes or not (results or mutable):
            self.why_not = f"it calls {name} of PyTorch"
            return
        if mutable:
            written = list(_written(func, args, kwargs))
            if not all(_memory(tensor) in self._known for tensor in written):
                self.why_not = f"{name} of PyTorch writes to an array from elsewhere"
                return
            self._written.update(map(_memory, written))
            self._keep_arguments(args, kwargs)
            self.calls.append(_again(func, name, args, kwargs))
            return
        given = {_memory(tensor) for tensor in _tensors((args, kwargs))}
        if all(_memory(one) in given for one in results):
            return
        self._keep_arguments(args, kwargs)
        for one in results:
            self._made(one)
        if name not in _EMPTY:
            self.calls.append(_into(func, name, args, kwargs, out, results))

    def _keep_arguments(self, args: Any, kwargs: Any) -> None:
        for tensor in _tensors((args, kwargs)):
            self._arguments.setdefault(_memory(tensor), {})[id(tensor)] = tensor

    def _made(self, tensor: torch.Tensor) -> None:
        self._known.add(_memory(tensor))
        self._kept.append(tensor)
        self.nbytes += tensor.untyped_storage().nbytes()


@functools.cache
def _make_ready() -> None:
    """Let PyTorch import what its first such call needs, without side effects.

    That is a compiler, which sets a variable and adds a warnings filter.
    """
    name = "TORCHINDUCTOR_CACHE_DIR"
    was_set = name in os.environ
    with warnings.catch_warnings(), _Untouched():
        torch.empty(0)
    if not was_set:
        os.environ.pop(name, None)


class _Untouched(TorchDispatchMode):
    @classmethod
    def _should_skip_dynamo(cls) -> bool:
        return False

    def __torch_dispatch__(
        self, func: Any, types: Any, args: Any = (), kwargs: Any = None
    ) -> Any:
        return func(*args, **(kwargs or {}))


class NotedDraws(Draws):
    """Random numbers that are drawn anew at every step.

    Parameters
    ----------
    tape : TorchTape
    draws : HostDraws
        Knows the number of the step.
    """

    def __init__(self, tape: TorchTape, draws: HostDraws) -> None:
        super().__init__(draws.backend)
        self._tape, self._draws = tape, draws

    def draw(self, key: str, seed: int, name: str, wanted: Wanted) -> torch.Tensor:
        """Note that the host draws, and return the numbers of this step."""
        be, draws = self.backend, self._draws
        return self._tape.host(lambda: drawn(be, seed, name, draws.step, wanted))


def _again(func: Any, name: str, args: Any, kwargs: Any) -> Call:
    """Return a call that writes to its arguments."""
    if name in _METHODS:
        function = getattr(torch.Tensor, name)
    elif name in _FUNCTIONS and hasattr(torch, name):
        function = getattr(torch, name)
    else:
        function = _bare(func)
    return functools.partial(function, *args, **kwargs)


def _into(
    func: Any, name: str, args: Any, kwargs: Any, out: Any, results: list[torch.Tensor]
) -> Call:
    """Return a call that writes its results where they are now."""
    if name in ("clone", "_to_copy"):
        return functools.partial(torch.Tensor.copy_, out, args[0])
    if isinstance(out, torch.Tensor):
        given = {key: value for key, value in kwargs.items() if value is not None}
        kind = func, len(args), *given
        for way, target in [_known[kind]] if kind in _known else _ways(func, name):
            call = functools.partial(way, *args, **given, **{target: out})
            # Its arguments are still those that the result was just computed from.
            if kind in _known or _works(call, out):
                _known[kind] = way, target
                return call
    function = _bare(func)

    def call_and_copy() -> None:
        for one, new in zip(results, _tensors(function(*args, **kwargs)), strict=True):
            one.copy_(new)

    return call_and_copy


def _ways(func: Any, name: str) -> Iterator[tuple[Callable[..., Any], str]]:
    """Yield functions that might write a call's result, with the argument for it."""
    function = getattr(torch, name, None)
    if function is not None:
        yield function, "out"
    packet = func.overloadpacket
    for other in (getattr(packet, one) for one in packet.overloads()):
        schema = other._schema
        if schema.is_mutable and not schema.name.endswith("_"):
            yield _bare(other), schema.arguments[-1].name


def _works(call: Call, out: torch.Tensor) -> bool:
    """Return whether a call writes to an array in its place."""
    before = out.data_ptr(), out.shape, out.stride()
    try:
        call()
    except (RuntimeError, TypeError):
        return False
    return before == (out.data_ptr(), out.shape, out.stride())


def _bare(func: Any) -> Callable[..., Any]:
    """Return an operator below its wrapper in Python, if that can be."""
    return getattr(func, "_op", func)


def _written(func: Any, args: Any, kwargs: Any) -> Iterator[torch.Tensor]:
    """Yield the arguments that a call writes to."""
    for number, argument in enumerate(func._schema.arguments):
        if argument.alias_info is not None and argument.alias_info.is_write:
            given = args[number] if number < len(args) else kwargs.get(argument.name)
            yield from _tensors(given)


def _tensors(tree: Any) -> Iterator[torch.Tensor]:
    if isinstance(tree, torch.Tensor):
        yield tree
    elif isinstance(tree, (tuple, list)):
        for one in tree:
            yield from _tensors(one)
    elif isinstance(tree, dict):
        yield from _tensors(list(tree.values()))


def _memory(tensor: torch.Tensor) -> int:
    return tensor.untyped_storage().data_ptr()
