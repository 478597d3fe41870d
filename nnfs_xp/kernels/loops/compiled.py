"""Machine code of the loops: compiled by numba once, and loaded without it.

numba takes half a second to be imported and set up, and llvmlite, which it stands on, a
tenth of that. So machine code is kept, in a file for each loop, precision and
activation, and in a folder named after all that it depends on. Files are beside this
package where that can be written to, as those of numba are, else in the user's cache;
``NUMBA_CACHE_DIR`` names another folder. Without any of them, and where a file is
damaged, a loop is compiled anew.
"""

from __future__ import annotations

import ctypes
import functools
import hashlib
import importlib.metadata
import inspect
import json
import os
import re
import struct
import threading
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from types import FunctionType
from typing import Any

from nnfs_xp.io.atomic import atomic_write
from nnfs_xp.kernels import constants
from nnfs_xp.kernels.loops import source

# How each kind of argument lies in the block of 8 bytes each that a loop is given.
_SLOTS = {
    "Count": "q", "Real": "d", "Double": "d", "Reals": "Q", "Ints": "Q", "Longs": "Q",
}  # fmt: skip
# What machine code may call: functions of C that every process has.
_OF_C = {
    "exp", "expf", "expm1", "log", "log1p", "logf", "memcpy", "memmove", "memset",
    "sqrt", "sqrtf", "tanh",
}  # fmt: skip
# Loops cannot raise: what numba adds for errors, which calls these, is never reached.
_OF_ERRORS = "Py", "_Py", "NRT_", "numba_"
_DECLARED = re.compile(r"^declare ([^@\n]*?)@(\w+)(\([^\n]*?\))[^\n]*$", re.MULTILINE)
# Sums may be added up in any order; elsewhere a product and a sum may be one operation.
_FAST = {name: {"contract", "reassoc"} for name in ("row_sum", "row_dot")}
_RECURSIVE = {"numpy_sum"}

# No functions that Python could call.
_PARTS_ALONE = {"no_cpython_wrapper": True, "no_cfunc_wrapper": True}

# As they are when they are imported.
_TEXTS = [
    Path(file).read_text(encoding="utf-8")
    for file in (source.__file__, constants.__file__, __file__)
]

_lock = threading.RLock()
# Why loops cannot be compiled, once that was tried.
_why_not: list[str] = []


class CannotCompileError(Exception):
    """There is no loop, and there will be none in this process."""


@functools.cache
def loop(name: str, dtype: str, activation: str = "relu") -> tuple[Any, struct.Struct]:
    """Return a loop of `source`, and the layout of the block of its arguments.

    Parameters
    ----------
    name : str
        Name of the loop.
    dtype : {"float32", "float64"}
    activation : str
        Name of the parts that replace ``forward`` and ``gradient``.

    Returns
    -------
    function
        Of ctypes; takes the block as bytes.
    layout : struct.Struct
        Packs counts, numbers and addresses into a block.

    Raises
    ------
    CannotCompileError
        If numba, or LLVM, cannot do it here.
    """
    layout = struct.Struct("".join(_SLOTS[kind] for kind in _kinds(name)))
    with _lock:
        if _why_not:
            raise CannotCompileError(_why_not[0])
        try:
            function = _found_or_built(name, dtype, activation)
        except Exception as error:
            # Whatever ails a compiler, NumPy computes the same.
            _why_not.append(f"{type(error).__name__}: {error}")
            raise CannotCompileError(_why_not[0]) from error
    return function, layout


def is_in_use() -> bool:
    """Return whether there is a loop in this process."""
    return bool(loop.cache_info().currsize)


def why_not() -> str:
    """Return why no loop can be compiled, nothing as long as that is not known."""
    return _why_not[0] if _why_not else ""


def _found_or_built(name: str, dtype: str, activation: str) -> Any:
    kept = _kept(name, dtype, activation)
    function = kept and _loaded(*kept)
    if function:
        return function
    built = _built(name, dtype, activation)
    _keep(name, dtype, activation, *built)
    function = _loaded(*built)
    if not function:
        raise OSError(f"this process lacks one of {built[0]['calls']}")
    return function


def _kinds(name: str) -> list[str]:
    return [p.annotation for p in _parameters(name)]


def _parameters(name: str) -> list[inspect.Parameter]:
    return list(inspect.signature(getattr(source, name)).parameters.values())


# Files.


def _kept(
    name: str, dtype: str, activation: str
) -> tuple[dict[str, Any], bytes] | None:
    """Return what was kept of a loop, None if there is nothing, or nothing sound."""
    for folder in _folders():
        try:
            head, _, code = (
                (folder / _file(name, dtype, activation)).read_bytes().partition(b"\n")
            )
            about = json.loads(head)
            if about["sha256"] == hashlib.sha256(code).hexdigest():
                return about, code
        except (OSError, ValueError, LookupError, TypeError):
            continue
    return None


def _keep(
    name: str, dtype: str, activation: str, about: dict[str, Any], code: bytes
) -> None:
    """Write a loop to the first folder that can be written to."""
    about = {**about, "sha256": hashlib.sha256(code).hexdigest()}
    for folder in _folders():
        try:
            folder.mkdir(parents=True, exist_ok=True)
            with atomic_write(folder / _file(name, dtype, activation)) as file:
                file.write(json.dumps(about).encode() + b"\n" + code)
            return
        except OSError:
            continue


def _file(name: str, dtype: str, activation: str) -> str:
    return f"{name}-{activation}-{dtype}.loop"


