"""The base of recurrent layers: parameters, and products over all positions."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from nnfs_xp.arguments import check_count, check_flag, check_seed_or_none
from nnfs_xp.backends import Array, Backend
from nnfs_xp.engine.context import Context
from nnfs_xp.initializers import Initializer
from nnfs_xp.kernels import portable
from nnfs_xp.layers.base import Layer
from nnfs_xp.layers.products import sum_over_samples
from nnfs_xp.layers.sequences import check_sequence
from nnfs_xp.registry import resolve


class Recurrent(Layer):
    """A state for each sample, updated at one position after the other.

    The products of all inputs with the weights are computed at once, and so are the
    gradients of both matrices. Only the computations that depend on the state are a
    loop.

    Parameters
    ----------
    n_inputs, n_units : int
        Number of features of a position and of the state.
    return_sequences : bool, default False
        Whether to return the states of all positions, (n, t, n_units), or only the last
        state, (n, n_units).
    weight_initializer, recurrent_initializer, bias_initializer : optional
        Initial values; the defaults are Keras's.
    seed : int, optional
        Seed of the initial values; see `Dense`.
    backend, device, dtype : optional
        See `Layer`.
    """

    # Number of columns of the weights, as a multiple of the state's size.
    _gates: int = 1

    def __init__(
        self,
        n_inputs: int,
        n_units: int,
        *,
        return_sequences: bool = False,
        weight_initializer: Initializer | str | dict[str, Any] = "glorot_uniform",
        recurrent_initializer: Initializer | str | dict[str, Any] = "orthogonal",
        bias_initializer: Initializer | str | dict[str, Any] = "zeros",
        seed: int | None = None,
        **where: Any,
    ) -> None:
        super().__init__(**where)
        self.n_inputs = check_count(n_inputs, "n_inputs")
        self.n_units = check_count(n_units, "n_units")
        self.return_sequences = check_flag(return_sequences, "return_sequences")
        self.weight_initializer = resolve(
            "initializer", weight_initializer, "weight_initializer", Initializer
        )
        self.recurrent_initializer = resolve(
            "initializer", recurrent_initializer, "recurrent_initializer", Initializer
        )
        self.bias_initializer = resolve(
            "initializer", bias_initializer, "bias_initializer", Initializer
        )
        self.seed = check_seed_or_none(seed)

    def parameters(self) -> dict[str, tuple[Any, ...]]:
        """Return initializer and shape of weights, recurrent weights and biases."""
        columns = self._gates * self.n_units
        return {
            "weights": (self.weight_initializer, (self.n_inputs, columns)),
            "recurrent": (self.recurrent_initializer, (self.n_units, columns)),
            "biases": (self.bias_initializer, (1, columns)),
        }

    def output_shape(self, shape: tuple[int, ...] | None) -> tuple[int, ...] | None:
        """Return ``(t, n_units)``, or ``(n_units,)`` without sequences."""
        check_sequence(self, shape, self.n_inputs)
        if not self.return_sequences:
            return (self.n_units,)
        return None if shape is None else (shape[0], self.n_units)

    # For the scan of a subclass. Positions come first, since it steps through them.

    def _by_position(self, cx: Context, x: Array) -> Array:
        """Return ``X W + b`` of each position, (t, n, columns)."""
        n, t, _ = x.shape
        rows = cx.xp.reshape(x, (n * t, self.n_inputs))
        z = cx.be.matmul(rows, cx.params["weights"]) + cx.params["biases"]
        return turned(cx, cx.xp.reshape(z, (n, t, -1)))

    def _zero_state(self, cx: Context, x: Array) -> Array:
        """Return the state before the first position, 0."""
        return cx.be.zeros((x.shape[0], self.n_units))

    def _output(self, cx: Context, states: Array) -> Array:
        """Return the states of all positions, or the last one."""
        return turned(cx, states) if self.return_sequences else states[-1, ...]

    def _gradients(self, cx: Context, x: Array, dy: Array) -> Array:
        """Return the gradient of the output of each position, (t, n, n_units)."""
        if self.return_sequences:
            return turned(cx, dy)
        others = cx.be.zeros((x.shape[1] - 1, x.shape[0], self.n_units))
        return cx.xp.concat([others, dy[None, ...]], axis=0)

    def _through_products(
        self, cx: Context, x: Array, dz: Array, before: Array, ds: Array | None = None
    ) -> Array | None:
        """Write the gradients of all parameters, and return that of the inputs.

        Parameters
        ----------
        cx : Context
        x : array, shape (n, t, n_inputs)
        dz : array, shape (t, n, columns)
            Gradient of ``X W + b``.
        before : array, shape (t, n, n_units)
            The state before each position.
        ds : array, optional
            Gradient of the product of these states, if it differs from `dz`.
        """
        be, grads = cx.be, cx.grads

        def rows(array: Array) -> Array:
            return cx.xp.reshape(array, (-1, array.shape[-1]))

        gradient = rows(turned(cx, dz))
        if cx.learns:
            grads["biases"] = sum_over_samples(be, gradient)
            grads["weights"] = be.matmul_over_rows(
                rows(x), gradient, grads.out("weights")
            )
            through = rows(dz if ds is None else ds)
            if ds is not None:
                grads["recurrent_biases"] = sum_over_samples(be, through)
            out = grads.out("recurrent")
            grads["recurrent"] = be.matmul_over_rows(rows(before), through, out)
        if not cx.needs_dx:
            return None
        return cx.xp.reshape(be.matmul(gradient, cx.params["weights"].T), x.shape)

    def __repr__(self) -> str:
        sequences = ", return_sequences=True" if self.return_sequences else ""
        return f"{type(self).__name__}({self.n_inputs}, {self.n_units}{sequences})"


def gates_of(z: Array, count: int) -> list[Array]:
    """Return equal parts of the columns of a matrix."""
    n = z.shape[1] // count
    return [z[:, number * n : (number + 1) * n] for number in range(count)]


def turned(cx: Context, array: Array) -> Array:
    """Return an array with its first two axes swapped."""
    return cx.xp.permute_dims(array, (1, 0, 2))


@portable
def scan(
    be: Backend,
    step: Callable[[Any, Any], tuple[Any, Any]],
    carry: tuple[Array, ...],
    inputs: tuple[Array, ...],
    backward: bool,
) -> tuple[Array, ...]:
    """Return the outputs of a step at each position, one after the other.

    Parameters
    ----------
    be : Backend
        Where the arrays are.
    step : callable
        ``step(carry, inputs) -> (carry, outputs)``, all of them tuples of arrays.
    carry : tuple of array
        The carry of the first step.
    inputs : tuple of array
        Arrays with the positions along the first axis.
    backward : bool
        Whether to start with the last position.

    Returns
    -------
    tuple of array
        The outputs, with the positions along the first axis.
    """
    places = range(inputs[0].shape[0])
    found = []
    for place in reversed(places) if backward else places:
        own = tuple([array[place, ...] for array in inputs])
        carry, outputs = step(carry, own)
        found.append(outputs)
    ordered = found[::-1] if backward else found
    return tuple([be.xp.stack(list(each)) for each in zip(*ordered, strict=True)])
