"""The backend of a step that is recorded: NumPy's, on noted arrays."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from nnfs_xp.backends.numpy import NumpyBackend
from nnfs_xp.engine.draws import Draws, HostDraws, Wanted
from nnfs_xp.engine.recording.noted import Noted

if TYPE_CHECKING:
    from nnfs_xp.engine.recording.recorder import Recorder


class RecordingBackend(NumpyBackend):
    """NumPy's backend, with new arrays that noted calls may write to.

    Parameters
    ----------
    be : NumpyBackend
    recorder : Recorder
    """

    def __init__(self, be: NumpyBackend, recorder: Recorder) -> None:
        vars(self).update(vars(be))
        self.xp = Namespace(be.xp, recorder)
        self.recorder = recorder

    def array_type(self) -> Any:
        """Return the classes of NumPy's arrays and scalars, and of noted arrays."""
        return (np.ndarray, np.generic, Noted)


class Namespace:
    """NumPy's namespace. Functions without an array to tell them are noted here."""

    def __init__(self, xp: Any, recorder: Recorder) -> None:
        self._xp, self._recorder = xp, recorder

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._xp, name)
        if name not in ("arange", "empty", "eye", "linspace", "ones", "zeros"):
            return found

        def made(*arguments: Any, **options: Any) -> Noted:
            return self._recorder.constant(found(*arguments, **options))

        return made

    def full(
        self, shape: Any, fill_value: Any, *, dtype: Any = None, device: Any = None
    ) -> Noted:
        """Return an array with one value everywhere."""
        if dtype is None:
            dtype = getattr(fill_value, "dtype", np.asarray(fill_value).dtype)
        return self._recorder.full(shape, fill_value, dtype)

    def asarray(
        self, obj: Any, /, *, dtype: Any = None, device: Any = None, copy: Any = None
    ) -> Any:
        """Return an array as it is, or as a copy."""
        if not isinstance(obj, Noted):
            return self._xp.asarray(obj, dtype=dtype, device=device, copy=copy)
        if copy or (dtype is not None and obj.dtype != np.dtype(dtype)):
            return self._recorder.copied(obj, dtype)
        return obj


class RecordedDraws(Draws):
    """Random numbers that are drawn anew at every step.

    Parameters
    ----------
    recorder : Recorder
    draws : HostDraws
        Knows the number of the step.
    """

    def __init__(self, recorder: Recorder, draws: HostDraws) -> None:
        super().__init__(recorder.plain)
        self._recorder, self._draws = recorder, draws

    def draw(self, key: str, seed: int, name: str, wanted: Wanted) -> Noted:
        """Note that the host draws, and return the numbers of this step."""
        draws = self._draws
        return self._recorder.host(lambda: draws.draw(key, seed, name, wanted))
