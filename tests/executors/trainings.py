"""Trainings for every unit, and a comparison of two ways to take their steps."""

import threading

import numpy as np

import nnfs_xp as nx

ROWS, BATCH, EPOCHS = 10, 4, 3  # batches of 4, 4 and 2 rows


def fit_alike(
    ways, layers, x, y, *, epochs=EPOCHS, weight=None, fit=None, callbacks=(), **options
):
    """Train a model with each of two values of `compile`; compare all bits.

    Returns the first model, whose training alone has the callbacks. `layers` makes new
    ones, as does every option that can be called.
    """
    models = []
    for compile in ways:
        made = {
            name: option() if callable(option) else option
            for name, option in options.items()
        }
        model = nx.Model(
            layers(),
            **{"optimizer": nx.SGD(0.01), "seed": 5, "metrics": None, **made},
            compile=compile,
        )
        watch = Figures()
        model.fit(
            x, y, epochs=epochs, batch_size=BATCH, sample_weight=weight,
            callbacks=[watch, *(() if models else callbacks)], **(fit or {}),
        )  # fmt: skip
        models.append((model, watch.figures))
    (one, found), (other, expected) = models
    np.testing.assert_equal(found, expected)
    assert_same_bits(one, other)
    return one


def assert_predicts_in_threads(model, expected, repeats):
    """Predict in a thread for each of some samples, and compare all bits.

    `expected` has pairs of samples and their outputs, as arrays of NumPy.
    """
    found = [[] for _ in expected]

    def predict(number):
        for _ in range(repeats):
            found[number].append(model.predict(expected[number][0]))

    threads = [threading.Thread(target=predict, args=(n,)) for n in range(len(found))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for each, (_, one) in zip(found, expected, strict=True):
        assert len(each) == repeats
        assert all((nx.to_numpy(result) == one).all() for result in each)


def assert_same_bits(model, other):
    one, two = model._state.export(), other._state.export()
    assert set(one) == set(two)
    for name, array in one.items():
        np.testing.assert_array_equal(array, two[name], err_msg=name)


class Figures(nx.Callback):
    """Keeps the figures of every batch."""

    def __init__(self):
        self.figures = []

    def on_batch_end(self, event):
        self.figures.append(event.batch_figures())


def rows(x, n=ROWS):
    """Return n rows, which are those of an array, and again."""
    if isinstance(x, tuple):
        return tuple(rows(one, n) for one in x)
    return np.concatenate([x] * -(-n // len(x)))[:n]


def classifier(classes=4):
    return [
        nx.Dense(5, 8),
        nx.ReLU(),
        nx.Dropout(0.2),
        nx.Dense(8, classes),
        nx.Softmax(),
    ]


def points(n=ROWS, classes=4, seed=0):
    random = np.random.default_rng(seed)
    return random.standard_normal((n, 5)), random.integers(0, classes, n)


def pair(case):
    """Return predictions and targets of a case, of `ROWS` samples and two axes."""
    y_pred, y = rows(np.asarray(case.y_pred)), rows(np.asarray(case.y_true))
    if y_pred.ndim == 1:
        y_pred, y = y_pred[:, None], y[:, None]
    return y_pred, y


def ending(kind, from_logits):
    """Return the last layers before a loss of such targets."""
    ends = {"classes": [nx.Softmax], "probabilities": [nx.Sigmoid]}
    return [] if from_logits else ends.get(kind, [])


def of_layer(case):
    """Return a function that makes a network with a layer, and its samples."""
    x = rows(case.x)
    first = x if isinstance(x, np.ndarray) else None
    learned = first is not None and first.dtype.kind == "f"
    # A layer in front would not know that samples have several axes.
    learned = learned and getattr(case.make(), "axis", -1) == -1

    def layers():
        # What is in front needs the gradient of the inputs.
        before = [nx.Dense(first.shape[-1], first.shape[-1])] if learned else []
        unit = case.make()
        joined = [nx.Concatenate()] if isinstance(unit, nx.Parallel) else []
        return [*before, unit, *joined]

    return layers, x


def targets_like(outputs):
    return np.random.default_rng(3).standard_normal(outputs.shape)


def of_loss(case, weighted):
    """Return what trains a network with a loss, as `fit_alike` takes it."""
    loss, (y_pred, y) = case.make(), pair(case)
    end = ending(loss.target_kind, loss.from_logits)
    if (y == -100).all():
        # Of labels that are all ignored, there is nothing to learn.
        y = np.where(np.arange(ROWS) % 2, y, 0)
    random = np.random.default_rng(4)
    x, last = random.standard_normal(y_pred.shape), y_pred.shape[-1]
    if (y == getattr(loss, "ignore_index", None)).all():
        # One label counts, so that `fit` takes them; batches without any are left.
        y = np.concatenate([np.zeros_like(y[:1]), y[1:]])
    return {
        "layers": lambda: [nx.Dense(last, last), *(make() for make in end)],
        "x": x, "y": y, "loss": case.make,
        "weight": random.random(ROWS) if weighted else None,
    }  # fmt: skip


def clipped(make):
    """Return an optimizer with both ways to clip, else like the one that is made."""
    config = make().config()
    return type(make())(**{**config, "clip_value": 0.01, "clip_norm": 0.02})


def of_optimizer(case, clips):
    """Return what trains a network by an optimizer for 51 steps."""
    x, y = points()
    return {
        "layers": classifier, "x": x, "y": y, "epochs": 17,
        "optimizer": (lambda: clipped(case.make)) if clips else case.make,
        "loss": nx.CategoricalCrossEntropy,
    }  # fmt: skip


LOSSES = {
    "classes": lambda: nx.CategoricalCrossEntropy(ignore_index=-100),
    "probabilities": nx.BinaryCrossEntropy,
    "values": nx.MeanSquaredError,
}


def of_metric(case, weighted):
    """Return what trains a network with a metric."""
    metric, (y_pred, y) = case.make(), pair(case)
    kinds = [kind for kind in LOSSES if metric.takes(kind)]
    # Rows of targets that are not those of one class are of several.
    several = y.shape == y_pred.shape and (y.sum(axis=-1) != 1).any()
    kind = kinds[-1 if several else 0]
    random = np.random.default_rng(4)
    x, last = random.standard_normal(y_pred.shape), y_pred.shape[-1]
    end = ending(kind, False)
    return {
        "layers": lambda: [nx.Dense(last, last), *(make() for make in end)],
        "x": x, "y": y, "loss": LOSSES[kind], "metrics": lambda: [case.make()],
        "weight": random.random(ROWS) if weighted else None,
    }  # fmt: skip


def of_regularizer(case):
    """Return what trains a network with a penalty on weights and biases."""
    make, (x, y) = case[0], points()

    def layers():
        regularized = nx.Dense(5, 4, weight_regularizer=make(), bias_regularizer=make())
        return [regularized, nx.Softmax()]

    return {"layers": layers, "x": x, "y": y, "loss": nx.CategoricalCrossEntropy}
