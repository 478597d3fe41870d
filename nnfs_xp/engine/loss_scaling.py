"""Loss scaling: gradients large enough for float16.

The smallest float16 is about 6e-8, and gradients below it would be rounded to 0 when
they become operands of a product. The gradient of the loss is therefore multiplied by a
large power of two before the backward pass, and the gradients of the parameters are
divided by it afterwards. If the scale is too large, a value overflows to infinity; that
step is skipped, and the scale is halved. After a long time without an overflow, the
scale is doubled.

The step of a model calls these functions in their order here. Everything is an array
and no value is read, so they can be compiled or captured with the step.

References
----------
Micikevicius et al., "Mixed Precision Training", ICLR 2018, section 3.2. The numbers
are those of ``torch.amp.GradScaler``.
"""

from __future__ import annotations

from typing import Any

from nnfs_xp.backends import Array, Backend
from nnfs_xp.trees import copied_leaves

Slots = dict[str, Array]

INITIAL_SCALE = 2.0**16
SMALLEST_SCALE, LARGEST_SCALE = 1.0, 2.0**24
STEPS_BEFORE_GROWTH = 2000

# Entries that change in every step, even if it is skipped.
_GOING_ON = ("learning_rate", "step")


def needed(be: Backend) -> bool:
    """Return whether gradients have to be scaled: only float16 is that narrow."""
    return be.matmul_precision == "float16"


def init(be: Backend) -> Slots:
    """Return the state before the first step.

    Returns
    -------
    dict of array
        ``scale``, and ``good_steps``, the number of steps without an overflow since
        the scale last changed; both 0-d.
    """
    return {"scale": be.constant(INITIAL_SCALE), "good_steps": be.constant(0.0)}


def scaled(be: Backend, scaling: Slots, dy: Array) -> Array:
    """Return the gradient of the loss times the scale."""
    return dy * scaling["scale"]


def unscale(be: Backend, scaling: Slots, gradients: Slots) -> Array:
    """Divide gradients by the scale, and say whether all of them are finite.

    Parameters
    ----------
    scaling : dict of array
        The result of `init`.
    gradients : dict of array
        Written to; division by a power of two is exact, except where a gradient falls
        below the normal numbers of float32.

    Returns
    -------
    array
        0-d, of booleans.
    """
    xp = be.xp
    inverse = 1.0 / scaling["scale"]
    finite = None
    for key, gradient in gradients.items():
        if be.in_place:
            gradient *= inverse
        else:
            gradient = gradients[key] = gradient * inverse
        block = xp.all(xp.isfinite(gradient))
        finite = block if finite is None else xp.logical_and(finite, block)
    return xp.isfinite(scaling["scale"]) if finite is None else finite


def snapshot(be: Backend, parameters: Slots, optimizer_state: dict[str, Any]) -> Any:
    """Return copies of everything that the optimizer will change, for `keep`."""
    changing = {k: v for k, v in optimizer_state.items() if k not in _GOING_ON}
    return copied_leaves(be.xp, {"": parameters, **changing})


def keep(
    be: Backend, finite: Array, before: Any, parameters: Slots, optimizer_state: Any
) -> None:
    """Put the old values back if a gradient was not finite.

    The optimizer's counter of steps and its learning rate stay as they are: a skipped
    step still counts for a schedule.

    Parameters
    ----------
    finite : array
        The result of `unscale`.
    before : object
        The result of `snapshot` before the optimizer's step.
    parameters, optimizer_state : dict
        Written to.
    """
    for name, old in before.items():
        if not isinstance(old, dict):
            slots, old = optimizer_state, {name: old}
        else:
            slots = optimizer_state[name] if name else parameters
        for key, value in old.items():
            be.assign(slots, key, be.xp.where(finite, slots[key], value))


def clear(be: Backend, finite: Array, gradients: Slots) -> None:
    """Write 0 to gradients if one was not finite, where several batches are summed."""
    for key, gradient in gradients.items():
        zeros = be.xp.zeros_like(gradient)
        be.assign(gradients, key, be.xp.where(finite, gradient, zeros))


def adapt(be: Backend, scaling: Slots, finite: Array) -> None:
    """Write the scale of the next step.

    It is halved after a step that was not finite, and doubled after 2000 finite ones
    in a row; it stays from 1 to 2**24.
    """
    xp, scale = be.xp, scaling["scale"]
    good_steps = scaling["good_steps"] + 1.0
    grows = good_steps >= STEPS_BEFORE_GROWTH
    zero = xp.zeros_like(scale)
    larger = xp.minimum(scale * 2.0, xp.full_like(scale, LARGEST_SCALE))
    smaller = xp.maximum(scale * 0.5, xp.full_like(scale, SMALLEST_SCALE))
    after_good = xp.where(grows, larger, scale)
    be.assign(scaling, "scale", xp.where(finite, after_good, smaller))
    starts_again = xp.logical_or(grows, xp.logical_not(finite))
    be.assign(scaling, "good_steps", xp.where(starts_again, zero, good_steps))
