"""Perplexity of a language model."""

from __future__ import annotations

from typing import Any

from nnfs_xp.arguments import check_flag, check_ignore_index
from nnfs_xp.backends import Array, Backend
from nnfs_xp.losses.categorical_cross_entropy import CategoricalCrossEntropy
from nnfs_xp.losses.softmax_cross_entropy import SoftmaxCrossEntropy
from nnfs_xp.metrics.base import Statistics
from nnfs_xp.metrics.mean_loss import MeanLoss
from nnfs_xp.registry import register


@register("metric")
class Perplexity(MeanLoss):
    """Exponential of the mean cross-entropy, ``exp(-mean(log p))``.

    ``p`` is the probability of the true class; in a language model, this is the next
    word. A model that considers k words equally probable has a perplexity of k. The
    mean is taken over all positions that are not ignored, so batches may have any size.

    In a model, ``metrics=["perplexity"]`` uses the arguments of the loss.

    Parameters
    ----------
    from_logits : bool, default False
        Whether predictions are logits instead of probabilities.
    ignore_index : int, optional
        Positions with this label are ignored. The label has no effect on rows of
        targets. If all positions are ignored, the perplexity is NaN.
    name, backend, device, dtype : optional
        See `Metric`.

    Raises
    ------
    InputError
        If an argument is out of range.

    References
    ----------
    Jelinek, Mercer, Bahl and Baker, "Perplexity: a measure of the difficulty of speech
    recognition tasks", JASA 62 (1977).

    Examples
    --------
    >>> from nnfs_xp import Perplexity
    >>> metric = Perplexity(dtype="float64")
    >>> float(metric.calculate([[0.25, 0.75], [0.5, 0.5]], [0, 1]).round(4))
    2.8284
    """

    name = "perplexity"

    def __init__(
        self,
        from_logits: bool = False,
        ignore_index: int | None = None,
        *,
        name: str = "perplexity",
        **where: Any,
    ) -> None:
        self.from_logits = check_flag(from_logits, "from_logits")
        self.ignore_index = check_ignore_index(ignore_index)
        of_logits = self.from_logits
        loss = SoftmaxCrossEntropy if of_logits else CategoricalCrossEntropy
        super().__init__(loss(ignore_index=ignore_index), name=name, **where)

    def compute(self, be: Backend, statistics: Statistics) -> Array:
        """Return the exponential of the mean, 0-d, or NaN if there are no samples."""
        return be.xp.exp(super().compute(be, statistics))
