"""Cases of the layers of images, beside PyTorch's functions, whose channels are second.

PyTorch has no "same" with a stride. What it would put around images is computed here
from the definition, one position of the window after the other.
"""

import numpy as np

import nnfs_xp as nx
from tests.matrix.cases.types import LayerCase

_random = np.random.default_rng(20261128)
normal = _random.standard_normal
INFINITY = float("inf")


def distinct(shape):
    """Return numbers that are all far from each other: no two are the largest."""
    count = int(np.prod(shape))
    return _random.permutation(np.linspace(-3.0, 3.0, count)).reshape(shape)


def _pair(value, axes):
    return tuple(value) if isinstance(value, (tuple, list)) else (value,) * axes


def _sides(lengths, sizes, strides, padding, dilations):
    """Return what is put before and after each axis."""
    if padding == "valid":
        return [(0, 0)] * len(lengths)
    if padding != "same":
        return [(width, width) for width in _pair(padding, len(lengths))]
    found = []
    for length, size, step, apart in zip(
        lengths, sizes, strides, dilations, strict=True
    ):
        positions = range(0, length, step)
        beyond = positions[-1] + (size - 1) * apart + 1 - length
        before = max(beyond, 0) // 2
        found.append((before, max(beyond, 0) - before))
    return found


def _put_around(torch, x, sides, value=0.0):
    """Pad channels-second images; PyTorch names the last axis first."""
    flat = [width for side in reversed(sides) for width in side]
    return torch.nn.functional.pad(x, flat, value=value)


def _settings(x, size, stride, padding, dilation=1):
    axes = x.ndim - 2
    sizes, strides, apart = (_pair(v, axes) for v in (size, stride, dilation))
    return sizes, strides, _sides(x.shape[2:], sizes, strides, padding, apart), apart


def _convolution(unit, x, channels, filters, size, **options):
    """Return a case, by PyTorch's convolution of as many axes."""

    def torch_forward(torch, values, x):
        second = torch.movedim(x, -1, 1)
        stride, padding = options.get("stride", 1), options.get("padding", "valid")
        dilation = options.get("dilation", 1)
        _, strides, sides, apart = _settings(second, size, stride, padding, dilation)
        weights = torch.movedim(values["weights"], (-1, -2), (0, 1))
        biases = values["biases"][0] if "biases" in values else None
        function = getattr(torch.nn.functional, f"conv{x.ndim - 2}d")
        y = function(
            _put_around(torch, second, sides), weights, biases, strides, 0, apart,
            options.get("groups", 1),
        )  # fmt: skip
        return torch.movedim(y, 1, -1)

    return LayerCase(lambda: unit(channels, filters, size, **options), x, torch_forward)


def _conv2d(x, *arguments, **options):
    return _convolution(nx.Conv2D, x, x.shape[-1], *arguments, **options)


def _conv1d(x, *arguments, **options):
    return _convolution(nx.Conv1D, x, x.shape[-1], *arguments, **options)


def _max_pool(x, *arguments, **options):
    unit = nx.MaxPool2D(*arguments, **options)

    def torch_forward(torch, values, x):
        second = torch.movedim(x, -1, 1)
        stride = unit.size if unit.stride is None else unit.stride
        sizes, strides, sides, _ = _settings(second, unit.size, stride, unit.padding)
        wide = _put_around(torch, second, sides, -INFINITY)
        y = torch.nn.functional.max_pool2d(wide, sizes, strides)
        return torch.movedim(y, 1, -1)

    return LayerCase(lambda: nx.MaxPool2D(*arguments, **options), x, torch_forward)


def _average_pool(x, *arguments, **options):
    unit = nx.AveragePool2D(*arguments, **options)

    def torch_forward(torch, values, x):
        second = torch.movedim(x, -1, 1)
        stride = unit.size if unit.stride is None else unit.stride
        sizes, strides, sides, _ = _settings(second, unit.size, stride, unit.padding)
        total, count = (
            torch.nn.functional.avg_pool2d(
                _put_around(torch, of, sides), sizes, strides, divisor_override=1
            )
            for of in (second, torch.ones_like(second))
        )
        return torch.movedim(total / count, 1, -1)

    return LayerCase(lambda: nx.AveragePool2D(*arguments, **options), x, torch_forward)


def _up_sampling(size, x):
    def torch_forward(torch, values, x):
        y = torch.movedim(x, -1, 1)
        y = torch.nn.functional.interpolate(y, scale_factor=_pair(size, 2))
        return torch.movedim(y, 1, -1)

    return LayerCase(lambda: nx.UpSampling2D(size), x, torch_forward)


def _zero_padding(padding, sides, x):
    def torch_forward(torch, values, x):
        return torch.nn.functional.pad(x, (0, 0, *sides))

    return LayerCase(lambda: nx.ZeroPadding2D(padding), x, torch_forward)


def _group_norm(groups, x, **options):
    def torch_forward(torch, values, x):
        y = torch.nn.functional.group_norm(
            torch.movedim(x, -1, 1), groups, values["gamma"], values["beta"],
            **{"eps": 1e-5, **options},
        )  # fmt: skip
        return torch.movedim(y, 1, -1)

    n = x.shape[-1]
    return LayerCase(lambda: nx.GroupNorm(n, groups, **options), x, torch_forward)


