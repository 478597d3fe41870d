"""Cases of every loss."""

import nnfs_xp as nx
from tests.matrix.cases.draws import labels, one_hot, p, soft, weighted, z
from tests.matrix.cases.types import LossCase


def _torch_from_probabilities(torch, p, y):
    if y.ndim == 1:
        return torch.nn.functional.nll_loss(torch.log(p), y, reduction="none")
    return -(y * torch.log(p)).sum(dim=1)


def _torch_from_logits(torch, z, y):
    return torch.nn.functional.cross_entropy(z, y, reduction="none")


def _loss_cases(make, y_pred, torch_losses):
    return [
        LossCase(make, y_pred, y_true, torch_losses)
        for y_true in (labels, one_hot, soft, weighted)
    ]


LOSSES = {
    "CategoricalCrossEntropy": [
        *_loss_cases(nx.CategoricalCrossEntropy, p, _torch_from_probabilities),
        *_loss_cases(
            lambda **where: nx.CategoricalCrossEntropy(mode="book", **where),
            p,
            _torch_from_probabilities,
        ),
        *_loss_cases(
            lambda **where: nx.CategoricalCrossEntropy(from_logits=True, **where),
            z,
            _torch_from_logits,
        ),
    ],
    "SoftmaxCrossEntropy": [
        *_loss_cases(nx.SoftmaxCrossEntropy, z, _torch_from_logits),
        *_loss_cases(
            lambda **where: nx.SoftmaxCrossEntropy(mode="book", **where),
            z,
            _torch_from_logits,
        ),
    ],
}
