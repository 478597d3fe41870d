"""Checks of units, ours and yours, against numerical derivatives."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from nnfs_xp.backends import Backend, get_backend
from nnfs_xp.checks import check_inputs
from nnfs_xp.engine.context import Context
from nnfs_xp.engine.data import as_inputs, each
from nnfs_xp.engine.draws import HostDraws
from nnfs_xp.engine.network import Network
from nnfs_xp.engine.program import Program
from nnfs_xp.errors import InputError
from nnfs_xp.layers.base import Layer
from nnfs_xp.losses import Loss
from nnfs_xp.model.parity import ParityReport, compare

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
        with self._be.context():
            y, residuals = self._program.root.fwd(x)
        self.buffers = {**self.buffers, **run.pending}
        return y, residuals

    def bwd(self, residuals: Any, dy: Any) -> tuple[Any, dict[str, Any]]:
        """Return the gradient of the inputs, and those of the parameters by path."""
        run = self._program.run
        run.begin(HostDraws(self._be, self._step))
        run.gradients = {}
        with self._be.context():
            dx = self._program.root.bwd(residuals, dy)
        return dx, run.gradients


def check_gradients(unit: Layer | Loss, *data: Any, rtol: float = 1e-7) -> None:
    """Compare ``bwd`` of a unit of your own with numerical derivatives in float64.

    Parameters
    ----------
    unit : Layer or Loss
        A layer, a block, or a loss.
    *data : array_like
        Inputs of a layer or block, as in `check_layer_gradients`; predictions and
        targets of a loss. They must stay away from points where the unit has no
        derivative. ``fwd`` of a loss must give one number for each sample.
    rtol : float, default 1e-7
        Largest allowed difference, relative to the derivative.

    Raises
    ------
    AssertionError
        If a gradient is wrong; the message names it.
    InputError
        If the data does not fit the unit.

    Examples
    --------
    >>> from nnfs_xp import Huber, Residual, Dense, Tanh, Sequential
    >>> from nnfs_xp.testing import check_gradients
    >>> check_gradients(Residual(Sequential([Dense(2, 2), Tanh()])), [[1.0, 2.0]])
    >>> check_gradients(Huber(), [[0.5], [3.0]], [[0.0], [1.0]])
    """
    wanted = ("y_pred", "y_true") if isinstance(unit, Loss) else ("x",)
    if not isinstance(unit, (Layer, Loss)):
        raise InputError(f"unit must be a layer, a block or a loss, got {unit!r}")
    if len(data) != len(wanted):
        raise InputError(f"data must be {', '.join(wanted)}, got {len(data)} arrays")
    if isinstance(unit, Loss):
        _check_loss(unit, data[0], data[1], rtol, np.random.default_rng(0))
    else:
        check_layer_gradients(unit, *data, rtol=rtol)


def parity_report(
    model: Any, x: Any, y: Any = None, backends: Sequence[Any] = (), **options: Any
) -> ParityReport:
    """Compare forward and backward pass of a model on several backends, unit by unit.

    Every backend gets a copy of the model, and the same data. Differences accumulate
    from unit to unit, as in training. Dropout draws the same numbers everywhere. Each
    unit is computed by itself; no kernel computes several of them at once.

    Parameters
    ----------
    model : Model
    x : array_like
        Samples; all of them are computed at once.
    y : array_like, optional
        Targets. Without them there is only a forward pass.
    backends : sequence of str or Backend
        The first one is what the others are compared with. If none are named they are
        that of the model, and all others that work here.
    **options : optional
        ``rtol``, the largest allowed difference, relative to the largest entry of
        each array: by default 1e-12 in float64, 1e-4 in float32, and 0.05 where
        operands of products are rounded. ``training``, whether units compute as in
        training, True by default.

    Returns
    -------
    report
        Its ``str()`` is a table, ``to_dict()`` is ready for JSON, ``rows`` has a
        dict for each array, ``agrees`` says whether all are within tolerance, and
        ``first`` is the first row that is not, or None.

    Raises
    ------
    InputError
        If an argument or the data does not fit.
    BackendUnavailableError
        If a backend does not work here.

    Examples
    --------
    >>> from nnfs_xp import Dense, Model
    >>> from nnfs_xp.testing import parity_report
    >>> model = Model([Dense(2, 1)], loss="mean_squared_error", dtype="float64")
    >>> report = parity_report(
    ...     model, [[1.0, 2.0]], [[3.0]], backends=["numpy", "array_api_strict"]
    ... )
    >>> report.agrees
    True
    >>> [row["array"] for row in report.rows]
    ['output', 'losses', 'gradient', 'weights', 'biases', 'inputs']
    """
    return compare(model, x, y, backends, **options)


def check_layer_gradients(
    layer: Layer, x: Any, *, rtol: float = 1e-7, seed: int = 0
) -> None:
    """Compare a unit's ``bwd`` with numerical derivatives in float64.

    The output is weighted with random numbers to one scalar, whose derivative along a
    random direction of the inputs, and of every parameter, is then computed in two
    ways. This is done with and without training, with the same random numbers at every
    call.

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

        def weighted(moved: np.ndarray, name: str = name) -> float:
            return _weighted_sum(outputs({**values, name: moved})[1], weights)

        direction = random.standard_normal(values[name].shape)
        what = f"{layer!r}: the gradient of {name}"
        _compare(what, weighted, values[name], gradient, direction, rtol, rounding)


