"""The shell around a layer's pure pair of functions.

An author writes ``fwd(be, params, x) -> (y, residuals)`` and
``bwd(be, params, residuals, dy) -> (dx, grads)``. They change nothing, so a
training step made of them can be compiled. The shell below adds what a reader
of the book knows: ``forward``, ``backward``, ``.output``, ``.dinputs``.
"""

from __future__ import annotations

from typing import Any, Protocol

from nnfs_xp.backends import Array, Backend, get_backend
from nnfs_xp.checks import check_array
from nnfs_xp.errors import InputError
from nnfs_xp.initializers import Initializer
from nnfs_xp.placement import asked_backend, backend_for
from nnfs_xp.random import Stream, fresh_seed
from nnfs_xp.registry import describe
from nnfs_xp.regularizers import Regularizer

Params = dict[str, Array]


class ParameterStore(Protocol):
    """Where a model keeps the parameters of its layers."""

    def layer_parameters(self, index: int) -> Params:
        """Return the parameters of one layer."""
        ...

    def assign_parameter(self, index: int, name: str, value: Array) -> None:
        """Replace the values of one parameter."""
        ...


class Layer:
    """Base of all layers and activations.

    Parameters
    ----------
    backend, device, dtype : optional
        Where a layer that is used on its own computes; see
        `nnfs_xp.get_backend`. A layer without parameters that names none
        follows its inputs. Inside a `Model` all of them may be left out.

    Examples
    --------
    >>> from nnfs_xp import Layer
    >>> class Double(Layer):
    ...     def fwd(self, be, params, x):
    ...         return 2 * x, None
    ...     def bwd(self, be, params, residuals, dy):
    ...         return 2 * dy, {}
    >>> layer = Double(dtype="float64")
    >>> layer.forward([[1.0, 2.0]]), layer.backward([[1.0, 1.0]])
    (array([[2., 4.]]), array([[2., 2.]]))
    """

    seed: int | None = None
    # Whether training draws random numbers, one step after the other.
    noisy: bool = False
    # Whether `training_fwd` also takes the stream to draw them from.
    draws_from_streams: bool = False

    def __init__(
        self,
        *,
        backend: str | Backend | None = None,
        device: Any = None,
        dtype: str | None = None,
    ) -> None:
        self._backend = asked_backend(backend, device, dtype)
        self._params: Params | None = None
        self._store: ParameterStore | None = None
        self._index = 0
        self._residuals: Any = None
        self._forward_backend: Backend | None = None
        self._draws = 0

    # The pure pair, written by the author of a layer.

    def fwd(self, be: Backend, params: Params, x: Array) -> tuple[Array, Any]:
        """Return the output, and what `bwd` needs of the forward pass."""
        raise NotImplementedError

    def bwd(
        self, be: Backend, params: Params, residuals: Any, dy: Array
    ) -> tuple[Array, Params]:
        """Return the gradients of the inputs and of each parameter."""
        raise NotImplementedError

    def parameter_gradients(
        self, be: Backend, params: Params, residuals: Any, dy: Array
    ) -> Params:
        """Return the gradients of the parameters only, for a first layer."""
        return self.bwd(be, params, residuals, dy)[1]

    def write_gradients(
        self,
        be: Backend,
        params: Params,
        residuals: Any,
        dy: Array,
        slots: Params,
        inputs_too: bool,
    ) -> Array | None:
        """Write the gradients of the parameters to slots.

        Returns the gradient of the inputs if they are asked for, else None.
        """
        dx = None
        if inputs_too:
            dx, gradients = self.bwd(be, params, residuals, dy)
        else:
            gradients = self.parameter_gradients(be, params, residuals, dy)
        for name, gradient in gradients.items():
            be.assign(slots, name, gradient)
        return dx

    def training_fwd(
        self, be: Backend, params: Params, x: Array, noise: Any
    ) -> tuple[Array, Any]:
        """Return what `fwd` does; a noisy layer computes with `noise` here."""
        return self.fwd(be, params, x)

    # What a layer says about itself.

    def noise(self, stream: Stream, shape: tuple[int, ...]) -> Any:
        """Return host values of one training step, for inputs of a shape."""
        raise NotImplementedError

    def regularizers(self) -> dict[str, Regularizer]:
        """Return the regularizers of parameters, by the parameter's name."""
        return {}

    def initializers(self) -> dict[str, tuple[Initializer, tuple[int, ...]]]:
        """Return initialiser and shape of each parameter, in a fixed order."""
        return {}

    def leaves(self) -> list[Layer]:
        """Return the layers that this one stands for: itself."""
        return [self]

    def input_shape(self) -> tuple[int, ...] | None:
        """Return the only shape of a sample the layer takes, None if there is none."""
        return None

    def output_shape(self, shape: tuple[int, ...] | None) -> tuple[int, ...] | None:
        """Return the shape of a sample's output, given that of its input.

        None stands for a shape that is not known yet.

        Raises
        ------
        InputError
            If the layer does not take samples of that shape.
        """
        return shape

    def check_inputs(self, be: Backend, inputs: Any) -> Array:
        """Return the inputs as an array that `fwd` can take, or raise."""
        return check_array(be, inputs, "inputs")

    def config(self) -> dict[str, Any]:
        """Return the arguments that make this layer again."""
        return {}

    # The shell.

    @property
    def backend(self) -> Backend | None:
        """Where the layer computes; None while that is still open."""
        if self._backend is None and self.initializers():
            self._backend = get_backend()
        return self._backend

    @property
    def params(self) -> Params:
        """The parameters by name; drawn from the seed at the first use."""
        if self._store is not None:
            return self._store.layer_parameters(self._index)
        if self._params is None:
            be = self.backend
            values = self.starting_values(fresh_seed(), "layer") if be else {}
            self._params = {
                name: be.asarray(value, be.dtype)  # type: ignore[union-attr]
                for name, value in values.items()
            }
        return self._params

    def starting_values(self, seed: int, stream: str) -> dict[str, Any]:
        """Return the parameters if there are any yet, else draw host values.

        A seed of the layer's own comes before the given one. Every parameter
        has its own stream.
        """
        if self._params:
            return self._params
        if self.seed is not None:
            seed, stream = self.seed, "layer"
        return {
            name: initializer(Stream(seed, f"{stream}.{name}"), shape)
            for name, (initializer, shape) in self.initializers().items()
        }

    def set_parameter(self, name: str, value: Any) -> None:
        """Replace the values of one parameter.

        Parameters
        ----------
        name : str
            Such as ``"weights"``.
        value : array or array_like
            New values, of the parameter's shape, on the layer's backend.
        """
        params = self.params
        be = self.backend
        assert be is not None
        array = be.asarray(check_array(be, value, name), be.dtype)
        if array.shape != params[name].shape:
            raise InputError(
                f"{name} must have shape {tuple(params[name].shape)}, "
                f"got {tuple(array.shape)}"
            )
        # The layer's own from now on, whatever becomes of the given array.
        array = be.xp.asarray(array, copy=True)
        if self._store is None and be.in_place:
            params[name][...] = array
        else:
            self.replace_parameter(name, array)

    def start_with(self, values: dict[str, Any]) -> None:
        """Take host values as the parameters that a model will find."""
        self._params = values or None

    def replace_parameter(self, name: str, value: Array) -> None:
        """Put a new array in the place of a parameter, unchecked."""
        if self._store is not None:
            self._store.assign_parameter(self._index, name, value)
        else:
            self.params[name] = value

    @property
    def placed_on(self) -> Backend | None:
        """The backend if the layer has asked for one or drawn parameters."""
        return self._backend

    @property
    def belongs_to_model(self) -> bool:
        """Whether a model holds the parameters."""
        return self._store is not None

    @property
    def store(self) -> ParameterStore | None:
        """Who holds the parameters, None for the layer itself."""
        return self._store

    def bind(self, store: ParameterStore, index: int, be: Backend) -> None:
        """Let a model hold the parameters of this layer from now on."""
        self._store, self._index, self._backend = store, index, be
        self._params = None

    def forward(self, inputs: Any, training: bool = True) -> Array:
        """Compute the output, and keep what `backward` needs.

        Parameters
        ----------
        inputs : array or array_like
            One row a sample. Integers and booleans are cast to the layer's
            dtype.
        training : bool, default True
            Whether a layer such as `Dropout`, which does something else in
            training, does it now.

        Returns
        -------
        array
            The output, also kept as ``.output``.
        """
        be = backend_for(self.backend, inputs)
        with be.context():
            self.inputs = be.asarray(self.check_inputs(be, inputs), be.dtype)
            if training and self.noisy:
                noise = be.asarray(self._next_noise(self.inputs.shape))
                self.output, self._residuals = self.training_fwd(
                    be, self.params, self.inputs, noise
                )
            else:
                self.output, self._residuals = self.fwd(be, self.params, self.inputs)
        self._forward_backend = be
        return self.output

    def _next_noise(self, shape: tuple[int, ...]) -> Any:
        if self.seed is None:
            self.seed = fresh_seed()
        stream = Stream(self.seed, "layer.noise", self._draws)
        self._draws += 1
        return self.noise(stream, tuple(shape))

    def backward(self, dvalues: Any) -> Array:
        """Compute the gradients, given those of the output.

        Parameters
        ----------
        dvalues : array or array_like
            Gradient of the loss with respect to ``.output``, of its shape.

        Returns
        -------
        array
            Gradient with respect to the inputs, also kept as ``.dinputs``;
            those of the parameters are kept as ``.dweights``, ``.dbiases``, with
            the gradients of their regularizers, as in the book.
        """
        be = self._forward_backend
        if be is None:
            raise InputError("backward needs a forward pass before it")
        with be.context():
            dy = be.asarray(check_array(be, dvalues, "dvalues"), be.dtype)
            if dy.shape != self.output.shape:
                raise InputError(
                    f"dvalues must have the output's shape "
                    f"{tuple(self.output.shape)}, got {tuple(dy.shape)}"
                )
            params = self.params
            self.dinputs, grads = self.bwd(be, params, self._residuals, dy)
            grads = with_penalties(be, self, params, grads)
        for name, gradient in grads.items():
            setattr(self, "d" + name, gradient)
        return self.dinputs

    def __repr__(self) -> str:
        return describe(self)


def with_penalties(be: Backend, layer: Layer, params: Params, grads: Params) -> Params:
    """Return the gradients of a layer's parameters and of their penalties.

    The arrays in `grads` may be overwritten.
    """
    regularizers = layer.regularizers()
    return {
        name: regularizers[name].add_gradient(be, gradient, params[name])
        if name in regularizers
        else gradient
        for name, gradient in grads.items()
    }
