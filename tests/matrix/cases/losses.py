"""Cases of every loss, with every combination of options that changes it."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

import numpy as np

import nnfs_xp as nx
from tests.matrix.cases.draws import labels, one_hot, p, soft, weighted, z
from tests.matrix.cases.types import LossCase

# Not those of the other kinds, so that these cases stay as they are.
random = np.random.default_rng(20250221)


@dataclasses.dataclass
class ReducedLossCase(LossCase):
    # (torch, y_pred, y_true, reduction) -> (n,), or 0-d
    torch_loss: Callable[[Any, Any, Any, str], Any]


def _case(make, y_pred, y_true, torch_loss):
    def losses(torch, y_pred, y_true):
        return torch_loss(torch, y_pred, y_true, "none")

    return ReducedLossCase(make, y_pred, y_true, losses, torch_loss)


# Losses of classes.

WEIGHTS = (1.0, 0.5, 0.0, 3.0)
COMBINED = {"label_smoothing": 0.2, "class_weight": WEIGHTS, "ignore_index": -100}
OPTIONS = (
    {"label_smoothing": 0.1},
    {"class_weight": WEIGHTS},
    {"ignore_index": -100},
    {"ignore_index": 2},
    {"label_smoothing": 0.1, "ignore_index": 2},
    COMBINED,
)
with_ignored = np.where(np.arange(6) % 3 == 1, -100, labels)
with_two = np.where(np.arange(6) % 3 == 1, 2, labels)
none_left = np.full(6, -100)


def _torch_arguments(torch, y, options):
    arguments = dict(options)
    weights = arguments.pop("class_weight", None)
    if weights is not None:
        arguments["weight"] = torch.tensor(weights, dtype=torch.float64)
    if y.ndim == 2:  # PyTorch wants no ignore_index beside rows
        arguments.pop("ignore_index", None)
    return arguments


def _torch_from_logits(options):
    def loss(torch, z, y, reduction):
        arguments = _torch_arguments(torch, y, options)
        return torch.nn.functional.cross_entropy(z, y, reduction=reduction, **arguments)

    return loss


def _torch_from_probabilities(options):
    def loss(torch, p, y, reduction):
        log_p, arguments = torch.log(p), _torch_arguments(torch, y, options)
        smoothing = arguments.pop("label_smoothing", 0.0)
        if y.ndim == 1 and not smoothing:
            return torch.nn.functional.nll_loss(
                log_p, y, reduction=reduction, **arguments
            )
        # PyTorch smooths logits only, so this is written out.
        weight = arguments.pop("weight", torch.ones(p.shape[1], dtype=p.dtype))
        kept = torch.ones(len(y), dtype=torch.bool)
        counts = torch.ones(len(y), dtype=p.dtype)
        if y.ndim == 1:
            kept = y != arguments.pop("ignore_index", -1)
            y = torch.where(kept, y, 0)
            counts = weight[y] * kept
            y = torch.nn.functional.one_hot(y, p.shape[1]).to(p.dtype)
        smoothed = y * (1 - smoothing) + smoothing / p.shape[1]
        losses = -(smoothed * weight * log_p).sum(dim=1) * kept
        if reduction == "mean" and not kept.any():
            # As PyTorch's own losses: NaN, with a gradient of 0.
            return losses.sum() + torch.nan
        reduced = {"none": losses, "sum": losses.sum()}
        return reduced.get(reduction, losses.sum() / counts.sum())

    return loss


def _targets_of(options):
    """Return labels, some of them ignored, and soft rows."""
    ignored = options.get("ignore_index")
    return ({None: labels, -100: with_ignored, 2: with_two}[ignored], soft)


def _class_cases(make, y_pred, torch_loss, pairs):
    """Return cases of a loss that takes the options of classes."""

    def made_with(options):
        return lambda **where: make(**options, **where)

    return [_case(made_with(o), y_pred, y, torch_loss(o)) for o, y in pairs]


# Pairs of options and targets: all of them, and those for a variant of a loss.
ALL_PAIRS = [
    *(({}, y_true) for y_true in (labels, one_hot, soft, weighted)),
    *((options, y_true) for options in OPTIONS for y_true in _targets_of(options)),
    (COMBINED, none_left),
]
FEW_PAIRS = [({}, labels), ({}, weighted), (COMBINED, with_ignored), (COMBINED, soft)]


# Several losses for each sample: as one for each row, in another shape.

SEVERAL = (3, 2, 4)
several_random = np.random.default_rng(20250915)
z_several = several_random.standard_normal(SEVERAL) * 3
p_several = several_random.dirichlet(np.full(4, 5.0), SEVERAL[:-1])
labels_several = several_random.integers(0, 4, SEVERAL[:-1])
soft_several = several_random.dirichlet(np.ones(4), SEVERAL[:-1])
ignored_several = np.where(np.arange(6).reshape(3, 2) % 3 == 1, -100, labels_several)
SEVERAL_PAIRS = [
    ({}, labels_several),
    ({}, soft_several),
    ({"label_smoothing": 0.1}, labels_several),
    ({"class_weight": WEIGHTS}, labels_several),
    ({"ignore_index": -100}, ignored_several),
    (COMBINED, ignored_several),
    (COMBINED, soft_several),
]


def _by_rows(torch_loss):
    """Return a loss of (n, ..., k), by one of rows (m, k)."""

    def of_options(options):
        of_rows = torch_loss(options)

        def loss(torch, y_pred, y, reduction):
            lengths = y_pred.shape[:-1]
            rows = (-1,) if y.ndim == len(lengths) else (-1, y.shape[-1])
            flat = y_pred.reshape(-1, y_pred.shape[-1])
            losses = of_rows(torch, flat, y.reshape(rows), reduction)
            return losses.reshape(lengths) if reduction == "none" else losses

        return loss

    return of_options


# Losses of every output by itself.


def _torch_per_sample(function):
    """Return a loss of samples, from one of PyTorch's of all outputs."""

    def loss(torch, y_pred, y_true, reduction):
        if reduction == "mean":
            return function(torch, y_pred, y_true, "mean")
        losses = function(torch, y_pred, y_true, "none")
        losses = losses.reshape(len(losses), -1).mean(dim=1)
        return losses if reduction == "none" else losses.sum()

    return loss


