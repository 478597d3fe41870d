"""A training step of a small classifier in three kernels; ``cuda/dense_step/step.cu``.

It computes what ``train_step`` does, for networks of three dense layers with ReLU, ReLU
and softmax with cross-entropy, and plain SGD or Adam. The gradients of the weights are
never in memory.
"""

from __future__ import annotations

import dataclasses
import functools
import math
from collections.abc import Callable
from typing import Any

import numpy as np

from nnfs_xp.errors import KernelCompileError
from nnfs_xp.kernels.cupy.elsewhere import Elsewhere
from nnfs_xp.kernels.cupy.launch import empty
from nnfs_xp.kernels.cupy.module import FOLDER
from nnfs_xp.kernels.registry import implements_step
from nnfs_xp.registry import UNITS, is_exactly

# The second kernel reads its weights once for each row, so they must be few.
MOST_HIDDEN, MOST_CLASSES, MOST_INPUTS = 256, 256, 4096
# Rows of a batch times features; kernels count in 32 bits.
_MOST_ROWS = 2**16
_SAMPLES = {"float32": "float", "uint8": "unsigned char"}
_LABELS = {"int32": "int", "int64": "long long"}
KERNELS = ("dense_step_first", "dense_step_rest", "dense_step_update")
# In the order in which the compiler must see them.
_HEADERS = ("common.cuh", "functors.cuh", "reductions.cuh", "rules.cuh")

_BATCH = np.dtype(
    [
        ("samples", np.uint64),
        ("labels", np.uint64),
        ("order", np.uint64),
        ("table", np.uint64),
        ("n_rows", np.int32),
        ("size", np.int32),
        ("scale", np.float32),
        ("offset", np.float32),
    ],
    align=True,
)
_OPTIMIZER = np.dtype(
    [
        ("learning_rate", np.uint64),
        ("m", np.uint64),
        ("v", np.uint64),
        *((n, np.float64) for n in ("beta_1", "log_beta_1", "beta_2", "log_beta_2")),
        ("epsilon", np.float64),
        ("nesterov", np.bool_),
    ],
    align=True,
)
_STATISTICS = np.dtype([(f"slot_{i}", np.uint64) for i in range(8)], align=True)


