"""Cases of every metric, each beside a plain formula that shares no line with it."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

import numpy as np

import nnfs_xp as nx
from tests.matrix.cases.draws import labels, one_hot, p, soft, z

random = np.random.default_rng(77)


@dataclasses.dataclass
class MetricCase:
    make: Callable[..., nx.Metric]
    y_pred: np.ndarray
    y_true: np.ndarray
    expected: Any


def case(unit, y_pred, y_true, formula, **options):
    """Return a case of a unit with options; the formula knows them by itself."""
    return MetricCase(
        lambda **where: unit(**options, **where),
        y_pred,
        y_true,
        formula(y_pred, y_true),
    )


def rows(y_pred, y_true):
    """Return scores (m, k) and their targets: every row along the last axis is one."""
    if y_pred.ndim > 2:
        tail = y_true.shape[y_pred.ndim - 1 :]
        return y_pred.reshape(-1, y_pred.shape[-1]), y_true.reshape(-1, *tail)
    return y_pred, y_true


def decisions(y_pred, y_true, threshold=0.5):
    """Return pairs of true and predicted class, and the number of classes."""
    y_pred, y_true = rows(y_pred, y_true)
    if y_pred.ndim == 1 or y_pred.shape[1] == 1:
        pairs = [
            (int(t > 0.5), int(q > threshold))
            for t, q in zip(y_true.ravel(), y_pred.ravel(), strict=True)
        ]
        return pairs, 2
    true = [list(row).index(max(row)) for row in y_true] if y_true.ndim == 2 else y_true
    pred = [list(row).index(max(row)) for row in y_pred]
    return [(int(t), q) for t, q in zip(true, pred, strict=True)], y_pred.shape[1]


def accuracy(ignored=None):
    def formula(y_pred, y_true):
        pairs, _ = decisions(y_pred, y_true)
        counted = [t == q for t, q in pairs if t != ignored]
        return sum(counted) / len(counted)

    return formula


def top_k(k, ignored=None):
    def formula(y_pred, y_true):
        y_pred, y_true = rows(y_pred, y_true)
        true = y_true.argmax(axis=1) if y_true.ndim == 2 else y_true
        best = np.argsort(-y_pred, axis=1, kind="stable")[:, :k]
        pairs = zip(true, best, strict=True)
        return np.mean([t in row for t, row in pairs if t != ignored])

    return formula


def binary(threshold=0.5):
    def formula(y_pred, y_true):
        return float(np.mean((y_pred > threshold) == (y_true > 0.5)))

    return formula


def regression(tolerance=None):
    def formula(y_pred, y_true):
        limit = np.std(y_true) / 250 if tolerance is None else tolerance
        return float(np.mean(np.abs(y_pred - y_true) < limit))

    return formula


def matrix(threshold=0.5):
    def formula(y_pred, y_true):
        pairs, k = decisions(y_pred, y_true, threshold)
        return [[pairs.count((i, j)) for j in range(k)] for i in range(k)]

    return formula


def class_counts(pairs, k):
    """Return how often each class is right, predicted, and true."""
    return [
        (
            pairs.count((c, c)),
            sum(q == c for _, q in pairs),
            sum(t == c for t, _ in pairs),
        )
        for c in range(k)
    ]


def label_counts(y_pred, y_true, top, threshold):
    """Return the same of labels, of which a row has any number, or predicts `top`."""
    k = y_pred.shape[-1]
    chosen = y_pred.reshape(-1, k) > threshold
    if top:
        best = np.argsort(-y_pred.reshape(-1, k), axis=1, kind="stable")[:, :top]
        chosen = np.array([[j in row for j in range(k)] for row in best])
    has = y_true.reshape(-1, k) > 0.5
    return [
        tuple(int(of[:, j].sum()) for of in (chosen & has, chosen, has))
        for j in range(k)
    ]


def scores(kind, average, threshold=0.5, labels_of=None):
    """Precision, recall and the like from lists of pairs, or of labels."""

    def score(tp, predicted, true):
        part, whole = {
            "precision": (tp, predicted),
            "recall": (tp, true),
            "f1": (2 * tp, predicted + true),
            "f2": (5 * tp, predicted + 4 * true),
            "iou": (tp, predicted + true - tp),
        }[kind]
        return part / whole if whole else 0.0

    def formula(y_pred, y_true):
        if labels_of is not None:
            counts = label_counts(y_pred, y_true, labels_of, threshold)
        else:
            counts = class_counts(*decisions(y_pred, y_true, threshold))
        each = [score(*c) for c in counts]
        present = [s for s, c in zip(each, counts, strict=True) if c[1] + c[2]]
        return {
            "none": each,
            "binary": each[1],
            "macro": sum(present) / len(present),
            "weighted": sum(s * c[2] for s, c in zip(each, counts, strict=True))
            / sum(c[2] for c in counts),
            "micro": score(*(sum(c) for c in zip(*counts, strict=True))),
        }[average]

    return formula


def r2(average="uniform"):
    def formula(y_pred, y_true):
        total = ((y_true - y_true.mean(axis=0)) ** 2).sum(axis=0)
        each = 1 - ((y_true - y_pred) ** 2).sum(axis=0) / total
        return each if average == "none" else each.mean()

    return formula


def matthews(threshold=0.5):
    """Of two classes by the four counts, and of more by covariances of one-hot rows."""

    def formula(y_pred, y_true):
        pairs, k = decisions(y_pred, y_true, threshold)
        if k == 2:
            tn, fp, fn, tp = (pairs.count((t, p)) for t in (0, 1) for p in (0, 1))
            sums = (tp + fp) * (tp + fn) * (tn + fp) * (tn + fn)
            return (tp * tn - fp * fn) / sums**0.5
        true, predicted = (np.eye(k)[[pair[i] for pair in pairs]] for i in (0, 1))
        true, predicted = true - true.mean(axis=0), predicted - predicted.mean(axis=0)
        spread = np.sqrt((true**2).sum() * (predicted**2).sum())
        return (true * predicted).sum() / spread

    return formula


def auc(curve, bins, average="uniform", from_logits=False):
    """Of each column, by counting pairs, or by lowering the threshold step by step."""

    def one(p, y):
        p = np.minimum(np.floor(p * bins), bins - 1)
        yes, no = p[y > 0.5], p[y <= 0.5]
        if curve == "roc":
            above = (yes[:, None] > no).sum() + 0.5 * (yes[:, None] == no).sum()
            return above / (len(yes) * len(no))
        area = 0.0
        for threshold in np.unique(p):
            taken = p >= threshold
            area += (yes == threshold).sum() / len(yes) * (y[taken] > 0.5).mean()
        return area

    def formula(y_pred, y_true):
        p = 1 / (1 + np.exp(-y_pred)) if from_logits else y_pred
        columns = p.shape[-1] if p.ndim > 1 else 1
        pairs = zip(
            p.reshape(-1, columns).T, y_true.reshape(-1, columns).T, strict=True
        )
        areas = np.array([one(*pair) for pair in pairs])
        return areas if average == "none" else areas.mean()

    return formula


def calibration(bins):
    def formula(y_pred, y_true):
        y_pred, y_true = rows(y_pred, y_true)
        confidence, right = y_pred.ravel(), y_true.ravel()
        if y_pred.ndim > 1 and y_pred.shape[1] > 1:
            confidence = y_pred.max(axis=1)
            right = y_pred.argmax(axis=1) == y_true
        error = 0.0
        for b in range(bins):
            last = b == bins - 1
            inside = (confidence >= b / bins) & ((confidence < (b + 1) / bins) | last)
            error += abs(confidence[inside].sum() - right[inside].sum())
        return error / len(confidence)

    return formula


def brier(y_pred, y_true):
    if y_true.ndim < y_pred.ndim:
        y_true = np.eye(y_pred.shape[-1])[y_true]
    distance = ((y_pred - y_true) ** 2).sum(axis=-1) if y_pred.ndim > 1 else None
    return float(np.mean((y_pred - y_true) ** 2 if distance is None else distance))


def rmse(y_pred, y_true):
    return float(np.linalg.norm(y_pred - y_true) / np.sqrt(y_pred.size))


def cosine(y_pred, y_true):
    length = np.linalg.norm(y_pred, axis=-1) * np.linalg.norm(y_true, axis=-1)
    return float(np.mean(np.einsum("...i,...i", y_pred, y_true) / length))


def perplexity(logits=False, ignored=None):
    """Return the geometric mean of one over the probabilities, one by one."""

    def formula(y_pred, y_true):
        y_pred, y_true = rows(y_pred, y_true)
        product, count = 1.0, 0
        for row, target in zip(y_pred, y_true, strict=True):
            p = np.exp(row) / np.sum(np.exp(row)) if logits else row
            if np.ndim(target):
                product, count = product * np.prod(p**-target), count + 1
            elif target != ignored:
                product, count = product / p[target], count + 1
        return product ** (1 / count)

    return formula


def mean_loss(of):
    return lambda y_pred, y_true: float(np.mean(of(y_pred, y_true)))


# Of five classes 2 is never true, 3 never occurs, 4 is never predicted.
many_labels = random.choice([0, 1, 4], 30)
many_scores = random.standard_normal((30, 5)) - [0, 0, 0, 99, 99]
many_scores[np.arange(30), many_labels.clip(max=2)] += 1.5
chances = random.uniform(size=(30, 1))
answers = (random.uniform(size=(30, 1)) < chances).astype(float)
logits = random.standard_normal((30, 2))
ignoring = np.where(np.arange(30) % 3 == 0, -100, many_labels)
column = random.standard_normal((30, 3)) * [1, 5, 0.2] + [0, 30, -2]
close = column + random.standard_normal((30, 3)) * 0.1
within = np.round(column, 1) + random.choice([0.001, 0.01, 1.0], (30, 3))


# Several decisions for each sample.
several_scores = many_scores.reshape(5, 6, 5)
several_labels = many_labels.reshape(5, 6)
several_ignoring = ignoring.reshape(5, 6)
several_rows = np.eye(5)[several_labels] * 0.7 + 0.06
several_chances = chances.reshape(10, 3, 1)
several_answers = answers.reshape(10, 3, 1)

# Several labels for each sample, or none; probabilities of classes; values above 0.
own_random = np.random.default_rng(78)
marks = own_random.uniform(size=(30, 4))
has_marks = (own_random.uniform(size=(30, 4)) < marks).astype(float)
shares = own_random.dirichlet(np.full(3, 0.7), 30)
share_labels = own_random.integers(0, 3, 30)
# Of a language model: six positions, five words.
word_scores = np.random.default_rng(79).standard_normal((5, 6, 5))
logits_answers = (own_random.uniform(size=(30, 2)) < 0.4).astype(float)


def _score_cases(unit, kind):
    several = [
        case(unit, many_scores, many_labels, scores(kind, average), average=average)
        for average in ("macro", "micro", "weighted", "none")
    ]
    single = [
        case(unit, chances, answers, scores(kind, average), average=average)
        for average in ("binary", "macro", "micro", "weighted", "none")
    ]
    return [
        case(unit, many_scores, many_labels, scores(kind, "macro")),
        *several,
        case(unit, chances, answers, scores(kind, "binary")),
        *single,
        case(unit, z, one_hot, scores(kind, "macro")),
        case(unit, p[:, :2], labels % 2, scores(kind, "binary"), average="binary"),
        case(
            unit, logits[:, 0], answers[:, 0], scores(kind, "binary", 0.0), threshold=0
        ),
        *(
            case(
                unit, several_scores, several_labels, scores(kind, average),
                average=average,
            )
            for average in ("macro", "micro", "weighted", "none")
        ),
        case(unit, several_scores, several_rows, scores(kind, "macro")),
        case(unit, several_chances, several_answers, scores(kind, "binary")),
        case(
            unit, marks, has_marks, scores(kind, "macro", 0.4, 0), threshold=0.4,
            multi_label=True,
        ),
        case(
            unit, marks.reshape(10, 3, 4), has_marks.reshape(10, 3, 4),
            scores(kind, "micro", labels_of=2), average="micro",
            multi_label=True, top_k=2,
        ),
    ]  # fmt: skip


METRICS = {
    "Accuracy": [
        case(nx.Accuracy, p, labels, accuracy()),
        case(nx.Accuracy, z, one_hot, accuracy()),
        case(nx.Accuracy, z, soft, accuracy()),
        case(nx.Accuracy, many_scores, ignoring, accuracy(-100), ignore_index=-100),
        case(nx.Accuracy, many_scores, many_labels, accuracy(1), ignore_index=1),
        case(nx.Accuracy, p, one_hot, accuracy(), name="hits", ignore_index=0),
        case(nx.Accuracy, several_scores, several_labels, accuracy()),
        case(nx.Accuracy, several_scores, several_rows, accuracy()),
        case(
            nx.Accuracy,
            several_scores,
            several_ignoring,
            accuracy(-100),
            ignore_index=-100,
        ),
        case(
            nx.Accuracy,
            several_scores.reshape(5, 2, 3, 5),
            several_ignoring.reshape(5, 2, 3),
            accuracy(-100),
            ignore_index=-100,
        ),
    ],
    "BinaryAccuracy": [
        case(nx.BinaryAccuracy, chances, answers, binary()),
        case(nx.BinaryAccuracy, chances[:, 0], answers[:, 0], binary()),
        case(
            nx.BinaryAccuracy,
            logits,
            (logits > random.standard_normal((30, 2))) * 1.0,
            binary(0.0),
            threshold=0.0,
        ),
    ],
    "RegressionAccuracy": [
        case(nx.RegressionAccuracy, within, np.round(column, 1), regression()),
        case(nx.RegressionAccuracy, close, column, regression(0.1), tolerance=0.1),
        case(
            nx.RegressionAccuracy, close[:, 0], column[:, 0], regression(1), tolerance=1
        ),
    ],
    "TopKAccuracy": [
        case(nx.TopKAccuracy, many_scores, many_labels, top_k(5)),
        case(nx.TopKAccuracy, many_scores, many_labels, top_k(2), k=2),
        case(nx.TopKAccuracy, np.round(many_scores), many_labels, top_k(1), k=1),
        case(nx.TopKAccuracy, np.round(many_scores), many_labels, top_k(2), k=2),
        case(nx.TopKAccuracy, z, soft, top_k(3), k=3),
        case(nx.TopKAccuracy, several_scores, several_labels, top_k(2), k=2),
        case(nx.TopKAccuracy, np.round(several_scores), several_rows, top_k(2), k=2),
        case(
            nx.TopKAccuracy, several_scores, several_ignoring, top_k(2, -100), k=2,
            ignore_index=-100,
        ),
    ],
    "ConfusionMatrix": [
        case(nx.ConfusionMatrix, many_scores, many_labels, matrix()),
        case(nx.ConfusionMatrix, z, one_hot, matrix(), classes=4),
        case(nx.ConfusionMatrix, chances, answers, matrix(), classes=2),
        case(
            nx.ConfusionMatrix, logits[:, 0], answers[:, 0], matrix(0.0), threshold=0.0
        ),
        case(nx.ConfusionMatrix, several_scores, several_labels, matrix()),
        case(nx.ConfusionMatrix, several_scores, several_rows, matrix(), classes=5),
        case(nx.ConfusionMatrix, several_chances, several_answers, matrix()),
    ],
    "Precision": _score_cases(nx.Precision, "precision"),
    "Recall": _score_cases(nx.Recall, "recall"),
    "F1": _score_cases(nx.F1, "f1"),
    "R2": [
        case(nx.R2, close, column, r2()),
        case(nx.R2, close, column, r2("none"), average="none"),
        case(nx.R2, close[:, 0], column[:, 0], r2()),
        case(nx.R2, close.reshape(10, 3, 3), column.reshape(10, 3, 3), r2()),
    ],
    "FBeta": [
        case(nx.FBeta, many_scores, many_labels, scores("f2", "macro")),
        case(nx.FBeta, chances, answers, scores("f1", "binary"), beta=1.0),
    ],
    "MeanIoU": [
        case(nx.MeanIoU, several_scores, several_labels, scores("iou", "macro")),
        case(nx.MeanIoU, chances, answers, scores("iou", "macro")),
        case(nx.MeanIoU, chances, answers, scores("iou", "binary"), average="binary"),
    ],
    "MatthewsCorrelation": [
        case(nx.MatthewsCorrelation, many_scores, many_labels, matthews()),
        case(
            nx.MatthewsCorrelation, logits[:, 0], answers[:, 0], matthews(0.0),
            threshold=0,
        ),
    ],
    "AUC": [
        case(nx.AUC, chances, answers, auc("roc", 200)),
        case(nx.AUC, chances[:, 0], answers[:, 0], auc("pr", 7), curve="pr", bins=7),
        case(nx.AUC, logits * 3, logits_answers, auc("roc", 50, "none", True),
             bins=50, from_logits=True, average="none"),
        case(nx.AUC, marks, has_marks, auc("pr", 200), curve="pr"),
    ],
    "ExpectedCalibrationError": [
        case(nx.ExpectedCalibrationError, shares, share_labels, calibration(15)),
        case(nx.ExpectedCalibrationError, chances, answers, calibration(4), bins=4),
        case(nx.ExpectedCalibrationError, shares.reshape(10, 3, 3),
             share_labels.reshape(10, 3), calibration(15)),
    ],
    "BrierScore": [
        case(nx.BrierScore, shares, share_labels, brier),
        case(nx.BrierScore, chances[:, 0], answers[:, 0], brier),
    ],
    "RootMeanSquaredError": [
        case(nx.RootMeanSquaredError, close, column, rmse),
        case(nx.RootMeanSquaredError, within[:, 0], column[:, 0], rmse),
    ],
    "CosineSimilarity": [case(nx.CosineSimilarity, within, column, cosine)],
    "Perplexity": [
        case(nx.Perplexity, shares, share_labels, perplexity()),
        case(nx.Perplexity, word_scores, several_labels, perplexity(logits=True),
             from_logits=True),
        case(nx.Perplexity, word_scores, several_ignoring,
             perplexity(logits=True, ignored=-100), from_logits=True,
             ignore_index=-100),
        case(nx.Perplexity, word_scores, several_rows, perplexity(logits=True),
             from_logits=True),
    ],
    "MeanLoss": [
        case(nx.MeanLoss, close, column, mean_loss(lambda p, y: np.abs(p - y)),
             loss="mean_absolute_error"),
        case(nx.MeanLoss, shares, share_labels,
             mean_loss(lambda p, y: -np.log(p[range(30), y])),
             loss="categorical_cross_entropy"),
        case(nx.MeanLoss, chances, answers,
             mean_loss(lambda p, y: np.log(np.cosh(p - y))), loss="log_cosh"),
    ],
}  # fmt: skip