def _torch_binary(from_logits, smoothing=0.0, pos_weight=None):
    def loss(torch, y_pred, y_true, reduction):
        functions = torch.nn.functional
        if pos_weight is not None:
            # PyTorch has it for logits only.
            return functions.binary_cross_entropy_with_logits(
                y_pred if from_logits else torch.logit(y_pred),
                y_true * (1 - smoothing) + smoothing / 2,
                pos_weight=torch.tensor(pos_weight, dtype=torch.float64),
                reduction=reduction,
            )
        function = functions.binary_cross_entropy
        if from_logits:
            function = functions.binary_cross_entropy_with_logits
        y = y_true * (1 - smoothing) + smoothing / 2
        return function(y_pred, y, reduction=reduction)

    return _torch_per_sample(loss)


def _torch_named(name, **options):
    def loss(torch, y_pred, y_true, reduction):
        function = getattr(torch.nn.functional, name)
        return function(y_pred, y_true, reduction=reduction, **options)

    return _torch_per_sample(loss)


ONE_SHAPE = ((5, 3),)
ALL_SHAPES = ((6,), (6, 1), (5, 3), (4, 2, 3))


def _binary_cases(
    from_logits=False, smoothing=0.0, mode="exact", shapes=ONE_SHAPE, pos_weight=None
):
    def make(**where):
        return nx.BinaryCrossEntropy(
            from_logits, mode, label_smoothing=smoothing, pos_weight=pos_weight, **where
        )

    cases = []
    for shape in shapes:
        y_pred = random.uniform(0.05, 0.95, shape)
        if from_logits:
            y_pred = np.log(y_pred / (1 - y_pred))
        hard = (random.uniform(0, 1, shape) > 0.5).astype("float64")
        for y_true in (hard, random.uniform(0, 1, shape)):
            torch_loss = _torch_binary(from_logits, smoothing, pos_weight)
            cases.append(_case(make, y_pred, y_true, torch_loss))
    return cases


