"""Cases of the layers that change pictures in training, each by slices in PyTorch."""

import numpy as np

import nnfs_xp as nx
from nnfs_xp.random import Stream
from tests.matrix.cases.types import STEP, LayerCase

normal = np.random.default_rng(20260714).standard_normal


def _drawn(kind, seed, number, shape, *arguments):
    """Return what the call of this number draws."""
    name = f"layer.noise#{number}" if number else "layer.noise"
    return getattr(Stream(seed, name, STEP), kind)(shape, *arguments)


def _flipped(seed, *axes):
    def torch_training(torch, values, x):
        drawn = [_drawn("bernoulli", seed, i, (len(x),), 0.5) for i in range(len(axes))]
        rows = []
        for flags, picture in zip(zip(*drawn, strict=True), x, strict=True):
            chosen = [axis for axis, flag in zip(axes, flags, strict=True) if flag]
            rows.append(torch.flip(picture, chosen))
        return torch.stack(rows)

    return torch_training


def _cropped(size, padding, fill, seed=None):
    """Return a function that cuts windows out of padded pictures, by slices."""

    def torch_forward(torch, values, x):
        n, room = len(x), [x.shape[i + 1] + 2 * padding - size[i] for i in (0, 1)]
        if seed is None:
            corners = [np.full(n, rest // 2) for rest in room]
        else:
            corners = [_drawn("integers", seed, i, (n,), room[i] + 1) for i in range(2)]
        channels = (0, 0) * (x.ndim - 3)
        pad = torch.nn.functional.pad
        padded = pad(x, (*channels, *(padding,) * 4), value=fill)
        windows = [
            picture[top : top + size[0], left : left + size[1]]
            for picture, top, left in zip(padded, *corners, strict=True)
        ]
        return torch.stack(windows)

    return torch_forward


def _translated(most, fill, seed):
    def torch_training(torch, values, x):
        size = x.shape[1:3]
        shifts = [
            _drawn("integers", seed, i, (len(x),), 2 * most[i] + 1) for i in (0, 1)
        ]
        y = torch.full_like(x, fill)
        for n, (down, right) in enumerate(zip(*shifts, strict=True)):
            moves = int(most[0] - down), int(most[1] - right)
            to, of = (
                [
                    slice(max(0, s * m), size[i] + min(0, s * m))
                    for i, m in enumerate(moves)
                ]
                for s in (1, -1)
            )
            y[n, to[0], to[1]] = x[n, of[0], of[1]]
        return y

    return torch_training


def _noisy(stddev, seed):
    def torch_training(torch, values, x):
        noise = _drawn("normal", seed, 0, tuple(x.shape))
        return x + stddev * torch.tensor(noise, dtype=x.dtype)

    return torch_training


def _same(torch, values, x):
    return x


AUGMENTATION = {
    "RandomFlip": [
        LayerCase(
            lambda: nx.RandomFlip("horizontal", seed=1),
            normal((5, 2, 3, 2)),
            _same,
            _flipped(1, 1),
        ),
        LayerCase(
            lambda: nx.RandomFlip(seed=2), normal((6, 3, 2)), _same, _flipped(2, 1, 0)
        ),
        LayerCase(
            lambda: nx.RandomFlip("vertical", seed=3),
            normal((1, 1, 1, 1)),
            _same,
            _flipped(3, 0),
        ),
    ],
    "RandomCrop": [
        LayerCase(
            lambda: nx.RandomCrop(2, 3, seed=1),
            normal((5, 4, 4, 2)),
            _cropped((2, 3), 0, 0.0),
            _cropped((2, 3), 0, 0.0, 1),
        ),
        LayerCase(
            lambda: nx.RandomCrop(3, 4, padding=2, fill_value=0.5, seed=2),
            normal((4, 3, 4)),
            _cropped((3, 4), 2, 0.5),
            _cropped((3, 4), 2, 0.5, 2),
        ),
        # Larger than the picture, which it has in its middle.
        LayerCase(
            lambda: nx.RandomCrop(4, 3, padding=2, seed=3),
            normal((1, 1, 1, 1)),
            _cropped((4, 3), 2, 0.0),
            _cropped((4, 3), 2, 0.0, 3),
        ),
    ],
    "RandomTranslation": [
        LayerCase(
            lambda: nx.RandomTranslation(0.3, 0.5, seed=1),
            normal((5, 4, 6, 2)),
            _same,
            _translated((1, 3), 0.0, 1),
        ),
        # Some pictures are moved out altogether.
        LayerCase(
            lambda: nx.RandomTranslation(1.0, 1.0, fill_value=-1.5, seed=2),
            normal((6, 2, 2)),
            _same,
            _translated((2, 2), -1.5, 2),
        ),
        LayerCase(
            lambda: nx.RandomTranslation(0.0, 0.0, seed=3),
            normal((1, 1, 1, 1)),
            _same,
            _translated((0, 0), 0.0, 3),
        ),
    ],
    "GaussianNoise": [
        LayerCase(
            lambda: nx.GaussianNoise(0.5, seed=1), normal((3, 4)), _same, _noisy(0.5, 1)
        ),
        LayerCase(
            lambda: nx.GaussianNoise(0.0, seed=2),
            normal((2, 3, 1)),
            _same,
            _noisy(0.0, 2),
        ),
    ],
}