def _rms_norm(x, eps=1e-6):
    def torch_forward(torch, values, x):
        n = x.shape[-1:]
        return torch.nn.functional.rms_norm(x, n, values["gamma"], eps)

    return LayerCase(lambda: nx.RMSNorm(x.shape[-1], eps), x, torch_forward)


_weights = {
    "weight_initializer": "glorot_uniform",
    "weight_constraint": nx.MaxNorm(3.0),
}

IMAGES = {
    "Conv2D": [
        _conv2d(normal((2, 5, 4, 3)), 2, 3),
        # One image, one pixel, one of everything.
        _conv2d(normal((1, 1, 1, 1)), 1, 1),
        _conv2d(normal((2, 6, 5, 2)), 3, (3, 2), stride=2, padding="same"),
        # The window does not reach all pixels.
        _conv2d(normal((1, 8, 7, 2)), 3, 2, stride=3),
        _conv2d(normal((2, 7, 5, 1)), 2, 2, stride=(4, 3), padding="same"),
        _conv2d(normal((2, 6, 5, 4)), 6, 3, padding=(2, 1), groups=2, use_bias=False),
        # A filter for each channel, and two of them.
        _conv2d(normal((2, 5, 5, 3)), 6, 3, padding="same", groups=3),
        _conv2d(normal((1, 9, 8, 2)), 2, (3, 2), dilation=(2, 3), stride=(1, 2)),
        _conv2d(normal((2, 4, 5, 2)), 3, 3, dilation=2, padding="same", **_weights),
        # More zeros than the window has places.
        _conv2d(normal((1, 2, 3, 1)), 2, 2, padding=3, stride=2),
        _conv2d(normal((2, 3, 4, 4)), 5, 1, stride=2),
    ],
    "Conv1D": [
        _conv1d(normal((2, 6, 3)), 2, 3),
        _conv1d(normal((1, 1, 1)), 1, 1),
        _conv1d(normal((2, 7, 4)), 6, 4, stride=2, padding="same", groups=2),
        _conv1d(normal((2, 5, 2)), 3, 2, stride=3, padding=1, use_bias=False),
        _conv1d(normal((1, 9, 2)), 2, 3, dilation=3, padding="same"),
    ],
    "MaxPool2D": [
        _max_pool(distinct((2, 4, 6, 2))),
        _max_pool(distinct((1, 1, 1, 1)), 1),
        _max_pool(distinct((2, 5, 7, 3)), 2),
        _max_pool(distinct((2, 5, 6, 2)), 3, 2, padding="same"),
        _max_pool(distinct((1, 6, 5, 2)), (3, 2), 1, padding=(2, 1)),
        _max_pool(distinct((2, 8, 7, 1)), 2, 3),
    ],
    "AveragePool2D": [
        _average_pool(normal((2, 4, 6, 2))),
        _average_pool(normal((1, 1, 1, 1)), 1),
        _average_pool(normal((2, 5, 7, 3)), 2),
        _average_pool(normal((2, 5, 6, 2)), 3, 2, padding="same"),
        _average_pool(normal((1, 6, 5, 2)), (3, 2), 1, padding=(2, 1)),
        _average_pool(normal((2, 8, 7, 1)), 2, 3),
    ],
    "GlobalAveragePool2D": [
        LayerCase(
            nx.GlobalAveragePool2D,
            normal(shape),
            lambda torch, values, x: torch.nn.functional.adaptive_avg_pool2d(
                torch.movedim(x, -1, 1), 1
            )[:, :, 0, 0],
        )
        for shape in ((2, 3, 4, 2), (1, 1, 1, 1), (3, 5, 1, 2))
    ],
    "UpSampling2D": [
        _up_sampling(2, normal((2, 2, 3, 2))),
        _up_sampling((1, 3), normal((1, 3, 2, 1))),
        _up_sampling(1, normal((1, 1, 1, 1))),
    ],
    "ZeroPadding2D": [
        _zero_padding(1, (1, 1, 1, 1), normal((2, 2, 3, 2))),
        _zero_padding((0, 2), (2, 2, 0, 0), normal((1, 3, 2, 1))),
        _zero_padding(((1, 0), (2, 3)), (2, 3, 1, 0), normal((2, 1, 2, 3))),
        _zero_padding(0, (0, 0, 0, 0), normal((1, 1, 1, 1))),
    ],
    "GroupNorm": [
        _group_norm(2, normal((2, 3, 2, 4)) * 2 + 1),
        _group_norm(1, normal((3, 5, 3))),
        _group_norm(3, normal((2, 4, 3, 3))),
        _group_norm(2, normal((1, 6)), eps=0.1),
    ],
    "RMSNorm": [
        _rms_norm(normal((4, 5)) * 2 + 1),
        _rms_norm(normal((2, 3, 4))),
        _rms_norm(normal((1, 3)), eps=0.1),
    ],
}
