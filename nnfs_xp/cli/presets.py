"""What suits each data set, where the user does not say."""

from __future__ import annotations

import dataclasses


@dataclasses.dataclass(frozen=True)
class Preset:
    """Settings of a training run.

    Attributes
    ----------
    hidden : tuple of int
        Neurons of each hidden layer.
    epochs, batch_size : int
    learning_rate : float
    """

    hidden: tuple[int, ...]
    epochs: int
    batch_size: int
    learning_rate: float


# The book's network for Fashion-MNIST, and smaller ones for smaller data.
_FASHION = Preset((128, 128), 15, 128, 0.001)
_PRESETS = {
    "fashion-mnist-mini": _FASHION,
    "fashion-mnist": dataclasses.replace(_FASHION, epochs=10),
    "digits": Preset((128, 64), 30, 64, 0.001),
    "spiral": Preset((64, 64), 150, 32, 0.02),
    "vertical": Preset((64,), 100, 32, 0.01),
}


def preset_for(data: str) -> Preset:
    """Return the settings for a data set, or those for the user's own files."""
    return _PRESETS.get(data, Preset((128, 128), 30, 128, 0.001))
