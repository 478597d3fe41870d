"""Kernels of a step that is recorded.

A kernel that plans its call is noted as that call. For all others, the calls inside are
noted. If such a kernel reads a value, which is then not allowed, it is noted as one
call whose results are copied.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from nnfs_xp.engine.recording.noted import Noted
from nnfs_xp.engine.recording.tape import Call, Planned, address_of, places_in
from nnfs_xp.engine.recording.trees import noted_in, placed, values
from nnfs_xp.engine.recording.walks import mapped

# Kernels that read values.
_WHOLE: set[Any] = set()


class MadeWhole(BaseException):
    """A kernel turns out to read values, so the recording must start again."""


class Kernels:
    """The part of `Recorder` for portable functions."""

    plain: Any
    backend: Any
    calls: list[Call]
    new: Callable[..., Noted]
    view: Callable[..., Noted]

    def kernel(
        self, function: Callable[..., Any], reference: Any, arguments: tuple[Any, ...]
    ) -> Any:
        """Call a portable function: as one call if it plans that, or if it must."""
        planned = getattr(function, "planned", None)
        if planned is not None:
            found = self._planned(planned, arguments)
            if found is not NotImplemented:
                return found
        if function in _WHOLE:
            return self._whole(function, reference, arguments)
        try:
            found = function(self.backend, *arguments)
        except Exception as error:
            _WHOLE.add(function)
            raise MadeWhole from error
        if found is not NotImplemented:
            return found
        if reference in _WHOLE:
            return self._whole(reference, reference, arguments)
        return reference(self.backend, *arguments)

    def _planned(self, planned: Any, arguments: tuple[Any, ...]) -> Any:
        """Note a kernel that makes its call itself."""
        fresh: list[Noted] = []

        def new(shape: Any, dtype: Any) -> np.ndarray:
            fresh.append(self.new(np.empty(shape, dtype)))
            return fresh[-1].array

        found = planned(self.plain, new, *values(arguments))
        if found is NotImplemented:
            return found
        results, call = found
        call()

        def make(new: Any, *arrays: Any) -> Any:
            return planned(self.plain, new, *arrays)

        made = Planned(make, placed(arguments))
        made.new = [one.place for one in fresh]
        # It may write to any of its arguments, as kernels may.
        given = list(places_in(made.arguments))
        written = [*given, *made.new]
        self.calls.append(Call(planned, [], {}, given, written, planned=made))
        return self._results(results, [*fresh, *noted_in(arguments)])

    def _results(self, tree: Any, sources: list[Noted]) -> Any:
        """Return a tree of arrays, all in memory of these sources, as noted ones."""

        def noted(array: np.ndarray) -> Any:
            for source in sources:
                if _lies_in(array, source):
                    return self.view(source, array)
            return array

        return mapped(tree, np.ndarray, noted)

    def _whole(self, function: Any, reference: Any, arguments: tuple[Any, ...]) -> Any:
        """Note a kernel as one call, whose results are copied."""

        def compute(*arrays: Any) -> Any:
            found = function(self.plain, *arrays)
            return reference(self.plain, *arrays) if found is NotImplemented else found

        sources = list(noted_in(arguments))
        fresh: list[Noted] = []

        def noted(result: Any) -> Noted:
            for source in sources:
                if isinstance(result, np.ndarray) and _lies_in(result, source):
                    return self.view(source, result)
            fresh.append(self.new(result))
            return fresh[-1]

        computed = compute(*values(arguments))
        results = mapped(computed, (np.ndarray, np.generic), noted)
        shape = placed(results)
        given = list(places_in(placed(arguments)))
        into = [one.place for one in fresh]
        self.calls.append(
            Call(
                store_all, [compute, placed(arguments), shape, into], {},
                given, [*given, *into],
            )
        )  # fmt: skip
        return results


def store_all(compute: Any, arguments: Any, results: Any, into: list[Any]) -> None:
    """Write those results of a kernel that are new arrays to arrays."""
    targets = {id(one) for one in into}

    def write(found: Any, wanted: Any) -> None:
        if id(wanted) in targets:
            wanted[...] = found
        elif type(wanted) in (tuple, list):
            for one, other in zip(found, wanted, strict=True):
                write(one, other)
        elif type(wanted) is dict:
            for key, other in wanted.items():
                write(found[key], other)

    write(compute(*arguments), results)


def _lies_in(array: np.ndarray, source: Noted) -> bool:
    """Return whether an array lies in the memory of a noted one."""
    memory = source.memory
    return 0 <= address_of(array) - memory.address < max(memory.size, 1)
