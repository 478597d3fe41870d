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


def top_k(k):
    def formula(y_pred, y_true):
        y_pred, y_true = rows(y_pred, y_true)
        true = y_true.argmax(axis=1) if y_true.ndim == 2 else y_true
        best = np.argsort(-y_pred, axis=1, kind="stable")[:, :k]
        return np.mean([t in row for t, row in zip(true, best, strict=True)])

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


def scores(kind, average, threshold=0.5):
    """Precision, recall or F1 from lists of pairs."""

    def score(tp, predicted, true):
        part, whole = {
            "precision": (tp, predicted),
            "recall": (tp, true),
            "f1": (2 * tp, predicted + true),
        }[kind]
        return part / whole if whole else 0.0

    def formula(y_pred, y_true):
        pairs, k = decisions(y_pred, y_true, threshold)
        counts = [
            (
                pairs.count((c, c)),
                sum(q == c for _, q in pairs),
                sum(t == c for t, _ in pairs),
            )
            for c in range(k)
        ]
        each = [score(*c) for c in counts]
        present = [s for s, c in zip(each, counts, strict=True) if c[1] + c[2]]
        return {
            "none": each,
            "binary": each[1],
            "macro": sum(present) / len(present),
            "weighted": sum(s * c[2] for s, c in zip(each, counts, strict=True))
            / len(pairs),
            "micro": score(*(sum(c) for c in zip(*counts, strict=True))),
        }[average]

    return formula


def r2(average="uniform"):
    def formula(y_pred, y_true):
        total = ((y_true - y_true.mean(axis=0)) ** 2).sum(axis=0)
        each = 1 - ((y_true - y_pred) ** 2).sum(axis=0) / total
        return each if average == "none" else each.mean()

    return formula


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
}