def _check_loss(
    loss: Loss, y_pred: Any, y_true: Any, rtol: float, random: np.random.Generator
) -> None:
    be = get_backend("numpy", dtype="float64")
    with be.context():
        y_pred = loss.check_predictions(be, y_pred)
        y_true = loss.check_targets(be, y_true, "y_true", y_pred.shape)
        losses, _ = loss.fwd(be, y_pred, y_true)
        wanted = loss.losses_shape(y_pred.shape)
        assert losses.shape == wanted, (
            f"{loss!r}: fwd must return losses of shape {wanted}, got {losses.shape}"
        )
        direction = random.standard_normal(y_pred.shape)
        if loss.target_kind != "values" and not loss.from_logits:
            # A probability near 0 is moved by a part of itself, or it would leave it.
            direction *= np.minimum(y_pred, 1.0)
        # `bwd` is given one number for all samples, or one for each.
        for weights in (0.75, random.uniform(0.5, 1.5, wanted)):
            gradient = loss.bwd(be, loss.fwd(be, y_pred, y_true)[1], weights)
            assert np.shape(gradient) == y_pred.shape, (
                f"{loss!r}: bwd must return a gradient of shape {y_pred.shape}, got "
                f"{np.shape(gradient)}"
            )

            def weighted(moved: np.ndarray, weights: Any = weights) -> float:
                return float(np.sum(weights * loss.fwd(be, moved, y_true)[0]))

            each_weight = "one weight" if isinstance(weights, float) else "weights"
            what = f"{loss!r}: the gradient of y_pred, with {each_weight},"
            rounding = 1e-12 * float(np.sum(np.abs(weights * losses)))
            _compare(what, weighted, y_pred, gradient, direction, rtol, rounding)


def _compare(
    what: str, function: Scalar, x: Any, gradient: Any, direction: Any, *allowed: float
) -> None:
    """Raise AssertionError unless a gradient is the derivative along a direction."""
    rtol, rounding = allowed
    expected = directional_derivative(function, x, direction)
    along = float(np.sum(gradient * direction))
    scale = max(abs(expected), float(np.sum(np.abs(gradient * direction))))
    assert abs(along - expected) <= rtol * scale + rounding, (
        f"{what} along a random direction is {along!r}, and numerically {expected!r}"
    )


def _tuple(value: Any) -> tuple[Any, ...]:
    return value if isinstance(value, tuple) else (value,)


def _weighted_sum(arrays: Any, weights: Any) -> float:
    pairs = zip(_tuple(arrays), _tuple(weights), strict=True)
    return sum(float(np.sum(array * weight)) for array, weight in pairs)
