"""The networks of ``--net cnn`` and ``--net gpt``, their first values and batches."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

import numpy as np

import nnfs_xp as nx
from nnfs_xp.data import load_dataset, load_text
from nnfs_xp.nets import cnn, gpt

BATCHES = 20
CONTEXT, WIDTH, HEADS, BLOCKS = 64, 64, 4, 2


@dataclasses.dataclass(frozen=True, eq=False)
class NetProblem:
    """What every contender starts from.

    Attributes
    ----------
    key, title : str
    layers : callable
        Makes the layers of nnfs_xp.
    loss : callable
        Makes the loss of nnfs_xp.
    rate : float
        Learning rate of Adam.
    values : dict of str to numpy.ndarray
        Initial float32 parameters, by our paths.
    batches : list of (x, y)
        float32 images (n, 784) or int64 ids (n, t), and int64 labels.
    """

    key: str
    title: str
    layers: Callable[[], list[nx.Layer]]
    loss: Callable[[], nx.Loss]
    rate: float
    values: dict[str, np.ndarray]
    batches: list[tuple[np.ndarray, np.ndarray]]

    def model(self, backend: str, rate: nx.CosineDecay | None = None) -> nx.Model:
        """Return a model of nnfs_xp with Adam, at this rate or the problem's."""
        return nx.Model(
            self.layers(),
            loss=self.loss(),
            optimizer=nx.Adam(self.rate if rate is None else rate),
            metrics=None,
            backend=backend,
            seed=0,
        )


def make_problem(key: str) -> NetProblem:
    """Return the problem of that name, ``cnn`` or ``gpt``."""
    return {"cnn": _cnn, "gpt": _gpt}[key]()


def _cnn() -> NetProblem:
    data = load_dataset("fashion-mnist-mini")

    def layers() -> list[nx.Layer]:
        made = cnn(data.image_shape or (), data.n_classes)
        # Each library would draw other numbers.
        return [layer for layer in made if not isinstance(layer, nx.Dropout)]

    x, y = data.features("train"), data.y_train.astype(np.int64)
    title = "CNN without dropout, batches of 64 images (28 x 28)"
    loss = nx.CategoricalCrossEntropy
    return _problem("cnn", title, layers, loss, 0.001, x, y, batch_size=64)


def _gpt() -> NetProblem:
    text = load_text("text", context=CONTEXT)

    def layers() -> list[nx.Layer]:
        return gpt(text.n_ids, CONTEXT, width=WIDTH, heads=HEADS, blocks=BLOCKS)

    x, y = (array.astype(np.int64) for array in text.windows("train"))
    title = f"GPT with {BLOCKS} blocks, batches of 32 windows of {CONTEXT} characters"
    loss = nx.SoftmaxCrossEntropy
    return _problem("gpt", title, layers, loss, 0.003, x, y, batch_size=32)


def _problem(
    key: str,
    title: str,
    layers: Callable[[], list[nx.Layer]],
    loss: Callable[[], nx.Loss],
    rate: float,
    x: np.ndarray,
    y: np.ndarray,
    batch_size: int,
) -> NetProblem:
    rows = np.random.default_rng(0).permutation(len(x))[: BATCHES * batch_size]
    batches = [(x[some], y[some]) for some in rows.reshape(BATCHES, batch_size)]
    model = nx.Model(layers(), loss=loss(), seed=0, backend="numpy")
    values = {path: nx.to_numpy(array) for path, array in model.parameters.items()}
    return NetProblem(key, title, layers, loss, rate, values, batches)
