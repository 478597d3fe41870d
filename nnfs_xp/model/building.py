"""How a model comes about: ``add``, ``set``, ``finalize``, and its parameters."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from nnfs_xp.backends import Array, Backend
from nnfs_xp.checks import check_array
from nnfs_xp.errors import InputError
from nnfs_xp.executors import executor_for
from nnfs_xp.layers import Layer, fused
from nnfs_xp.layers.nesting import check_layers, first_shape, leaves
from nnfs_xp.layout import layout_for, parameter_name
from nnfs_xp.losses import Loss
from nnfs_xp.metrics import Metric
from nnfs_xp.model.assembly import (
    initial_parameters,
    metrics_for,
    output_shape,
    split_head,
)
from nnfs_xp.model.state import LEARNING_STATE, ModelState, Named
from nnfs_xp.optimizers import Optimizer
from nnfs_xp.registry import resolve
from nnfs_xp.step import Network

# A unit that `set` leaves as it is.
_KEEP: Any = object()


class Building:
    """The part of `Model` that puts it together."""

    layers: list[Layer]
    backend: Backend
    seed: int
    compile: str

    def __init__(self) -> None:
        self.loss: Loss | None = None
        self.optimizer: Optimizer | None = None
        self.metrics: list[Metric] = []
        self.leaves: list[Layer] = []
        self.input_shape: tuple[int, ...] | None = None
        self._metrics_asked: Any = "auto"
        self._state: ModelState | None = None
        self._is_final = False

    def add(self, layer: Layer) -> None:
        """Append a layer.

        Parameters
        ----------
        layer : Layer

        Raises
        ------
        InputError
            If it is no layer, or is in the model already.
        """
        check_layers([*self.layers, layer])
        self.layers.append(layer)
        self._is_final = False

    def set(
        self,
        *,
        loss: Loss | str | None = _KEEP,
        optimizer: Optimizer | str | None = _KEEP,
        accuracy: Metric | str | None = _KEEP,
        metrics: Any = _KEEP,
    ) -> None:
        """Set loss, optimizer or metrics; what is left out stays as it is.

        Parameters
        ----------
        loss, optimizer, metrics : optional
            As for the class. A new optimizer starts with a state of its own.
        accuracy : Metric or str, optional
            The book's name for `metrics`.

        Raises
        ------
        InputError
            If one is not what its name says, or they do not fit each other;
            the model is then unchanged.
        """
        if accuracy is not _KEEP:
            if metrics is not _KEEP:
                raise InputError("metrics and accuracy are two names of one argument")
            metrics = accuracy
        before = self.loss, self.optimizer, self._metrics_asked, self._is_final
        new_loss = _unit("loss", loss, Loss, self.loss)
        new_optimizer = _unit("optimizer", optimizer, Optimizer, self.optimizer)
        self.loss, self.optimizer = new_loss, new_optimizer
        self._metrics_asked = self._metrics_asked if metrics is _KEEP else metrics
        self._is_final = False
        try:
            metrics_for(self._metrics_asked, self.loss)
            if self._state is not None:
                self.finalize()
        except Exception:
            self.loss, self.optimizer, self._metrics_asked, self._is_final = before
            raise

    def finalize(self) -> None:
        """Put layers, loss and optimizer together, and draw parameters.

        The book asks for this call after ``add`` and ``set``. Here whatever
        needs it makes it, and a second call does nothing.

        Raises
        ------
        InputError
            If the layers do not fit each other or the loss.
        """
        if self._is_final:
            return
        check_layers(self.layers)
        inner = leaves(self.layers)
        shape = first_shape(inner)
        output_shape(inner, shape)
        split_head(inner, self.loss)
        metrics = metrics_for(self._metrics_asked, self.loss)
        fresh = {i: layer for i, layer in enumerate(inner) if not self._holds(layer)}
        named = {
            **self._known_parameters(inner),
            **initial_parameters(fresh, self.backend, self.seed),
        }
        optimizer_state = self._kept_optimizer_state(inner)
        self.leaves, self.input_shape, self.metrics = inner, shape, metrics
        self._place(self.backend, named)
        if optimizer_state:
            with self.backend.context():
                self._ready.restore_optimizer(optimizer_state)

    def _place(self, be: Backend, parameters: Named) -> None:
        """Lay the parameters out on a backend, and let the layers find them."""
        shapes = [
            {name: shape for name, (_, shape) in layer.initializers().items()}
            for layer in self.leaves
        ]
        learned, head, loss = split_head(self.leaves, self.loss)
        network = Network(
            backend=be,
            layers=fused(be, learned),
            head=tuple(head),
            loss=loss,
            optimizer=self.optimizer,
            metrics=tuple(self.metrics),
            layout=layout_for(be, shapes),
        )
        self._executor = executor_for(network, self.compile)
        self._state = ModelState(network, parameters)
        outputs = output_shape(self.leaves, self.input_shape)
        if outputs is not None:
            with be.context():
                self._state.reset_totals(outputs)
        self._head = head
        self.backend = be
        for index, layer in enumerate(self.leaves):
            layer.bind(self._state, index, be)
        self._is_final = True

    def _restore(self, be: Backend, named: Named) -> None:
        self._place(be, named)
        with be.context():
            self._ready.restore_optimizer(named)

    def _holds(self, layer: Layer) -> bool:
        return self._state is not None and layer.store is self._state

    def _known_parameters(self, inner: Sequence[Layer]) -> Named:
        """Return the values of layers that this model holds already."""
        return {
            parameter_name(index, name): value
            for index, layer in enumerate(inner)
            if self._holds(layer)
            for name, value in layer.params.items()
        }

    def _kept_optimizer_state(self, inner: Sequence[Layer]) -> Named:
        """Return the optimizer's state, unless its parameters or it have changed."""
        state = self._state
        if (
            state is None
            or state.network.optimizer is not self.optimizer
            or list(map(id, inner)) != list(map(id, self.leaves))
        ):
            return {}
        named = state.export()
        return {k: v for k, v in named.items() if k.startswith(LEARNING_STATE)}

    @property
    def _ready(self) -> ModelState:
        """The state of the finalized model."""
        self.finalize()
        assert self._state is not None
        return self._state

    @property
    def _optimizer(self) -> Optimizer:
        if self.optimizer is None:
            raise InputError("the model has no optimizer")
        return self.optimizer

    # Sizes.

    @property
    def n_features(self) -> int | None:
        """Columns of the inputs, None where any number will do."""
        shape = self.input_shape
        return shape[0] if shape is not None and len(shape) == 1 else None

    @property
    def n_outputs(self) -> int | None:
        """Columns of the outputs, None where that depends on the inputs."""
        shape = output_shape(self.leaves, self.input_shape)
        return shape[0] if shape is not None and len(shape) == 1 else None

    # Parameters, as the book hands them around.

    def get_parameters(self) -> list[tuple[Array, ...]]:
        """Return copies of the parameters of each layer that has any.

        Returns
        -------
        list of tuple of array
            Such as ``[(weights, biases), ...]``, on the model's backend.
        """
        xp, state = self.backend.xp, self._ready
        return [
            tuple(xp.asarray(v, copy=True) for v in state.layer_parameters(i).values())
            for i, layer in enumerate(self.leaves)
            if layer.initializers()
        ]

    def set_parameters(self, parameters: Sequence[Sequence[Any]]) -> None:
        """Replace all parameters.

        Parameters
        ----------
        parameters : sequence of sequences of array
            As `get_parameters` returns them, of this model or another one with
            layers of the same sizes, on this model's backend or on the host.

        Raises
        ------
        InputError
            If a number or a shape does not fit; the model is then unchanged.
        """
        state, be = self._ready, self.backend
        trained = [i for i, layer in enumerate(self.leaves) if layer.initializers()]
        if not isinstance(parameters, (list, tuple)) or len(parameters) != len(trained):
            raise InputError(
                f"parameters must hold an entry for each of {len(trained)} layers"
            )
        checked = []
        for index, values in zip(trained, parameters, strict=True):
            shapes = {k: s for k, (_, s) in self.leaves[index].initializers().items()}
            if not isinstance(values, (list, tuple)) or len(values) != len(shapes):
                raise InputError(
                    f"parameters of layer {index} must be ({', '.join(shapes)})"
                )
            for (name, shape), value in zip(shapes.items(), values, strict=True):
                full_name = parameter_name(index, name)
                array = check_array(be, value, full_name, host_allowed=True)
                if tuple(array.shape) != shape:
                    raise InputError(
                        f"{full_name} must have shape {shape}, got {tuple(array.shape)}"
                    )
                checked.append((index, name, be.asarray(array, be.dtype)))
        for index, name, array in checked:
            # The model's own from now on, whatever becomes of the given array.
            own = be.xp.asarray(array, copy=True)
            state.assign_parameter(index, name, own)


def _unit(kind: str, value: Any, base: type, present: Any) -> Any:
    """Return the unit that is asked for, None for none, or the present one."""
    if value is _KEEP:
        return present
    return None if value is None else resolve(kind, value, kind, base)