# Far from 0 and from the ends of Huber's parabola, where slopes jump or bend.
ERRORS = (-7.0, -1.7, -0.8, -0.3, -0.05, 0.04, 0.25, 0.6, 1.3, 4.0)


def _value_cases(make, torch_loss, shapes=ONE_SHAPE):
    cases = []
    for shape in shapes:
        y_true = random.standard_normal(shape)
        y_pred = y_true + random.choice(ERRORS, shape)
        cases.append(_case(make, y_pred, y_true, torch_loss))
    return cases


def _torch_of_outputs(formula):
    """Return a loss of samples, from a formula of each output."""

    def loss(torch, y_pred, y_true, reduction):
        losses = formula(torch, y_pred, y_true)
        return losses.mean() if reduction == "mean" else losses

    return _torch_per_sample(loss)


def _reduced(formula):
    """Return a loss of samples, from a formula of the loss of each row."""

    def loss(torch, y_pred, y_true, reduction):
        losses = formula(torch, y_pred, y_true)
        whole = {"mean": losses.mean, "sum": losses.sum}
        return whole.get(reduction, lambda: losses)()

    return loss


# Losses that PyTorch has in another form, or not at all, written out.


def _answer_cases(make, formula, shape=(5, 3), from_logits=True):
    y_pred = random.uniform(0.05, 0.95, shape)
    if from_logits:
        y_pred = np.log(y_pred / (1 - y_pred))
    hard = (random.uniform(0, 1, shape) > 0.5).astype("float64")
    targets = (hard, random.uniform(0, 1, shape))
    return [_case(make, y_pred, y, _torch_of_outputs(formula)) for y in targets]


def _hinge(power):
    def formula(torch, z, y):
        return torch.relu(1 - (2 * y - 1) * z) ** power

    return formula


def _crammer_singer(options):
    """Of every label by itself, written as a loop."""

    def loss(torch, z, y, reduction):
        smoothing = options.get("label_smoothing", 0.0)
        weight = torch.tensor(options.get("class_weight", (1.0,) * 4), dtype=z.dtype)
        kept, counts = torch.ones(len(z)), torch.ones(len(z), dtype=z.dtype)
        if y.ndim == 1:
            kept = (y != options.get("ignore_index", -1)).to(z.dtype)
            y = torch.where(kept > 0, y, 0)
            counts = weight[y] * kept
            y = torch.nn.functional.one_hot(y, 4).to(z.dtype)
        q = (y * (1 - smoothing) + smoothing / 4) * weight * kept[:, None]
        losses = 0
        for k in range(4):
            others = z[:, [j for j in range(4) if j != k]].amax(dim=1)
            losses = losses + q[:, k] * torch.relu(1 + others - z[:, k])
        whole = {"mean": losses.sum() / counts.sum(), "sum": losses.sum()}
        return whole.get(reduction, losses)

    return loss


def _binary_focal(gamma, from_logits=False, balance=None, smoothing=0.0):
    def formula(torch, p, y):
        p = torch.sigmoid(p) if from_logits else p
        y = y * (1 - smoothing) + smoothing / 2
        cost = -(y * torch.log(p) + (1 - y) * torch.log(1 - p))
        cost = cost * (1 - (y * p + (1 - y) * (1 - p))) ** gamma
        return (
            cost if balance is None else cost * (y * balance + (1 - y) * (1 - balance))
        )

    def make(**where):
        return nx.BinaryFocalCrossEntropy(
            gamma, balance, from_logits, label_smoothing=smoothing, **where
        )

    return _answer_cases(make, formula, from_logits=from_logits)


