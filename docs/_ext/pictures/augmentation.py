"""Pictures of the layers that change pictures."""

from __future__ import annotations

import functools

import numpy as np
from matplotlib.figure import Figure

import nnfs_xp as nx
from _ext.pictures.drawing import panels
from nnfs_xp.data import load_dataset
from nnfs_xp.plots.style import set_title

DRAWS = 5


def draws_of(make: functools.partial, row: int = 7) -> Figure:
    """Return a packaged picture, and what a layer makes of it in five steps."""
    data = load_dataset("fashion-mnist-mini")
    picture = data.features("train")[row].reshape(1, 28, 28, 1)
    unit = make()
    shown = {"picture": picture}
    shown |= {f"step {step}": unit.forward(picture) for step in range(DRAWS)}
    figure, axes = panels(len(shown), width=1.5, height=1.9)
    for ax, (name, array) in zip(axes, shown.items(), strict=True):
        ax.imshow(np.asarray(array)[0, :, :, 0], cmap="gray", vmin=-1, vmax=1)
        ax.set_axis_off()
        set_title(ax, name)
    return figure


MADE = {
    "RandomFlip": functools.partial(nx.RandomFlip, seed=2),
    "RandomCrop": functools.partial(
        nx.RandomCrop, 28, 28, padding=6, fill_value=-1.0, seed=2
    ),
    "RandomTranslation": functools.partial(
        nx.RandomTranslation, 0.2, 0.2, fill_value=-1.0, seed=2
    ),
    "GaussianNoise": functools.partial(nx.GaussianNoise, 0.5, seed=2),
}
AUGMENTATION = {name: functools.partial(draws_of, make) for name, make in MADE.items()}
