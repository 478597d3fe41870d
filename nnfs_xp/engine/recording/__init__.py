"""Recording of a step on NumPy: calls are noted, and replayed in fixed buffers."""

from nnfs_xp.engine.recording.backend import RecordedDraws
from nnfs_xp.engine.recording.kernels import MadeWhole
from nnfs_xp.engine.recording.noted import Noted
from nnfs_xp.engine.recording.recorder import Recorder
from nnfs_xp.engine.recording.recording import Bound, Recording
from nnfs_xp.engine.recording.tape import CannotRecord, StalePlanError
from nnfs_xp.engine.recording.trees import placed, values
from nnfs_xp.engine.recording.walks import mapped

__all__ = [
    "Bound", "CannotRecord", "MadeWhole", "Noted", "RecordedDraws", "Recorder",
    "Recording", "StalePlanError", "mapped", "placed", "values",
]  # fmt: skip
