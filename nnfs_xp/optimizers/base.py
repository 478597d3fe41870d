"""The shell around an optimizer's pure functions.

An author names the moments of an elementwise rule, and writes
``rule(be, w, dw, state, *moments) -> (w, *moments)``; or, for anything else,
``init(be, parameters)`` and ``apply(be, parameters, gradients, state)``. Their
arguments are dicts of arrays whose slots are written to: in place if arrays allow it,
by assigning a new array to the slot otherwise. The arrays may be single parameters, or
one flat buffer with all of them, which makes no difference to an elementwise formula.
If it does make a difference, the optimizer sets ``by_parameter`` and receives single
parameters by their paths.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any

from nnfs_xp.arguments import (
    check_count,
    check_decay,
    check_names,
    check_positive,
    check_rate,
)
from nnfs_xp.backends import Array, Backend
from nnfs_xp.checks import check_settings
from nnfs_xp.engine.layout import Layout
from nnfs_xp.engine.loss_scaling import keep, snapshot
from nnfs_xp.errors import InputError
from nnfs_xp.layers.base import Layer
from nnfs_xp.optimizers.clipping import Slots, clip_by_norm, clip_by_value
from nnfs_xp.optimizers.collecting import collect_gradients, constrain, put_back
from nnfs_xp.optimizers.learning_rate import HasLearningRate
from nnfs_xp.schedules.base import LearningRate


class Optimizer(HasLearningRate):
    """Base of all optimizers.

    Parameters
    ----------
    learning_rate : float, Schedule or callable
        Factor of every update: a number of 0 or more, a `Schedule`, or any function of
        the step number, counted from 0.
    decay : float, default 0.0
        The book's decay, 0 or more, of a learning rate that is a number. After ``t``
        steps, the rate is ``learning_rate / (1 + decay t)``.
    clip_value : float, optional
        Elements of the gradients are clipped to ``[-clip_value, clip_value]``.
    clip_norm : float, optional
        Largest Euclidean norm of all gradients together. Gradients with a larger norm
        are scaled down to it, after `clip_value` is applied. PyTorch's
        ``clip_grad_norm_`` adds 1e-6 to the norm by which it divides; nothing is added
        here.
    weight_decay : float, default 0.0
        0 or more. Before each step, every parameter shrinks by the fraction
        ``learning_rate * weight_decay``. The decay is decoupled, that is, not part of
        the gradient, unlike in PyTorch's ``SGD`` and ``Adam``.
    undecayed : sequence of str, default ()
        Parameters that do not decay: names, such as ``("biases", "gamma", "beta")``, or
        full paths, such as ``"0.weights"``.
    accumulate : int, default 1
        Number of batches whose gradients are averaged for one step. Batches of equal
        size then give the same step as a single large one. Schedules count these steps,
        not the batches.
    ema : float, optional
        Decay, in [0, 1), of an exponential moving average of the parameters, which is
        updated after each step and its constraints: ``a = ema * a + (1 - ema) * w``.
        The average starts with the parameters after the first step.
        `Model.averaged_parameters` returns it.

    Attributes
    ----------
    iterations : int
        Number of steps taken by ``step``. A model counts its own steps.
    by_parameter : bool
        Whether `rule` must receive single parameters, because it depends on more than
        one element at a time.

    Raises
    ------
    InputError
        If an argument is out of range, or `decay` is combined with a learning rate that
        is not a number.

    References
    ----------
    Kinsley and Kukiela, "Neural Networks from Scratch", chapter 10. Pascanu,
    Mikolov and Bengio, "On the difficulty of training recurrent neural
    networks", ICML 2013, algorithm 1, for `clip_norm`. Loshchilov and Hutter,
    "Decoupled Weight Decay Regularization", ICLR 2019, for `weight_decay`. Polyak and
    Juditsky, "Acceleration of stochastic approximation by averaging", 1992, for
    `ema`, with the weights that PyTorch's ``get_ema_multi_avg_fn`` and Keras's
    ``ema_momentum`` use.

    Examples
    --------
    >>> from nnfs_xp import SGD
    >>> optimizer = SGD(1.0, decay=0.5)
    >>> optimizer.rate_at(0), optimizer.rate_at(2)
    (1.0, 0.5)
    >>> SGD(lambda step: 0.1 if step < 100 else 0.01).rate_at(100)
    0.01
    """

    by_parameter: bool = False

    def __init__(
        self,
        learning_rate: LearningRate,
        *,
        decay: float = 0.0,
        clip_value: float | None = None,
        clip_norm: float | None = None,
        weight_decay: float = 0.0,
        undecayed: Sequence[str] = (),
        accumulate: int = 1,
        ema: float | None = None,
    ) -> None:
        super().__init__(learning_rate, decay)
        self.clip_value = _limit(clip_value, "clip_value")
        self.clip_norm = _limit(clip_norm, "clip_norm")
        self.weight_decay = check_rate(weight_decay, "weight_decay")
        self.undecayed = check_names(undecayed, "undecayed")
        self.accumulate = check_count(accumulate, "accumulate")
        self.ema = None if ema is None else check_decay(ema, "ema")
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
            state: dict[str, Any] = {
                "learning_rate": be.constant(rate),
                "step": be.zeros((), be.xp.int32),
            }
            for name in self.kept():
                state[name] = {k: be.xp.zeros_like(w) for k, w in parameters.items()}
            if self.ema is not None:
                for key, w in parameters.items():
                    be.assign(state["average"], key, w)
            return state

    def kept(self) -> tuple[str, ...]:
        """Return the names of everything kept for each parameter."""
        more = {"accumulated": self.accumulate > 1, "average": self.ema is not None}
        return *self.moments(), *(name for name, needed in more.items() if needed)

    def update(
        self,
        be: Backend,
        parameters: Slots,
        gradients: Slots,
        state: dict[str, Any],
        *,
        counted: bool = False,
        layout: Layout | None = None,
        constrain: Callable[[], None] | None = None,
    ) -> None:
        """Take one step: write new values to the slots of parameters and state.

        With `counted`, the caller has already added 1 to ``state["step"]``. Without a
        `layout`, the slots are single parameters. `constrain` applies the constraints
        to the parameters after a step, before they are averaged.
        """
        if not counted:
            state["step"] += 1
        if self.accumulate == 1:
            self._take_step(be, parameters, gradients, state, layout, constrain)
            return
        batches, total = state["step"], state["accumulated"]
        for key, dw in gradients.items():
            be.assign(total, key, total[key] + dw / self.accumulate)
        # There is no branch on a number of the device: the step is taken, and undone if
        # more batches follow.
        before = snapshot(be, parameters, state)
        steps = (batches + (self.accumulate - 1)) // self.accumulate
        # NumPy has turned it into a number, which not every kernel accepts.
        state["step"] = be.xp.asarray(steps)
        try:
            self._take_step(be, parameters, total, state, layout, constrain)
        finally:
            state["step"] = batches
        due = batches % self.accumulate == 0
        keep(be, due, before, parameters, state)
        for key, dw in total.items():
            be.assign(total, key, be.xp.where(due, be.xp.zeros_like(dw), dw))

    def _take_step(
        self,
        be: Backend,
        parameters: Slots,
        gradients: Slots,
        state: dict[str, Any],
        layout: Layout | None,
        constrain: Callable[[], None] | None,
    ) -> None:
        """Take a step with gradients that are not clipped yet."""
        if self.clip_value is not None:
            gradients = clip_by_value(be, gradients, self.clip_value)
        if self.clip_norm is not None:
            gradients = clip_by_norm(be, gradients, self.clip_norm)
        seen = state
        if layout is not None and self.by_parameter:
            parameters, gradients = layout.views(parameters), layout.views(gradients)
            seen = {
                k: layout.views(v) if isinstance(v, dict) else v
                for k, v in state.items()
            }
        if self.weight_decay:
            self.shrink(be, parameters, seen, layout)
        self.apply(be, parameters, gradients, seen)
        if constrain is not None:
            constrain()
        if self.ema is not None:
            first, average = state["step"] == 1, seen["average"]
            for key, w in parameters.items():
                moved = average[key] + (1.0 - self.ema) * (w - average[key])
                be.assign(average, key, be.xp.where(first, w, moved))

    def shrink(
        self,
        be: Backend,
        parameters: Slots,
        state: dict[str, Any],
        layout: Layout | None,
    ) -> None:
        """Decay the parameters, each by the same fraction of itself."""
        if self.undecayed and layout is not None and not self.by_parameter:
            parameters = layout.views(parameters)
        share = state["learning_rate"] * self.weight_decay
        for path, w in parameters.items():
            if self.decays(path):
                # As a difference: 1 - share would be rounded in float32.
                be.assign(parameters, path, w - share * w)

    def decays(self, path: str) -> bool:
        """Return whether `weight_decay` applies to the parameter with this path."""
        return not is_named(path, self.undecayed)

    def apply(
        self, be: Backend, parameters: Slots, gradients: Slots, state: dict[str, Any]
    ) -> None:
        """Write new values, given clipped gradients and a step counted from 1."""
        changing = [parameters, *(state[name] for name in self.moments())]
        for key, dw in gradients.items():
            w, *moments = old = [slots[key] for slots in changing]
            new = self.rule_of(key)(be, w, dw, state, *moments)
            for slots, before, after in zip(changing, old, new, strict=True):
                if after is not before:
                    be.assign(slots, key, after)

    def rule_of(self, path: str) -> Callable[..., tuple[Array, ...]]:
        """Return the rule for a parameter: `rule`, unless it has a different one.

        The paths are known only if `by_parameter` is set.
        """
        return self.rule

    def moments(self) -> tuple[str, ...]:
        """Return the names of the arrays kept for each parameter, initially 0."""
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
            The same layers, in the same order, in every call. Those without parameters
            may be omitted.

        Raises
        ------
        InputError
            If the layers change or are on two backends; if a layer has no gradients
            yet, or if their shapes differ from those of its parameters; or if the
            learning rate of this step is not a finite number of 0 or more.
        """
        if self._layers and list(map(id, layers)) != list(map(id, self._layers)):
            raise InputError("layers must be the same at every step")
        be, parameters, gradients, owners = collect_gradients(layers)
        state = self._state or self.init(be, parameters)
        self._rate_written = self.write_rate(
            be, state, self.iterations, self._rate_written
        )
        self._layers, self._state = layers, state
        with be.context():
            constraints = functools.partial(constrain, be, parameters, owners)
            self.update(be, parameters, gradients, state, constrain=constraints)
            if not be.in_place:
                put_back(parameters, owners)
        self.iterations += 1


def is_named(path: str, names: Sequence[str]) -> bool:
    """Return whether a path, or the parameter's name alone, is one of these."""
    return path in names or path.rpartition(".")[2] in names


def _limit(value: Any, name: str) -> float | None:
    return None if value is None else check_positive(value, name)
