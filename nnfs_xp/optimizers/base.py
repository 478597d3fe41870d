"""The shell around an optimizer's pure functions.

An author names the moments of an elementwise rule, and writes ``rule(be, w, dw,
state, *moments) -> (w, *moments)``; or, for anything else, ``init(be, parameters)``
and ``apply(be, parameters, gradients, state)``. These are dicts of arrays whose slots
are written to: in place where arrays allow it, by a new array in the slot where they
do not. The arrays may be those of single parameters, or one flat buffer with all of
them; an elementwise formula does not see the difference.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from nnfs_xp.arguments import check_positive
from nnfs_xp.backends import Array, Backend
from nnfs_xp.checks import check_settings
from nnfs_xp.errors import InputError
from nnfs_xp.layers.base import Layer
from nnfs_xp.optimizers.clipping import Slots, clip_by_norm, clip_by_value
from nnfs_xp.optimizers.collecting import collect_gradients, put_back
from nnfs_xp.optimizers.learning_rate import HasLearningRate
from nnfs_xp.schedules.base import LearningRate


class Optimizer(HasLearningRate):
    """Base of all optimizers.

    Parameters
    ----------
    learning_rate : float, Schedule or callable
        Factor of every update: a number of 0 or more, a `Schedule`, or any
        function of the step's number, counted from 0.
    decay : float, default 0.0
        The book's decay of a learning rate that is a number, 0 or more. The
        rate of a step with ``t`` before it is ``learning_rate / (1 + decay t)``.
    clip_value : float, optional
        Entries of the gradients are moved into ``[-clip_value, clip_value]``.
    clip_norm : float, optional
        All gradients together are scaled down to this Euclidean norm where
        theirs is larger, after `clip_value`. PyTorch's ``clip_grad_norm_``
        adds 1e-6 to the norm it divides by; nothing is added here.

    Attributes
    ----------
    iterations : int
        Steps taken by ``step``. A model counts those of its own.

    Raises
    ------
    InputError
        If an argument is out of its range, or `decay` meets a learning rate
        that is not a number.

    References
    ----------
    Kinsley and Kukiela, "Neural Networks from Scratch", chapter 10. Pascanu,
    Mikolov and Bengio, "On the difficulty of training recurrent neural
    networks", ICML 2013, algorithm 1, for `clip_norm`.

    Examples
    --------
    >>> from nnfs_xp import SGD
    >>> optimizer = SGD(1.0, decay=0.5)
    >>> optimizer.rate_at(0), optimizer.rate_at(2)
    (1.0, 0.5)
    >>> SGD(lambda step: 0.1 if step < 100 else 0.01).rate_at(100)
    0.01
    """

    def __init__(
        self,
        learning_rate: LearningRate,
        *,
        decay: float = 0.0,
        clip_value: float | None = None,
        clip_norm: float | None = None,
    ) -> None:
        super().__init__(learning_rate, decay)
        self.clip_value = _limit(clip_value, "clip_value")
        self.clip_norm = _limit(clip_norm, "clip_norm")
        self.iterations = 0
        self._rate_written: float | None = None
        self._layers: Sequence[Layer] = ()
        self._state: dict[str, Any] = {}

    # The pure functions, written by the author of an optimizer.

    def init(self, be: Backend, parameters: Slots) -> dict[str, Any]:
        """Return the state before the first step.

        Learning rate and step counter are 0-d arrays: a Python number would
        be frozen into a compiled step.
        """
        check_settings(be, self)
        rate = self.rate_at(0)
        with be.context():
            zeros = {
                name: {k: be.xp.zeros_like(w) for k, w in parameters.items()}
                for name in self.moments()
            }
            return {
                "learning_rate": be.constant(rate),
                "step": be.zeros((), be.xp.int32),
                **zeros,
            }

    def update(
        self,
        be: Backend,
        parameters: Slots,
        gradients: Slots,
        state: dict[str, Any],
        *,
        counted: bool = False,
    ) -> None:
        """Take one step: write new values to the slots of parameters and state.

        With `counted` the caller has added 1 to ``state["step"]`` already.
        """
        if self.clip_value is not None:
            gradients = clip_by_value(be, gradients, self.clip_value)
        if self.clip_norm is not None:
            gradients = clip_by_norm(be, gradients, self.clip_norm)
        if not counted:
            state["step"] += 1
        self.apply(be, parameters, gradients, state)

    def apply(
        self, be: Backend, parameters: Slots, gradients: Slots, state: dict[str, Any]
    ) -> None:
        """Write new values, given clipped gradients and a step counted from 1."""
        changing = [parameters, *(state[name] for name in self.moments())]
        for key, dw in gradients.items():
            w, *moments = old = [slots[key] for slots in changing]
            new = self.rule(be, w, dw, state, *moments)
            for slots, before, after in zip(changing, old, new, strict=True):
                if after is not before:
                    be.assign(slots, key, after)

    def moments(self) -> tuple[str, ...]:
        """Return the names of what is kept for each parameter, 0 at first."""
        return ()

    def rule(
        self, be: Backend, w: Array, dw: Array, state: dict[str, Any], *moments: Array
    ) -> tuple[Array, ...]:
        """Return new parameters and moments; the old ones may be overwritten.

        ``state["learning_rate"]`` and ``state["step"]``, counted from 1, are 0-d.
        """
        raise NotImplementedError

    # The shell.

    def step(self, *layers: Layer) -> None:
        """Update layers that are used on their own, after their ``backward``.

        Parameters
        ----------
        *layers : Layer
            The same layers, in the same order, at every call. Those without
            parameters may be left out.

        Raises
        ------
        InputError
            If the layers change or are on two backends, or one has no
            gradients yet, or of another shape than its parameters; or if the
            learning rate of this step is no finite number of 0 or more.
        """
        if self._layers and list(map(id, layers)) != list(map(id, self._layers)):
            raise InputError("layers must be the same ones at every step")
        be, parameters, gradients, owners = collect_gradients(layers)
        state = self._state or self.init(be, parameters)
        self._rate_written = self.write_rate(
            be, state, self.iterations, self._rate_written
        )
        self._layers, self._state = layers, state
        with be.context():
            self.update(be, parameters, gradients, state)
            if not be.in_place:
                put_back(parameters, owners)
        self.iterations += 1


def _limit(value: Any, name: str) -> float | None:
    return None if value is None else check_positive(value, name)