def _folders() -> Iterator[Path]:
    """Yield where files may be, in the order in which to look."""
    given = os.environ.get("NUMBA_CACHE_DIR")
    if given:
        yield Path(given, "nnfs_xp", _key())
        return
    yield Path(__file__).with_name("__pycache__") / _key()
    base = os.environ.get("XDG_CACHE_HOME") or os.path.join("~", ".cache")
    yield Path(base, "nnfs_xp", "loops", _key()).expanduser()


@functools.cache
def _key() -> str:
    """Return a name for all that machine code depends on."""
    llvm = _llvm()
    depends = (
        *_TEXTS,
        *(importlib.metadata.version(name) for name in ("numba", "llvmlite", "numpy")),
        llvm.get_process_triple(), *_processor(),
    )  # fmt: skip
    return hashlib.sha256("\n".join(depends).encode()).hexdigest()[:20]


# Machine code.


@functools.cache
def _llvm() -> Any:
    import llvmlite.binding as llvm

    llvm.initialize_native_target()
    llvm.initialize_native_asmprinter()
    return llvm


def _processor() -> tuple[str, str]:
    llvm = _llvm()
    return llvm.get_host_cpu_name(), llvm.get_host_cpu_features().flatten()


@functools.cache
def _target() -> Any:
    cpu, features = _processor()
    target = _llvm().Target.from_default_triple()
    return target.create_target_machine(cpu=cpu, features=features, opt=3, jit=True)


@functools.cache
def _engine() -> Any:
    llvm = _llvm()
    return llvm.create_mcjit_compiler(llvm.parse_assembly(""), _target())


def _loaded(about: dict[str, Any], code: bytes) -> Any:
    """Return machine code as a function, None if this process lacks what it calls."""
    llvm = _llvm()
    if not all(llvm.address_of_symbol(name) for name in about["calls"]):
        return None
    engine = _engine()
    engine.add_object_file(llvm.ObjectFileRef.from_data(code))
    engine.finalize_object()
    address = engine.get_function_address(about["symbol"])
    return ctypes.CFUNCTYPE(None, ctypes.c_char_p)(address)


def _built(name: str, dtype: str, activation: str) -> tuple[dict[str, Any], bytes]:
    """Compile a loop, and return what to know of it, and its machine code."""
    llvm = _llvm()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        function = _compiled(name, dtype, activation)
    calls = []

    def defined(found: re.Match[str]) -> str:
        kind, called, arguments = found.groups()
        if called in _OF_C:
            calls.append(called)
        if called in _OF_C or called.startswith("llvm"):
            return found[0]
        if not called.startswith(_OF_ERRORS):
            raise RuntimeError(f"the loop {name} calls {called}")
        return f"define internal {kind}@{called}{arguments} {{ unreachable }}"

    text = _DECLARED.sub(defined, function.inspect_llvm())
    if ".numba.unresolved" in text:
        raise RuntimeError(f"the loop {name} has parts that numba connects later")
    # Files of several loops may hold the same part.
    text = text.replace("define linkonce_odr ", "define internal ")
    code = _target().emit_object(llvm.parse_assembly(text))
    return {"symbol": function.native_name, "calls": calls}, code


def _compiled(name: str, dtype: str, activation: str) -> Any:
    import numba
    import numpy as np
    from numba import types

    real = getattr(types, dtype)
    options: dict[str, Any] = {"error_model": "numpy", "fastmath": {"contract"}}
    parts = dict(vars(source), real=getattr(np, dtype))

    def own(function: Any) -> Any:
        """Return a function that sees these parts."""
        return FunctionType(function.__code__, parts, function.__name__)

    for part, function in vars(source).items():
        if isinstance(function, FunctionType):
            fast = {**options, "fastmath": _FAST.get(part, options["fastmath"])}
            # LLVM takes some for too long, and would call them for each element.
            fast["forceinline"] = part not in _RECURSIVE
            parts[part] = numba.njit(**fast, **_PARTS_ALONE)(own(function))
    for part in ("exp", "log1p", "tanh", "erfcx"):
        parts[part] = parts[f"{part}_{dtype}"]
    parts["forward"] = parts[f"{activation}_forward"]
    parts["gradient"] = parts.get(activation)

    pointers = {"Reals": real, "Ints": types.int32, "Longs": types.int64}
    casts: dict[str, str] = {"Count": "{}", "Real": "real(number({}))"}
    casts["Double"] = "number({})"
    for kind, pointed in pointers.items():
        parts[f"as_{kind}"], casts[kind] = _pointer_to(pointed), f"as_{kind}({{}})"
    given = ", ".join(
        casts[kind].format(f"block[{slot}]") for slot, kind in enumerate(_kinds(name))
    )
    parts["number"] = numba.njit(
        lambda bits: np.int64(bits).view(np.float64), **_PARTS_ALONE
    )
    exec(f"def {name}_of_block(block): loop({given})", parts)
    parts["loop"] = parts[name]
    signature = types.void(types.CPointer(types.int64))
    return numba.cfunc(signature, **options)(parts[f"{name}_of_block"])


def _pointer_to(pointed: Any) -> Callable[..., Any]:
    """Return what makes an address a pointer, in a loop."""
    from numba import types
    from numba.extending import intrinsic

    @intrinsic
    def pointer(context: Any, address: Any) -> Any:
        signature = types.CPointer(pointed)(types.int64)

        def code(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
            kind = context.get_value_type(signature.return_type)
            return builder.inttoptr(arguments[0], kind)

        return signature, code

    return pointer
