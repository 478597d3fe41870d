"""Ready-made layers of two networks: a small convolutional one, and a small GPT."""

from __future__ import annotations

from collections.abc import Sequence

from nnfs_xp.activations import ReLU, Softmax
from nnfs_xp.arguments import check_count, check_counts
from nnfs_xp.errors import InputError
from nnfs_xp.initializers import Normal
from nnfs_xp.layers import (
    Conv2D,
    Dense,
    Dropout,
    Embedding,
    Flatten,
    Layer,
    LayerNorm,
    LearnedPositions,
    MaxPool2D,
    Reshape,
    Sequential,
    TiedEmbedding,
    TransformerBlock,
)

__all__ = ["cnn", "gpt"]

_SMALLEST = 4


def cnn(image_shape: Sequence[int] | None, n_classes: int) -> list[Layer]:
    """Return two convolutions with pooling, and two dense layers, for pictures.

    Parameters
    ----------
    image_shape : sequence of int
        ``(height, width)`` or ``(height, width, channels)``. A row of as many values
        is a picture. None, which a data set without pictures has, is refused.
    n_classes : int
        Number of outputs, which are probabilities.

    Returns
    -------
    list of Layer
        For pictures of 28 x 28 and ten classes they have 80,602 parameters.

    Raises
    ------
    InputError
        If the pictures are smaller than 4 x 4, or an argument does not fit.

    Examples
    --------
    >>> from nnfs_xp import Model
    >>> from nnfs_xp.nets import cnn
    >>> model = Model(cnn((28, 28), 10))
    >>> sum(array.size for array in model.parameters.values())
    80602
    """
    shape = check_counts(image_shape, "image_shape")
    check_count(n_classes, "n_classes")
    if len(shape) not in (2, 3) or min(shape[:2]) < _SMALLEST:
        raise InputError(
            "image_shape must be (height, width) or (height, width, channels), with "
            f"{_SMALLEST} x {_SMALLEST} pixels or more, got {image_shape}"
        )
    height, width, channels = (*shape, 1)[:3]
    layers: list[Layer] = [Reshape((height, width, channels))]
    for n_channels, n_filters in ((channels, 16), (16, 32)):
        convolution = Conv2D(n_channels, n_filters, 3, padding="same")
        layers += [convolution, ReLU(), MaxPool2D(2)]
    n_inputs = (height // 4) * (width // 4) * 32
    layers += [Flatten(), Dropout(0.25), Dense(n_inputs, 48), ReLU()]
    return [*layers, Dense(48, n_classes), Softmax()]


def gpt(
    n_ids: int,
    context: int,
    *,
    width: int = 64,
    heads: int = 4,
    blocks: int = 2,
    dropout: float = 0.0,
) -> list[Layer]:
    """Return a GPT: transformer blocks between an embedding and its transpose.

    It maps ids (n, t) to the logits of what comes next, (n, t, n_ids).

    Parameters
    ----------
    n_ids : int
        Number of ids.
    context : int
        Most ids that it sees.
    width, heads, blocks : int
        Features of each place, heads of the attention, and how many blocks.
    dropout : float, default 0.0
        Share that is dropped in each block.

    Returns
    -------
    list of Layer

    Raises
    ------
    InputError
        If an argument does not fit, or the heads do not divide the width.

    References
    ----------
    Radford, Wu, Child, Luan, Amodei and Sutskever, "Language Models are Unsupervised
    Multitask Learners" (2019).

    Examples
    --------
    >>> from nnfs_xp import Model
    >>> from nnfs_xp.nets import gpt
    >>> Model(gpt(63, 16)).predict([[0, 1, 2]]).shape
    (1, 3, 63)
    """
    for name, value in (
        ("n_ids", n_ids), ("context", context), ("width", width), ("heads", heads),
        ("blocks", blocks),
    ):  # fmt: skip
        check_count(value, name)
    if width % heads:
        raise InputError(f"heads must divide width, {width}, got {heads}")
    inner = Sequential(
        [
            LearnedPositions(context, width),
            *(
                TransformerBlock(width, heads, causal=True, dropout=dropout)
                for _ in range(blocks)
            ),
            LayerNorm(width),
        ]
    )
    return [
        TiedEmbedding(Embedding(n_ids, width, weight_initializer=Normal(0.02)), inner)
    ]