def _categorical_focal(gamma, from_logits):
    def formula(torch, p, y):
        p = torch.softmax(p, dim=-1) if from_logits else p
        y = torch.nn.functional.one_hot(y, 4) if y.ndim == 1 else y
        return -(y * (1 - p) ** gamma * torch.log(p)).sum(dim=-1)

    def make(**where):
        return nx.CategoricalFocalCrossEntropy(gamma, from_logits, **where)

    y_pred = z if from_logits else p
    return [_case(make, y_pred, y, _reduced(formula)) for y in (labels, soft)]


def _divergence(from_logits):
    def formula(torch, p, y):
        log_p = torch.log_softmax(p, dim=-1) if from_logits else torch.log(p)
        y = torch.nn.functional.one_hot(y, 4).double() if y.ndim == 1 else y
        losses = torch.nn.functional.kl_div(log_p, y, reduction="none")
        return losses.sum(dim=-1)

    return _reduced(formula)


def _gaussian(torch, y_pred, y):
    mean, log_variance = y_pred.chunk(2, dim=-1)
    losses = torch.nn.functional.gaussian_nll_loss(
        mean, y, torch.exp(log_variance), reduction="none"
    )
    return losses.reshape(len(losses), -1).mean(dim=1)


def _cosine_distance(torch, y_pred, y):
    cosine = torch.nn.functional.cosine_similarity(y_pred, y, dim=-1)
    return 1 - cosine.reshape(len(y), -1).mean(dim=1)


# Values above 0, and predictions that are some way off.
positive = random.uniform(0.3, 4.0, (5, 3))
counted = np.round(positive * 2)
off = positive * random.choice([0.5, 0.8, 1.3, 2.0], (5, 3))

