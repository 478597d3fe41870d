"""What is trained: four networks on real data, small to middling."""

from __future__ import annotations

import dataclasses
import itertools

import numpy as np

import nnfs_xp
from nnfs_xp.data import load_dataset

LEARNING_RATE = 0.001
BETA_1 = 0.9
BETA_2 = 0.999
EPSILON = 1e-7

# So many batches are used in turn. They are as good as the whole data set for
# timing, and every contender can keep its own copy on its device.
MOST_BATCHES = 20


@dataclasses.dataclass(frozen=True)
class Workload:
    """A data set, the sizes of a network's layers and of a batch.

    A `batch_size` of None is all of the data at once. The losses of all contenders
    are compared over `checked_steps`.
    """

    key: str
    dataset: str
    sizes: tuple[int, ...]
    batch_size: int | None
    checked_steps: int = 20

    @property
    def title(self) -> str:
        """One line that says what it is."""
        batch = "all rows" if self.batch_size is None else f"batch {self.batch_size}"
        return f"{self.dataset} {'-'.join(map(str, self.sizes))}, {batch}"


WORKLOADS = {
    workload.key: workload
    for workload in (
        Workload("W1", "spiral", (2, 64, 3), None),
        Workload("W2", "digits", (64, 128, 64, 10), 64),
        Workload("W3", "fashion-mnist-mini", (784, 128, 128, 10), 128),
    )
}
# Too large for a CPU's table. After its first steps some probabilities are below the
# 1e-7 at which the book clips, so the book's way is no reference here. What two right
# ways differ by, from rounding, grows tenfold in some five steps.
W4 = Workload("W4", "fashion-mnist-mini", (784, 1024, 1024, 10), 512, checked_steps=8)
GPU_WORKLOADS = {**WORKLOADS, W4.key: W4}


@dataclasses.dataclass(frozen=True, eq=False)
class Problem:
    """A workload with its data: what every contender starts from.

    Attributes
    ----------
    workload : Workload
    weights : list of (weights, biases)
        Initial float32 values of each layer, of shape (inputs, outputs) and
        (1, outputs).
    batches : list of (x, y)
        float32 features and int64 labels, in the order in which to use them.
    """

    workload: Workload
    weights: list[tuple[np.ndarray, np.ndarray]]
    batches: list[tuple[np.ndarray, np.ndarray]]


def make_problem(workload: Workload) -> Problem:
    """Load the data, cut it into batches and draw the initial weights."""
    data = load_dataset(workload.dataset)
    x, y = data.features("train"), data.y_train.astype(np.int64)
    size = workload.batch_size or len(x)
    order = np.random.default_rng(0).permutation(len(x))
    starts = range(0, len(x) - size + 1, size)[:MOST_BATCHES]
    rows = [order[start : start + size] for start in starts]
    batches = [(x[chosen], y[chosen]) for chosen in rows]
    return Problem(workload, _initial_weights(workload), batches)


def random_problem(workload: Workload) -> Problem:
    """Return one batch of random data for a network that no data set is for."""
    random = np.random.default_rng(0)
    rows = workload.batch_size or 1
    features, classes = workload.sizes[0], workload.sizes[-1]
    x = random.standard_normal((rows, features), dtype=np.float32)
    y = random.integers(0, classes, rows)
    return Problem(workload, _initial_weights(workload), [(x, y)])


def _initial_weights(workload: Workload) -> list[tuple[np.ndarray, np.ndarray]]:
    parameters = nnfs_model(workload, "numpy", "cpu").parameters
    arrays = [nnfs_xp.to_numpy(array) for array in parameters.values()]
    return list(zip(arrays[::2], arrays[1::2], strict=True))


def nnfs_model(
    workload: Workload,
    backend: str,
    device: str,
    *,
    dtype: str = "float32",
    compile: str = "auto",
    optimizer: nnfs_xp.Optimizer | None = None,
) -> nnfs_xp.Model:
    """Return the workload's network as a model of nnfs_xp, with Adam by default."""
    layers: list[nnfs_xp.Layer] = []
    for n_inputs, n_neurons in itertools.pairwise(workload.sizes):
        layers += [nnfs_xp.Dense(n_inputs, n_neurons), nnfs_xp.ReLU()]
    layers[-1] = nnfs_xp.Softmax()
    return nnfs_xp.Model(
        layers,
        loss=nnfs_xp.CategoricalCrossEntropy(),
        optimizer=optimizer or nnfs_xp.Adam(LEARNING_RATE, BETA_1, BETA_2, EPSILON),
        metrics=None,
        backend=backend,
        device=device,
        dtype=dtype,
        seed=0,
        compile=compile,
    )