@dataclasses.dataclass(frozen=True)
class Shape:
    """What the kernels are compiled for.

    Attributes
    ----------
    sizes : tuple of int
        Features, neurons of both hidden layers, classes.
    sample, label : str
        dtypes of the data.
    rescaled : bool
        Whether samples are rescaled as they are gathered.
    rule : int
        Of the optimizer: 0 plain descent, 1 momentum, 2 Adam.
    """

    sizes: tuple[int, int, int, int]
    sample: str = "float32"
    label: str = "int32"
    rescaled: bool = False
    rule: int = 2

    @property
    def options(self) -> tuple[str, ...]:
        """Options of the compiler."""
        names = ("INPUTS", "HIDDEN_1", "HIDDEN_2", "CLASSES")
        constants: dict[str, Any] = dict(zip(names, self.sizes, strict=True))
        constants |= {
            "REAL": "float",
            "SAMPLE": _SAMPLES[self.sample],
            "LABEL": _LABELS[self.label],
            "RESCALED": int(self.rescaled),
            "RULE": self.rule,
        }
        return "-std=c++17", *(f"-D{k}={v}" for k, v in constants.items())

    @property
    def tiles(self) -> int:
        """Blocks of the third kernel that each update a tile of a layer."""
        pairs = zip(self.sizes[:-1], self.sizes[1:], strict=True)
        return sum(-(-(n + 1) // 32) * -(-k // 32) for n, k in pairs)


def source() -> str:
    """Return the kernels as one text, with the headers that they use."""
    files = [*(FOLDER / name for name in _HEADERS), FOLDER / "dense_step" / "step.cu"]
    return "\n".join(f'#line 1 "{f.name}"\n{f.read_text()}' for f in files)


@functools.cache
def _kernels(shape: Shape) -> list[Any]:
    import cupy

    try:
        module = cupy.RawModule(code=source(), options=shape.options)
        return [module.get_function(name) for name in KERNELS]
    except Exception as error:
        reason = " ".join(f"{type(error).__name__}: {error}".split())
        raise KernelCompileError(
            f"the step in three kernels cannot be compiled for {shape}: {reason} "
            "(NNFS_XP_KERNELS=no_dense_step computes without it)"
        ) from error


@implements_step("cupy")
def dense_step(network: Any, rows: Any, state: Any) -> Callable[[], None] | str:
    """Return what takes the step, or why it is not one for these kernels."""
    reason = _why_not_network(network) or _why_not_data(rows)
    if reason:
        return reason
    sizes = _sizes(network)
    (x, y, _), order = rows.sources
    optimizer, slots = network.optimizer, state["optimizer"]
    is_adam = is_exactly(optimizer, UNITS["optimizer"]["Adam"])
    rescale = rows.gather.rescale
    shape = Shape(
        sizes,
        x.dtype.name,
        y.dtype.name,
        rescale is not None,
        2 if is_adam else int(optimizer.momentum > 0),
    )
    first, rest, update = _kernels(shape)
    size: int = rows.size
    factors = rescale or (1.0, 0.0)
    if isinstance(x, Elsewhere):
        found: tuple[int, ...] = 0, 0, 0, x.table.data.ptr, 0
    else:
        order_at = 0 if order is None else order.data.ptr
        found = x.data.ptr, y.data.ptr, order_at, 0, len(x)
    batch = np.array((*found, size, *factors), _BATCH)[()]
    rule = _rule(optimizer, slots, is_adam)
    statistics = _statistics(network, state)
    parameters = state["parameters"]["flat"]
    *hidden, classes = sizes[1:]

    def take() -> None:
        note = empty((2,), "int32")
        y1, y2 = (empty((size, k), "float32") for k in hidden)
        dz1, dz2, dz3 = (empty((size, k), "float32") for k in (*hidden, classes))
        losses, hits = (empty((size,), "float32") for _ in range(2))
        counters = state["row"], slots["step"]
        first(
            (-(-size // 8), -(-hidden[0] // 16)), (512,),
            (batch, *counters, note, parameters, y1),
        )  # fmt: skip
        rest(
            (size,), (512,),
            (batch, *counters, note, parameters, y1, y2, dz3, dz2, dz1, losses, hits),
        )  # fmt: skip
        update(
            (shape.tiles + 1,), (256,),
            (batch, note, rule, parameters, y1, y2, dz1, dz2, dz3, losses, hits,
             statistics),
        )  # fmt: skip

    return take


def _rule(optimizer: Any, slots: Any, is_adam: bool) -> Any:
    """Return struct Optimizer of the source."""

    def at(name: str) -> int:
        return slots[name]["flat"].data.ptr if name in slots else 0

    rate = slots["learning_rate"].data.ptr
    if not is_adam:
        kept, nesterov = optimizer.momentum, optimizer.nesterov
        given = rate, 0, at("velocity"), kept, 0.0, 0.0, 0.0, 0.0, nesterov
    else:
        betas = [
            number
            for beta in (optimizer.beta_1, optimizer.beta_2)
            # Its exponential is right for 0, too.
            for number in (beta, math.log(beta) if beta else -math.inf)
        ]
        moments = at("moment_1"), at("moment_2")
        given = rate, *moments, *betas, optimizer.epsilon, False
    return np.array(given, _OPTIMIZER)[()]


def _statistics(network: Any, state: Any) -> Any:
    """Return struct Statistics of the source."""
    totals, batch = state["totals"], state["batch"]
    pairs = [(totals, "loss"), (totals, "count"), (batch, "loss"), (batch, "count")]
    for metric in network.metrics:
        for slots in (totals["metrics"], batch["metrics"]):
            pairs += [(slots[metric.name], name) for name in ("correct", "count")]
    found = [slots[key].data.ptr for slots, key in pairs]
    return np.array((*found, *[0] * (8 - len(found))), _STATISTICS)[()]


def _why_not_network(network: Any) -> str:
    be, layer = network.backend, UNITS["layer"]
    if be.dtype_name != "float32" or be.matmul_precision != "full":
        return "its kernels are for float32 in full precision"
    if not is_exactly(network.root, layer["Sequential"]):
        return "its layers are no plain chain"
    dense, relu = layer["Dense"], layer["ReLU"]
    chain = (dense, relu, dense, relu, dense)
    units = _units(network)
    if len(units) != 5 or not all(map(is_exactly, units, chain)):
        return "it is not for three dense layers with ReLU, ReLU and Softmax"
    if not all(unit.use_bias for unit in units[::2]):
        return "a dense layer has no biases"
    if network.frozen.shapes or network.regularizers or network.constraints:
        return "a layer is frozen, or has a regularizer or a constraint"
    loss = UNITS["loss"]["SoftmaxCrossEntropy"]
    if not is_exactly(network.training_loss, loss) or _differs(
        network.training_loss, loss()
    ):
        return "the loss is no categorical cross-entropy without options"
    accuracy = UNITS["metric"]["Accuracy"]
    if (
        any(
            not is_exactly(one, accuracy) or one.ignore_index is not None
            for one in network.metrics
        )
        or len(network.metrics) > 1
    ):
        return "a metric is not the accuracy"
    return _why_not_optimizer(network.optimizer) or _why_not_sizes(network)


def _why_not_optimizer(optimizer: Any) -> str:
    free = {
        "SGD": ("learning_rate", "decay", "momentum", "nesterov"),
        "Adam": ("learning_rate", "decay", "beta_1", "beta_2", "epsilon"),
    }
    for name, own in free.items():
        known = UNITS["optimizer"][name]
        if is_exactly(optimizer, known) and not _differs(optimizer, known(), *own):
            return ""
    return "the optimizer is neither SGD nor Adam, or has clipping, decay or averages"


def _differs(unit: Any, usual: Any, *free: str) -> bool:
    """Return whether any setting but these is not the usual one."""
    # Options with their default value are in neither.
    own, usual_own = unit._arguments(), usual._arguments()
    return any(
        name not in usual_own or value != usual_own[name]
        for name, value in own.items()
        if name not in free
    )


def _why_not_sizes(network: Any) -> str:
    features, *hidden, classes = _sizes(network)
    if features > MOST_INPUTS or max(hidden) > MOST_HIDDEN or classes > MOST_CLASSES:
        return (
            f"it is for {MOST_INPUTS} features, {MOST_HIDDEN} neurons and "
            f"{MOST_CLASSES} classes at most"
        )
    return ""


def _why_not_data(rows: Any) -> str:
    (*inputs, y, weight), order = rows.sources
    if weight is not None:
        return "samples have weights"
    x = inputs[0]
    arrays = [x, y] if order is None else [x, y, order]
    if (
        len(inputs) != 1
        or rows.gather.ids[0]
        or x.ndim != 2
        or y.ndim != 1
        or not all(map(_is_readable, arrays, (16, 1, 1)))
        or x.dtype.name not in _SAMPLES
        or y.dtype.name not in _LABELS
        or (order is not None and order.dtype.name != "int32")
        or rows.size > _MOST_ROWS
    ):
        return "samples are not float32 or bytes in rows, with a label each"
    return ""


def _is_readable(array: Any, alignment: int) -> bool:
    """Return whether the kernels can read an array; of stand-ins that is known."""
    return isinstance(array, Elsewhere) or (
        array.flags.c_contiguous
        and array.data.ptr % alignment == 0
        and len(array) < 2**31
    )


def _units(network: Any) -> list[Any]:
    """Return the units of a chain that the step computes, without the last softmax."""
    left_out = network.absorbed.rescaling, network.absorbed.output_activation
    return [
        unit
        for unit in network.root.layers
        if not any(unit is other for other in left_out)
    ]


def _sizes(network: Any) -> tuple[int, int, int, int]:
    one, two, three = _units(network)[::2]
    return one.n_inputs, one.n_neurons, two.n_neurons, three.n_neurons
