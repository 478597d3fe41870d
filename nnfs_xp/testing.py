"""Checks of units, ours and yours, against numerical derivatives."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from nnfs_xp.backends import Backend, get_backend
from nnfs_xp.checks import check_inputs
from nnfs_xp.engine.context import Context
from nnfs_xp.engine.data import as_inputs, each
from nnfs_xp.engine.draws import HostDraws
from nnfs_xp.engine.network import Network
from nnfs_xp.engine.program import Program
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


class _PlainContext(Context):
    """A context of the usual kind, in a program that neither fuses nor has slots."""


class Bound:
    """A unit with its arrays: ``fwd`` and ``bwd`` as functions of them.

    Parameters
    ----------
    unit : Layer
        A layer or block.
    be : Backend
        Where the arrays are.
    parameters : dict of str to array
        All parameters, by path.
    buffers : dict of str to array, optional
        What the units keep, by path; as at the beginning if not given.
    training : bool, default False
        Whether they compute as in training.
    step : int, default 0
        Of the random numbers.

    Attributes
    ----------
    buffers : dict of str to array
        After ``fwd`` with the values that it has written.

    Examples
    --------
    >>> import numpy as np
    >>> from nnfs_xp import Dense, get_backend
    >>> from nnfs_xp.testing import Bound
    >>> be = get_backend("numpy", dtype="float64")
    >>> values = {"weights": np.eye(2), "biases": np.zeros((1, 2))}
    >>> dense = Bound(Dense(2, 2), be, values)
    >>> y, residuals = dense.fwd(np.array([[1.0, 2.0]]))
    >>> dx, gradients = dense.bwd(residuals, np.array([[1.0, 0.0]]))
    >>> dx, sorted(gradients)
    (array([[1., 0.]]), ['biases', 'weights'])
    """

    def __init__(
        self,
        unit: Layer,
        be: Backend,
        parameters: dict[str, Any],
        buffers: dict[str, Any] | None = None,
        *,
        training: bool = False,
        step: int = 0,
    ) -> None:
        network = Network(unit, be, 0, standalone=True)
        if buffers is None:
            shapes = network.buffer_shapes
            buffers = {path: be.full(b.shape, b.value) for path, b in shapes.items()}
        self.buffers = dict(buffers)
        self._be, self._step = be, step
        self._program = Program(
            network, training=training, keeps=True, needs_dx=True, context=_PlainContext
        )
        self._program.bind_arrays(parameters, self.buffers)

    def fwd(self, x: Any) -> tuple[Any, Any]:
        """Return the output, and the residuals."""
        run = self._program.run
        run.begin(HostDraws(self._be, self._step))
        y, residuals = self._program.root.fwd(x)
        self.buffers = {**self.buffers, **run.pending}
        return y, residuals

    def bwd(self, residuals: Any, dy: Any) -> tuple[Any, dict[str, Any]]:
        """Return the gradient of the inputs, and those of the parameters by path."""
        run = self._program.run
        run.begin(HostDraws(self._be, self._step))
        run.gradients = {}
        dx = self._program.root.bwd(residuals, dy)
        return dx, run.gradients


def check_layer_gradients(
    layer: Layer, x: Any, *, rtol: float = 1e-7, seed: int = 0
) -> None:
    """Compare a unit's ``bwd`` with numerical derivatives in float64.

    The output is weighted with random numbers to one scalar, whose derivative
    along a random direction of the inputs, and of every parameter, is then
    known in two ways. This is done outside of training and in it, with the same
    random numbers at every call.

    Parameters
    ----------
    layer : Layer
        The layer or block; its parameters are drawn anew.
    x : array_like, or tuple of array_like
        Inputs, away from points where the unit has no derivative. Integers stay
        integers for a unit that takes ids, and are not moved.
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
    found, ids, _ = check_inputs(be, layer, x, "x")
    inputs = as_inputs(be, found, ids)
    for training in (False, True):
        random = np.random.default_rng(seed)
        _check_gradients(layer, be, inputs, training, rtol, random)


def _check_gradients(
    layer: Layer, be: Backend, inputs: Any, training: bool, rtol: float, random: Any
) -> None:
    network = Network(layer, be, 0, standalone=True)
    values = {
        path: random.standard_normal(network.shape_of(path))
        for path in (*network.learned.shapes, *network.frozen.shapes)
    }
    paths: Any = "inputs"
    if isinstance(inputs, tuple):
        paths = tuple(f"inputs[{number}]" for number in range(len(inputs)))
    # Inputs stand beside parameters, under names that no parameter has.
    values |= zip(_tuple(paths), _tuple(inputs), strict=True)

    def outputs(values: dict[str, np.ndarray]) -> tuple[Bound, Any, Any]:
        bound = Bound(layer, be, values, training=training)
        return bound, *bound.fwd(each(values.__getitem__, paths))

    bound, y, residuals = outputs(values)
    weights = each(lambda array: random.standard_normal(array.shape), y)
    dx, gradients = bound.bwd(residuals, weights)
    assert set(gradients) == set(network.learned.shapes), (
        f"bwd gives gradients of {sorted(gradients)}, "
        f"not of {sorted(network.learned.shapes)}"
    )
    for name, gradient in zip(_tuple(paths), _tuple(dx), strict=True):
        if values[name].dtype.kind == "f":
            gradients[name] = gradient
    # A difference quotient of rounded values: some 1e-16 over the width.
    rounding = 1e-12 * _weighted_sum(each(np.abs, y), each(np.abs, weights))
    for name, gradient in gradients.items():
        direction = random.standard_normal(values[name].shape)

        def weighted(moved: np.ndarray, name: str = name) -> float:
            return _weighted_sum(outputs({**values, name: moved})[1], weights)

        expected = directional_derivative(weighted, values[name], direction)
        along = float(np.sum(gradient * direction))
        scale = max(abs(expected), float(np.sum(np.abs(gradient * direction))))
        assert abs(along - expected) <= rtol * scale + rounding, (
            f"{layer!r}: the gradient of {name} along a random direction is "
            f"{along!r}, and numerically {expected!r}"
        )


def _tuple(value: Any) -> tuple[Any, ...]:
    return value if isinstance(value, tuple) else (value,)


def _weighted_sum(arrays: Any, weights: Any) -> float:
    pairs = zip(_tuple(arrays), _tuple(weights), strict=True)
    return sum(float(np.sum(array * weight)) for array, weight in pairs)
