"""Every figure that the five source notebooks print, on every backend.

The figures are in ``seeds.json``; the ids of the tests are those of its rows.
"""

import json
from pathlib import Path

import numpy as np
import pytest

import nnfs_xp as nx

ROWS = {
    row["id"]: row
    for row in json.loads(Path(__file__).with_name("seeds.json").read_text())["rows"]
}


def given(row, key):
    """Return an input of a row, or of the row that it shares its inputs with."""
    return ROWS[row.get("same_input_as", row["id"])][key]


def batch(be, values):
    """Return one sample or many as a batch on the backend."""
    return be.asarray(np.atleast_2d(np.asarray(values, dtype="float64")), be.dtype)


def labels(be, row):
    return be.asarray(np.asarray(given(row, "y")))


def cross_entropy(be, mode="exact"):
    return nx.CategoricalCrossEntropy(mode=mode, backend=be)


def losses_from_labels(be, row):
    return cross_entropy(be).forward(batch(be, given(row, "p")), labels(be, row))


def mean_from_labels(be, row):
    return cross_entropy(be).calculate(batch(be, given(row, "p")), labels(be, row))


def loss_from_one_hot(be, row):
    p, y = batch(be, row["p"]), batch(be, row["one_hot"])
    return cross_entropy(be).calculate(p, y)


def true_class_probability(be, row):
    return be.xp.exp(-losses_from_labels(be, row))


def clipped(be, probability):
    """Book loss of a sample whose true class has this probability."""
    p = batch(be, [[probability, 1 - probability]])
    return cross_entropy(be, "book").forward(p, be.asarray(np.array([0])))


def logs(be, row):
    """A logarithm is the negative loss of a class given that probability."""
    p = np.array([[x, 1 - x] for x in row["of"]])
    zeros = be.asarray(np.zeros(len(p), dtype="int64"))
    return -cross_entropy(be).forward(batch(be, p), zeros)


def mean_both_ways(be, row):
    """Labels and one-hot rows: the same losses, of the same shape (n,)."""
    p, y = batch(be, given(row, "p")), given(row, "y")
    one_hot = batch(be, np.eye(3)[y])
    from_labels = losses_from_labels(be, row)
    from_rows = cross_entropy(be).forward(p, one_hot)
    assert from_labels.shape == from_rows.shape == (len(y),)
    difference = be.to_numpy(from_labels) - be.to_numpy(from_rows)
    np.testing.assert_allclose(difference, 0, atol=1e-15)
    return mean_from_labels(be, row)


def accuracy(be, row):
    """The same from labels and from one-hot rows, integer ones too."""
    p, y = batch(be, given(row, "p")), given(row, "y")
    values = [
        nx.Accuracy(backend=be).calculate(p, be.asarray(targets))
        for targets in (np.array(y), np.eye(3)[y], np.eye(3, dtype="uint8")[y])
    ]
    hosts = [float(be.to_numpy(value)) for value in values]
    assert hosts == [hosts[0]] * 3
    return values[0]


def exponentials(be, row):
    """Ratios of softmax outputs are ratios of exponentials; with a zero logit
    beside the others, they are the exponentials themselves.
    """
    p = nx.Softmax(backend=be).forward(batch(be, [*row["z"], 0.0]))
    return p[0, :3] / p[0, 3]


def softmax(be, row):
    return nx.Softmax(backend=be).forward(batch(be, row["z"]))[0, :]


def cross_entropy_backward(be, row):
    loss = cross_entropy(be)
    return loss.backward(batch(be, given(row, "p")), labels(be, row))


def combined_backward(be, row):
    """From logits at once, and through the Jacobian of the softmax."""
    p = given(row, "p")
    logits = batch(be, np.log(p))
    combined = nx.SoftmaxCrossEntropy(backend=be)
    combined.forward(logits, labels(be, row))
    at_once = combined.backward()

    activation = nx.Softmax(backend=be)
    probabilities = activation.forward(logits)
    chained = activation.backward(
        cross_entropy(be).backward(probabilities, labels(be, row))
    )
    np.testing.assert_allclose(
        be.to_numpy(chained), be.to_numpy(at_once), rtol=1e-12, atol=1e-16
    )
    return at_once


COMPUTE = {
    "000.confidences": true_class_probability,
    "000.losses": losses_from_labels,
    "000.mean": mean_from_labels,
    "000.p0": lambda be, row: clipped(be, 0.0)[0],
    "000.p1": lambda be, row: clipped(be, 1.0)[0],
    "000.f32": lambda be, row: be.xp.concat([clipped(be, 0.0), clipped(be, 1.0)]),
    "001.single": loss_from_one_hot,
    "001.log": logs,
    "001.gather": true_class_probability,
    "001.mean": mean_both_ways,
    "001.accuracy": accuracy,
    "002.loss": mean_from_labels,
    "003.logs": logs,
    "003.single": loss_from_one_hot,
    "004.exp": exponentials,
    "004.softmax": softmax,
    "004.accuracy": accuracy,
    "004.cce_backward": cross_entropy_backward,
    "004.combined_backward": combined_backward,
}


def test_every_row_is_computed():
    assert list(COMPUTE) == list(ROWS)


@pytest.mark.parametrize("row", list(ROWS.values()), ids=list(ROWS))
def test_row(backend64, row):
    if row["id"] == "000.f32":
        be, rtol = backend64.like("float32"), 1e-6
    else:
        be, rtol = backend64, row.get("rtol", 1e-12)
    found = COMPUTE[row["id"]](be, row)
    assert found.dtype == be.dtype
    # Gradients of exactly 0 and losses of log 1 have no scale of their own.
    atol = row.get("atol", 1e-16)
    np.testing.assert_allclose(be.to_numpy(found), row["expect"], rtol=rtol, atol=atol)
    assert be.to_numpy(found).shape == np.shape(row["expect"])