LOSSES = {
    "CategoricalCrossEntropy": [
        *_class_cases(
            nx.CategoricalCrossEntropy, p, _torch_from_probabilities, ALL_PAIRS
        ),
        *_class_cases(
            lambda **o: nx.CategoricalCrossEntropy(mode="book", **o),
            p,
            _torch_from_probabilities,
            FEW_PAIRS,
        ),
        *_class_cases(
            lambda **o: nx.CategoricalCrossEntropy(from_logits=True, **o),
            z,
            _torch_from_logits,
            FEW_PAIRS,
        ),
        *_class_cases(
            nx.CategoricalCrossEntropy,
            p_several,
            _by_rows(_torch_from_probabilities),
            SEVERAL_PAIRS,
        ),
        *_class_cases(
            lambda **o: nx.CategoricalCrossEntropy(from_logits=True, mode="book", **o),
            z_several,
            _by_rows(_torch_from_logits),
            SEVERAL_PAIRS[-2:],
        ),
    ],
    "SoftmaxCrossEntropy": [
        *_class_cases(nx.SoftmaxCrossEntropy, z, _torch_from_logits, ALL_PAIRS),
        *_class_cases(
            lambda **o: nx.SoftmaxCrossEntropy(mode="book", **o),
            z,
            _torch_from_logits,
            FEW_PAIRS,
        ),
        *_class_cases(
            nx.SoftmaxCrossEntropy,
            z_several,
            _by_rows(_torch_from_logits),
            SEVERAL_PAIRS,
        ),
        *_class_cases(
            nx.SoftmaxCrossEntropy,
            z_several.reshape(1, 3, 2, 4),
            _by_rows(_torch_from_logits),
            [(COMBINED, ignored_several.reshape(1, 3, 2))],
        ),
    ],
    "BinaryCrossEntropy": [
        *_binary_cases(),
        *_binary_cases(from_logits=True, shapes=ALL_SHAPES),
        *_binary_cases(smoothing=0.1),
        *_binary_cases(from_logits=True, smoothing=0.1),
        *_binary_cases(mode="book"),
        *_binary_cases(from_logits=True, mode="book"),
        *_binary_cases(pos_weight=4.0),
        *_binary_cases(from_logits=True, shapes=ALL_SHAPES, pos_weight=0.25),
        *_binary_cases(smoothing=0.1, pos_weight=[4.0, 0.0, 1.5]),
        *_binary_cases(from_logits=True, pos_weight=[4.0, 0.0, 1.5]),
        *_binary_cases(from_logits=True, mode="book", pos_weight=[4.0, 0.0, 1.5]),
    ],
    "MeanSquaredError": _value_cases(
        nx.MeanSquaredError, _torch_named("mse_loss"), ALL_SHAPES
    ),
    "MeanAbsoluteError": _value_cases(nx.MeanAbsoluteError, _torch_named("l1_loss")),
    "Huber": [
        *_value_cases(nx.Huber, _torch_named("huber_loss")),
        *_value_cases(
            lambda **where: nx.Huber(0.5, **where),
            _torch_named("huber_loss", delta=0.5),
        ),
    ],
    "Hinge": _answer_cases(nx.Hinge, _hinge(1)),
    "SquaredHinge": _answer_cases(nx.SquaredHinge, _hinge(2)),
    "CategoricalHinge": _class_cases(
        nx.CategoricalHinge, z, _crammer_singer, FEW_PAIRS
    ),
    "BinaryFocalCrossEntropy": [
        *_binary_focal(2.0),
        *_binary_focal(2.0, from_logits=True),
        *_binary_focal(0.5, balance=0.25, smoothing=0.1),
        *_binary_focal(0.5, from_logits=True, balance=0.25),
    ],
    "CategoricalFocalCrossEntropy": [
        *_categorical_focal(2.0, from_logits=False),
        *_categorical_focal(2.0, from_logits=True),
        *_categorical_focal(0.5, from_logits=False),
        *_class_cases(
            lambda **o: nx.CategoricalFocalCrossEntropy(0.0, True, **o),
            z, _torch_from_logits, [(COMBINED, with_ignored), (COMBINED, soft)],
        ),
    ],
    "KullbackLeibler": [
        *(_case(nx.KullbackLeibler, p, y, _divergence(False)) for y in (soft, labels)),
        _case(
            lambda **where: nx.KullbackLeibler(True, **where), z, soft,
            _divergence(True),
        ),
        _case(
            lambda **where: nx.KullbackLeibler(True, **where), z_several,
            soft_several, _by_rows(lambda _: _divergence(True))({}),
        ),
    ],
    "Poisson": [
        _case(
            nx.Poisson, off, counted,
            _torch_named("poisson_nll_loss", log_input=False, eps=0.0),
        ),
        _case(
            lambda **where: nx.Poisson(True, **where), np.log(off), counted,
            _torch_named("poisson_nll_loss"),
        ),
    ],
    "LogCosh": _value_cases(
        nx.LogCosh,
        _torch_of_outputs(lambda torch, p, y: torch.log(torch.cosh(p - y))),
        ((5, 3), (6,)),
    ),
    "CosineDistance": [
        _case(nx.CosineDistance, off - 1, positive, _reduced(_cosine_distance)),
        _case(nx.CosineDistance, z_several, p_several, _reduced(_cosine_distance)),
    ],
    "MeanAbsolutePercentageError": [
        _case(
            nx.MeanAbsolutePercentageError, -off, -positive,
            _torch_of_outputs(lambda torch, p, y: 100 * (1 - p / y).abs()),
        ),
    ],
    "MeanSquaredLogarithmicError": [
        _case(
            nx.MeanSquaredLogarithmicError, off, positive,
            _torch_of_outputs(lambda torch, p, y: torch.log((1 + p) / (1 + y)) ** 2),
        ),
    ],
    "Pinball": _value_cases(
        lambda **where: nx.Pinball(0.8, **where),
        _torch_of_outputs(
            lambda torch, p, y: torch.where(y > p, 0.8 * (y - p), 0.2 * (p - y))
        ),
    ),
    "GaussianNegativeLogLikelihood": [
        _case(
            nx.GaussianNegativeLogLikelihood, random.standard_normal(shape) * 2,
            random.standard_normal((*shape[:-1], shape[-1] // 2)),
            _reduced(_gaussian),
        )
        for shape in ((5, 6), (4, 3, 2))
    ],
}  # fmt: skip
