"""A training step on several ranks with NumPy: two recordings, and a sum between.

The first one writes the gradients of the rank's rows. They are added up over all ranks,
and the second one learns from them. See `nnfs_xp.engine.executors.recorded`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from nnfs_xp.engine.executors.recordings import (
    Recorded,
    arrays_of,
    kind_of,
    made,
    remember,
    row_by_row,
    saved,
    why_not_recorded,
    write_back,
)
from nnfs_xp.engine.held import Held, Watch, held
from nnfs_xp.engine.layout import FLAT
from nnfs_xp.engine.network import Network
from nnfs_xp.engine.program import Program
from nnfs_xp.engine.ranks.buckets import Writes
from nnfs_xp.engine.ranks.executor import Part, RanksExecutor, divide
from nnfs_xp.engine.ranks.shares import Share
from nnfs_xp.engine.recording import (
    CannotRecord,
    Noted,
    RecordedDraws,
    Recorder,
    StalePlanError,
)
from nnfs_xp.engine.statistics import batch_sums
from nnfs_xp.engine.step import Arrays, Batch, Tree, gradient_pass, learn
from nnfs_xp.parallel import Communicator
from nnfs_xp.trees import leaves, map_leaves


class RecordedRanksExecutor(RanksExecutor):
    """Records the parts before and after the sum over ranks, for each size of a part.

    Parameters
    ----------
    network : Network
        None of its units may be ``synchronized``, because a recording cannot wait for
        others.
    ranks : Communicator
    required : bool
        Whether a step that cannot be recorded is an error.
    """

    name = "recorded on ranks"

    def __init__(self, network: Network, ranks: Communicator, required: bool) -> None:
        super().__init__(network, ranks, required)
        self._step_by_step, self.required = self.note, required
        self.note = "recorded when a part of the same shape occurs again"
        self._passes, self._updates = _Recordings(), _Recordings()
        # What units of a user's own held when steps were recorded.
        self._held: Held = {}

    def train_share(self, state: Tree, batch: Batch, share: Share, step: int) -> None:
        """Take the training step of this number, with the rank's part of its batch."""
        if self._passes.ended:
            super().train_share(state, batch, share, step)
            return
        if (now := held(self.network)) != self._held:
            self._passes, self._updates, self._held = _Recordings(), _Recordings(), now
        watch = Watch(self.network)
        super().train_share(state, batch, share, step)
        if what := watch.changed():
            self._passes.ended = self._updates.ended = True
            self._end(CannotRecord(what))

    def _end(self, error: Exception) -> None:
        reason = why_not_recorded(error, self.required)
        self.note = f"{self._step_by_step} (not recorded: {reason})"

    def release(self) -> None:
        """Give up all buffers; recordings stay."""
        self._passes.release()
        self._updates.release()

    def _own_gradients(
        self, state: Tree, batch: Batch, weigh: Part
    ) -> tuple[Arrays, Tree]:
        batch = row_by_row(batch)
        given, share = arrays_of(batch), weigh.share

        def make() -> Recorded:
            return Recorded(self.network, state, given, gradients)

        def gradients(
            recorder: Recorder, twin: Network, noted: Tree, known: list[Any]
        ) -> Any:
            *x, y, weight = known
            inputs = tuple(x) if isinstance(batch.x, tuple) else x[0]
            own = Part(self, share)
            program = Program(twin, training=True, keeps=True, absorbs=True)
            self.buckets.begin()
            if self._sends_early:
                whole = noted["gradients"][FLAT]
                program.run.written = Writes(lambda path: note(recorder, whole, path))
            draws = RecordedDraws(recorder, self._share_draws)
            _, values = gradient_pass(
                twin, program, noted, Batch(inputs, y, weight), draws, own
            )
            values = batch_sums(twin, self._empty, values)
            return values, program.run.pending, own.divides

        def note(recorder: Recorder, whole: Noted, path: str) -> None:
            """Send parts of the gradients whenever the calls are replayed."""
            for part in self.buckets.wrote(path):
                view = recorder.view(whole, whole.array[part])
                recorder.note(self.buckets.send, [view], writes=[view])

        kind = kind_of(given), share.size
        found = self._taken(self._passes, kind, state, given, make)
        if found is None:
            return super()._own_gradients(state, batch, weigh)
        self.buckets.end_pass()
        values, pending, weigh.divides = found
        self.training.run.pending = dict(pending)
        return state["gradients"], values

    def _learn(
        self, state: Tree, gradients: Arrays, values: Tree, divides: bool
    ) -> None:
        pending = self.training.run.pending
        given = [*leaves(values), *pending.values()]

        def make() -> Recorded:
            before = saved(state, without=("frozen", "batch"))
            try:
                return made(
                    lambda: Recorded(self.network, state, given, learned),
                    lambda: write_back(before),
                )
            except BaseException:
                write_back(before)
                raise

        def learned(
            recorder: Recorder, twin: Network, noted: Tree, known: list[Any]
        ) -> Any:
            numbers = iter(known)
            of_batch = map_leaves(lambda _: next(numbers), values)
            program = Program(twin, training=True, keeps=True, absorbs=True)
            program.begin(noted)
            program.run.pending.update(zip(pending, numbers, strict=True))
            if divides:
                divide(twin.backend, noted["gradients"], of_batch["count"])
            learn(twin, program, noted, noted["gradients"], of_batch, 0)
            return noted.pop("batch")

        kind = kind_of(given), divides, tuple(pending)
        found = self._taken(self._updates, kind, state, given, make)
        if found is None:
            super()._learn(state, gradients, values, divides)
        else:
            state["batch"] = found

    def _taken(
        self,
        among: _Recordings,
        kind: Any,
        state: Tree,
        given: list[Any],
        make: Callable[[], Recorded],
    ) -> Any:
        """Return the results of recorded calls, or None if none were made."""

        def recorded() -> Recorded:
            found = made(make)
            if not (self._passes.ended or self._updates.ended):
                self.note = (
                    f"recorded before and after the sum over {self.ranks.size} ranks "
                    f"of {self.ranks.name}"
                )
            return found

        try:
            return among.take(kind, state, given, recorded)
        except Exception as error:
            among.ended = True
            self._end(error)
            return None


class _Recordings:
    """Recordings of one function, each made when a kind of arrays comes again.

    Attributes
    ----------
    ended : bool
        Whether no more are made.
    """

    def __init__(self) -> None:
        # None for a kind that has come once.
        self._kinds: dict[Any, Recorded | None] = {}
        self.ended = False

    def take(
        self, kind: Any, state: Tree, given: list[Any], make: Callable[[], Recorded]
    ) -> Any:
        """Return the results of recorded calls, or None if none were made."""
        known = self._kinds.get(kind)
        if known is not None:
            try:
                return known.outputs if known.take(state, given) else None
            except StalePlanError:
                self._kinds[kind] = None
                return None
        if kind in self._kinds and not self.ended:
            known = self._kinds[kind] = make()
            return known.outputs
        remember(self._kinds, kind)
        return None

    def release(self) -> None:
        """Give up all buffers."""
        for known in self._kinds.values():
            if known is not None:
                known.release()
