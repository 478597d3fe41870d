"""The base of all units that stack: layers, activations and blocks.

An author writes two methods, each once::

    fwd(cx, x) -> (y, residuals)
    bwd(cx, residuals, dy) -> dx

They change nothing except the slots of the context ``cx``, so a training step made of
them can be compiled. A unit declares its parameters in ``parameters``, values that it
keeps but does not train in ``state``, and inner units in ``children``.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from nnfs_xp.arguments import check_flag
from nnfs_xp.backends import Array, Backend
from nnfs_xp.engine import shell
from nnfs_xp.engine.context import Context
from nnfs_xp.errors import InputError
from nnfs_xp.placement import asked_backend
from nnfs_xp.unit import Unit

Shape = Any


class Layer(Unit):
    """Base of all layers, activations and blocks.

    Parameters
    ----------
    backend, device, dtype : optional
        Backend, device and dtype of a unit used on its own; see `nnfs_xp.get_backend`.
        If none is given, a unit without parameters uses those of its inputs. Inside a
        `Model`, all of them may be omitted.

    Attributes
    ----------
    children : mapping of str to Layer
        The inner units, by name. Their contexts are ``cx[name]``.
    trainable : bool
        Whether the parameters of the unit and of its inner units are trained. This
        attribute may be set at any time except while ``fit`` runs.
    integer_inputs : bool, int, or tuple
        Whether inputs are ids, which stay integers; or the number of ids, if it is
        known. For a unit with several inputs, this is a tuple with one entry per input.
    inputs, output, dinputs : array
        The argument and the result of ``forward``, and the result of ``backward``. The
        gradients of parameters are ``dweights`` and so on.

    Examples
    --------
    >>> from nnfs_xp import Layer
    >>> class Gain(Layer):
    ...     def __init__(self, n, **where):
    ...         super().__init__(**where)
    ...         self.n = n
    ...     def parameters(self):
    ...         return {"gain": ("ones", (self.n,))}
    ...     def fwd(self, cx, x):
    ...         return x * cx.params["gain"], x
    ...     def bwd(self, cx, x, dy):
    ...         cx.grads["gain"] = cx.xp.sum(x * dy, axis=0)
    ...         return dy * cx.params["gain"]
    >>> layer = Gain(2, dtype="float64")
    >>> layer.gain = [2.0, 3.0]
    >>> layer.forward([[1.0, 2.0]]), layer.backward([[1.0, 1.0]])
    (array([[2., 6.]]), array([[2., 3.]]))
    >>> layer.dgain
    array([1., 2.])
    """

    _changing = frozenset({"trainable", "inputs", "output", "dinputs"})

    children: Mapping[str, Layer] = MappingProxyType({})
    trainable: bool = True
    integer_inputs: Any = False

    _backend: Backend | None = None
    # Network and state that hold the values, or the values until these exist.
    _home: Any = None
    _values: dict[str, Any] | None = None
    # The backend of the enclosing block, or, for a copy, of the original.
    _place: Backend | None = None
    # State of the last forward pass, and the number of forward passes.
    _program: Any = None
    _residuals: Any = None
    _draws: int = 0

    def __init__(
        self,
        *,
        backend: str | Backend | None = None,
        device: Any = None,
        dtype: str | None = None,
    ) -> None:
        self._backend = asked_backend(backend, device, dtype)

    # Written by the author of a unit.

    def parameters(self) -> dict[str, tuple[Any, ...]]:
        """Return initializer and shape of each parameter, by name.

        A third entry may be its regularizer. Initializers are units, their names, or
        functions of a stream of random numbers and a shape.
        """
        return {}

    def state(self) -> dict[str, tuple[float, tuple[int, ...]]]:
        """Return initial value and shape of each buffer: values kept, not trained."""
        return {}

    def fwd(self, cx: Context, x: Any) -> tuple[Any, Any]:
        """Return the output, and the residuals of the forward pass that `bwd` needs."""
        raise NotImplementedError

    def bwd(self, cx: Context, residuals: Any, dy: Any) -> Any:
        """Return the gradient of the inputs; write those of parameters to ``cx.grads``.

        Neither `dy` nor residuals may be changed.
        """
        raise NotImplementedError

    def children_need_dx(
        self, needs_dx: bool, learns: Mapping[str, bool]
    ) -> Mapping[str, bool]:
        """Return for each child whether the gradient of its inputs is needed.

        True is correct for any block. A block that knows better saves a product.

        Parameters
        ----------
        needs_dx : bool
            Whether the gradient of the block's own inputs is needed.
        learns : mapping of str to bool
            Whether anything in a child is trained.
        """
        return dict.fromkeys(self.children, True)

    def input_shape(self) -> Shape | None:
        """Return the shape of a sample that the unit expects, None for any shape."""
        return None

    def output_shape(self, shape: Shape | None) -> Shape | None:
        """Return the shape of a sample's output, given that of its input.

        None stands for a shape that is not known yet, a tuple of shapes for several
        inputs or outputs.

        Raises
        ------
        InputError
            If the unit does not take samples of that shape.
        """
        return shape

    # The shell of the book.

    @property
    def backend(self) -> Backend | None:
        """Where the unit computes; None until this is decided."""
        return shell.backend_of_unit(self)

    @property
    def params(self) -> dict[str, Array]:
        """The parameters by name, those of inner units by path."""
        return shell.values_of(self)

    def forward(self, inputs: Any, training: bool = True) -> Any:
        """Compute the output, and keep what `backward` needs.

        Parameters
        ----------
        inputs : array or array_like
            One row per sample. Integers and booleans are cast to the unit's dtype,
            unless they are ids.
        training : bool, default True
            Whether units such as `Dropout`, which behave differently in training, do so
            in this pass.

        Returns
        -------
        array
            The output, also kept as ``.output``.
        """
        return shell.forward(self, inputs, training)

    def backward(self, dvalues: Any) -> Any:
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
        return shell.backward(self, dvalues)

    # Values by name, and which of them may be assigned.

    def __getattr__(self, name: str) -> Any:
        if name[0] != "_" and self._declares(name):
            return shell.value_of(self, name)
        raise AttributeError(
            f"{type(self).__name__!r} object has no attribute {name!r}"
        )

    def __setattr__(self, name: str, value: Any) -> None:
        if name == "trainable":
            self._set_trainable(value)
        elif name[0] != "_" and self._declares(name):
            self._assign(name, value)
        else:
            super().__setattr__(name, value)

    def _declares(self, name: str) -> bool:
        # Until the constructor is done, nothing is declared.
        return "_settings" in vars(self) and (
            name in self.parameters() or name in self.state()
        )

    def _take_values(self) -> None:
        own = vars(self)
        if self._backend is not None:
            for inner in shell.units_of(self):
                vars(inner).setdefault("_place", self._backend)
        for name in own.keys() & {*self.parameters(), *self.state()}:
            self._assign(name, own.pop(name))

    def _assign(self, name: str, value: Any) -> None:
        """Replace the values of a parameter or buffer."""
        shell.assign_value(self, name, value)

    def _set_trainable(self, value: Any) -> None:
        if self._home is not None and self._home[1].in_use:
            raise InputError("trainable cannot be set while fit runs")
        vars(self)["trainable"] = check_flag(value, "trainable")

    def _arrange(self, cx: Context) -> None:
        """Let a chain of units put fused ones in place of several."""

    def __getstate__(self) -> dict[str, Any]:
        """Return everything, with the values themselves instead of their holder."""
        own = {k: v for k, v in vars(self).items() if k not in ("_home", "_program")}
        own.pop("_residuals", None)
        if self._home is not None:
            network, state = self._home
            node = network.nodes[id(self)]
            values = state.of_unit(node)
            be = network.backend
            own["_values"] = {name: be.to_numpy(v) for name, v in values.items()}
            own["_place"] = be
        return own
