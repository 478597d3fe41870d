"""Checks of units, ours and yours, against numerical derivatives."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from nnfs_xp.backends import Backend, get_backend, to_numpy
from nnfs_xp.layers.base import Layer

Scalar = Callable[[np.ndarray], float]


def directional_derivative(
    function: Scalar, x: np.ndarray, direction: np.ndarray, width: float = 1e-3
) -> float:
    """Return the derivative of a scalar function along a direction.

    The central difference of five points, ``(f(-2h) - 8 f(-h) + 8 f(h) -
    f(2h)) / 12 h``, whose error is of the order of h^4 (Abramowitz and
    Stegun, 25.3.6). The function must be smooth within 2h.

    Parameters
    ----------
    function : callable
        From a float64 array of the shape of `x` to a number.
    x, direction : numpy.ndarray
        Where, and which way.
    width : float, default 1e-3
        The step h.

    Examples
    --------
    >>> import numpy as np
    >>> from nnfs_xp.testing import directional_derivative
    >>> square = lambda x: float((x**2).sum())
    >>> round(directional_derivative(square, np.array([3.0]), np.array([1.0])), 9)
    6.0
    """
    at = {k: function(x + k * width * direction) for k in (-2, -1, 1, 2)}
    return (at[-2] - 8 * at[-1] + 8 * at[1] - at[2]) / (12 * width)


def check_layer_gradients(
    layer: Layer, x: Any, *, rtol: float = 1e-7, seed: int = 0
) -> None:
    """Compare a layer's ``bwd`` with numerical derivatives in float64.

    The output is weighted with random numbers to one scalar, whose derivative
    along a random direction of the inputs, and of every parameter, is then
    known in two ways.

    Parameters
    ----------
    layer : Layer
        The layer; its parameters are drawn anew.
    x : array_like
        Inputs, away from points where the layer has no derivative.
    rtol : float, default 1e-7
        Largest allowed difference, relative to the derivative.
    seed : int, default 0
        Seed of weights and directions.

    Raises
    ------
    AssertionError
        If a gradient is wrong; the message names it.

    Examples
    --------
    >>> from nnfs_xp import Dense
    >>> from nnfs_xp.testing import check_layer_gradients
    >>> check_layer_gradients(Dense(3, 2), [[1.0, 2.0, 3.0]])
    """
    be = get_backend("numpy", dtype="float64")
    random = np.random.default_rng(seed)
    values = {"inputs": np.asarray(x, dtype=np.float64)}
    for name, (_, shape) in layer.initializers().items():
        values[name] = random.standard_normal(shape)

    y, residuals = _run(layer, be, values)
    weights = random.standard_normal(y.shape)
    params = {name: value for name, value in values.items() if name != "inputs"}
    dx, gradients = layer.bwd(be, params, residuals, weights)
    assert set(gradients) == set(params), (
        f"bwd gives gradients of {sorted(gradients)}, not of {sorted(params)}"
    )
    for name, gradient in {"inputs": dx, **gradients}.items():
        direction = random.standard_normal(values[name].shape)

        def weighted(moved: np.ndarray, name: str = name) -> float:
            output, _ = _run(layer, be, {**values, name: moved})
            return float(np.sum(output * weights))

        expected = directional_derivative(weighted, values[name], direction)
        found = float(np.sum(to_numpy(gradient) * direction))
        scale = max(abs(expected), float(np.sum(np.abs(gradient * direction))))
        # A difference quotient of rounded values: some 1e-16 over the width.
        rounding = 1e-12 * float(np.sum(np.abs(y * weights)))
        assert abs(found - expected) <= rtol * scale + rounding, (
            f"{layer!r}: the gradient of {name} along a random direction is "
            f"{found!r}, and numerically {expected!r}"
        )


def _run(layer: Layer, be: Backend, values: dict[str, np.ndarray]) -> tuple[Any, Any]:
    params = {name: value for name, value in values.items() if name != "inputs"}
    return layer.fwd(be, params, values["inputs"])
