"""ResNet-18 for images of 32 x 32, written down with blocks, and the same in PyTorch.

The layout of He, Zhang, Ren and Sun, "Deep Residual Learning for Image Recognition",
CVPR 2016, with the first layer that is usual for small images: a window of 3 without
pooling after it.
"""

import numpy as np

import nnfs_xp as nx

WIDTHS, BLOCKS = (1, 2, 4, 8), 2


def convolution(n_channels, n_filters, stride=1, size=3):
    return [
        nx.Conv2D(
            n_channels, n_filters, size, stride=stride, padding=size // 2,
            use_bias=False,
        ),
        nx.BatchNorm(n_filters),
    ]  # fmt: skip


def block(n_channels, n_filters, stride):
    """Two convolutions, and a way around them, which is one where shapes change."""
    main = nx.Sequential(
        [
            *convolution(n_channels, n_filters, stride),
            nx.ReLU(),
            *convolution(n_filters, n_filters),
        ]
    )
    if stride == 1 and n_channels == n_filters:
        return nx.Sequential([nx.Residual(main), nx.ReLU()])
    around = nx.Sequential(convolution(n_channels, n_filters, stride, size=1))
    return nx.Sequential([nx.Parallel([main, around]), nx.Add(), nx.ReLU()])


def resnet18(width=64, n_channels=3, n_classes=10):
    layers, n = [*convolution(n_channels, width), nx.ReLU()], width
    for stage, times in enumerate(WIDTHS):
        for number in range(BLOCKS):
            stride = 2 if stage and not number else 1
            layers.append(block(n, times * width, stride))
            n = times * width
    return [
        *layers, nx.GlobalAveragePool2D(), nx.Dense(n, n_classes), nx.Softmax()
    ]  # fmt: skip


def torch_resnet18(torch, width=64, n_channels=3, n_classes=10):
    """Return PyTorch's module of the same layout, with no line of ours."""
    nn = torch.nn

    class Block(nn.Module):
        def __init__(self, before, after, stride):
            super().__init__()
            self.conv1 = nn.Conv2d(before, after, 3, stride, 1, bias=False)
            self.bn1 = nn.BatchNorm2d(after)
            self.conv2 = nn.Conv2d(after, after, 3, 1, 1, bias=False)
            self.bn2 = nn.BatchNorm2d(after)
            self.short = None
            if stride > 1 or before != after:
                self.short = nn.Sequential(
                    nn.Conv2d(before, after, 1, stride, bias=False),
                    nn.BatchNorm2d(after),
                )

        def forward(self, x):
            y = torch.relu(self.bn1(self.conv1(x)))
            y = self.bn2(self.conv2(y))
            return torch.relu(y + (x if self.short is None else self.short(x)))

    layers = [
        nn.Conv2d(n_channels, width, 3, 1, 1, bias=False), nn.BatchNorm2d(width),
        nn.ReLU(),
    ]  # fmt: skip
    n = width
    for stage, times in enumerate(WIDTHS):
        for number in range(BLOCKS):
            layers.append(Block(n, times * width, 2 if stage and not number else 1))
            n = times * width
    layers += [nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(n, n_classes)]
    return nn.Sequential(*layers).double()


# Ours, in the order in which both say what they have, and PyTorch's in our layout.


def torch_arrays(module):
    """Return what a module has learned and keeps, as arrays of our shapes."""
    found = []
    for name, tensor in module.state_dict().items():
        array = tensor.detach().numpy()
        if name.endswith("num_batches_tracked"):
            continue
        if array.ndim == 4:
            array = array.transpose(2, 3, 1, 0)
        elif array.ndim == 2:
            array = array.T
        found.append(array)
    return found


def leaves_of(model):
    """Yield the layers with parameters or statistics, as PyTorch orders them."""
    return [leaf for leaf in model.leaves if leaf.parameters() or leaf.state()]


def names_of(leaf):
    """Return the names of what a layer has, in PyTorch's order."""
    if isinstance(leaf, nx.BatchNorm):
        return ["gamma", "beta", "mean", "variance"]
    return ["weights", "biases"] if leaf.use_bias else ["weights"]


def take_over(model, module):
    """Give a model the values of PyTorch's module."""
    arrays = iter(torch_arrays(module))
    be = model.backend
    for leaf in leaves_of(model):
        for name in names_of(leaf):
            setattr(leaf, name, be.asarray(np.ascontiguousarray(next(arrays))))
    assert next(arrays, None) is None


def arrays_of(model):
    """Return what a model has learned and keeps."""
    return [
        (f"{leaf!r}.{name}", model.backend.to_numpy(getattr(leaf, name)))
        for leaf in leaves_of(model)
        for name in names_of(leaf)
    ]
