"""The book's optimizers, called layer by layer.

Their caches stay in the optimizer, not on the layers: another optimizer for the
same layers begins with caches of its own.
"""

from __future__ import annotations

from typing import Any

from nnfs_xp import optimizers
from nnfs_xp.layers import Layer
from nnfs_xp.optimizers.gathering import gather


class BookOptimizer(optimizers.Optimizer):
    """What all optimizers of the book share: three calls for each step.

    Attributes
    ----------
    current_learning_rate : float
        The learning rate with its decay, since the last `pre_update_params`.
    iterations : int
        Steps so far, counted by `post_update_params`.
    """

    _current: float | None = None

    @property
    def current_learning_rate(self) -> float:
        """The learning rate with its decay."""
        return self.rate_at(0) if self._current is None else self._current

    @current_learning_rate.setter
    def current_learning_rate(self, value: float) -> None:
        self._current = value

    def pre_update_params(self) -> None:
        """Compute the learning rate of this step."""
        self._current = self.rate_at(self.iterations)

    def update_params(self, layer: Layer) -> None:
        """Update the parameters of one layer, after its ``backward``.

        Parameters
        ----------
        layer : Layer
            A layer with parameters and gradients.
        """
        be, _, parameters, gradients = gather([layer])
        own = self._layer_states.get(id(layer))
        state = self.init(be, parameters) if own is None else own[1]
        with be.context():
            be.assign(state, "learning_rate", be.constant(self.current_learning_rate))
            step = be.asarray(self.iterations, "int32")
            be.assign(state, "step", step)
            self.update(be, parameters, gradients, state)
            if not be.in_place:
                for name in layer.initializers():
                    layer.replace_parameter(name, parameters[f"0.{name}"])
        # The layer is kept with its state, so that its id stays its own.
        self._layer_states[id(layer)] = layer, state

    def post_update_params(self) -> None:
        """Count the step."""
        self.iterations += 1

    @property
    def _layer_states(self) -> dict[int, tuple[Layer, dict[str, Any]]]:
        return self.__dict__.setdefault("_states_by_layer", {})


class Optimizer_SGD(BookOptimizer, optimizers.SGD):
    """`nnfs_xp.SGD` under the book's name.

    Parameters
    ----------
    learning_rate : float, default 1.0
    decay : float, default 0
    momentum : float, default 0

    Examples
    --------
    >>> import nnfs_xp.book as nnfs
    >>> optimizer = nnfs.Optimizer_SGD(decay=1.0, momentum=0.9)
    >>> optimizer.post_update_params()
    >>> optimizer.pre_update_params()
    >>> optimizer.current_learning_rate
    0.5
    """

    saved_as = optimizers.SGD

    def __init__(
        self, learning_rate: float = 1.0, decay: float = 0.0, momentum: float = 0.0
    ) -> None:
        super().__init__(learning_rate, momentum=momentum, decay=decay)


class Optimizer_Adagrad(BookOptimizer, optimizers.Adagrad):
    """`nnfs_xp.Adagrad` under the book's name.

    Parameters
    ----------
    learning_rate : float, default 1.0
    decay : float, default 0
    epsilon : float, default 1e-7

    Examples
    --------
    >>> import nnfs_xp.book as nnfs
    >>> nnfs.Optimizer_Adagrad(decay=1e-4).decay
    0.0001
    """

    saved_as = optimizers.Adagrad

    def __init__(
        self, learning_rate: float = 1.0, decay: float = 0.0, epsilon: float = 1e-7
    ) -> None:
        super().__init__(learning_rate, epsilon, decay=decay)


class Optimizer_RMSprop(BookOptimizer, optimizers.RMSprop):
    """`nnfs_xp.RMSprop` under the book's name.

    Parameters
    ----------
    learning_rate : float, default 0.001
    decay : float, default 0
    epsilon : float, default 1e-7
    rho : float, default 0.9

    Examples
    --------
    >>> import nnfs_xp.book as nnfs
    >>> nnfs.Optimizer_RMSprop(learning_rate=0.02, decay=1e-5, rho=0.999).rho
    0.999
    """

    saved_as = optimizers.RMSprop

    def __init__(
        self,
        learning_rate: float = 0.001,
        decay: float = 0.0,
        epsilon: float = 1e-7,
        rho: float = 0.9,
    ) -> None:
        super().__init__(learning_rate, rho=rho, epsilon=epsilon, decay=decay)


class Optimizer_Adam(BookOptimizer, optimizers.Adam):
    """`nnfs_xp.Adam` under the book's name.

    Parameters
    ----------
    learning_rate : float, default 0.001
    decay : float, default 0
    epsilon : float, default 1e-7
    beta_1, beta_2 : float, default 0.9 and 0.999

    Examples
    --------
    >>> import nnfs_xp.book as nnfs
    >>> nnfs.Optimizer_Adam(learning_rate=0.05, decay=5e-7).learning_rate
    0.05
    """

    saved_as = optimizers.Adam

    def __init__(
        self,
        learning_rate: float = 0.001,
        decay: float = 0.0,
        epsilon: float = 1e-7,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
    ) -> None:
        super().__init__(learning_rate, beta_1, beta_2, epsilon, decay=decay)
