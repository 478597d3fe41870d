"""What is trained: networks from small to large, on real data where it matters."""

from __future__ import annotations

import dataclasses
import itertools

import numpy as np

import nnfs_xp
from nnfs_xp.data import load_dataset
from nnfs_xp.data.fashion_mnist import cache_directory

LEARNING_RATE = 0.001
# Of stochastic gradient descent with momentum.
SGD_RATE, MOMENTUM = 0.01, 0.9

FASHION_MNIST_ROWS = 60_000
# The losses of a network are compared over so many steps, unless it is large.
CHECKED_IF_SMALL = 20
BETA_1 = 0.9
BETA_2 = 0.999
EPSILON = 1e-7


@dataclasses.dataclass(frozen=True)
class Workload:
    """A data set, the sizes of a network's layers and of a batch.

    Attributes
    ----------
    key : str
    dataset : str
        One of the package, or ``random`` for one batch of random data.
    sizes : tuple of int
    batch_size : int or None
        None is all of the data at once.
    checked_steps : int
        Over how many steps the losses of all contenders are compared.
    optimizer : {"adam", "momentum"}
    batches : int
        At most so many batches are used in turn.
    whole : bool
        Whether it is about whole epochs, as ``fit`` takes them.
    heavy : bool
        Whether a step takes so long that few are timed.
    """

    key: str
    dataset: str
    sizes: tuple[int, ...]
    batch_size: int | None
    checked_steps: int = CHECKED_IF_SMALL
    optimizer: str = "adam"
    batches: int = 20
    whole: bool = False
    heavy: bool = False

    @property
    def title(self) -> str:
        """One line that says what it is."""
        batch = "all rows" if self.batch_size is None else f"batch {self.batch_size}"
        title = f"{self.dataset} {'-'.join(map(str, self.sizes))}, {batch}"
        if self.optimizer != "adam":
            title += f", {self.optimizer}"
        return f"{title}, one epoch" if self.whole else title

    @property
    def parameters(self) -> int:
        """How many numbers are trained."""
        return sum((n + 1) * k for n, k in itertools.pairwise(self.sizes))


# After the first steps of W4 some probabilities are below the 1e-7 at which the book
# clips, so the book's way is no reference there. What two right ways differ by, from
# rounding, grows tenfold in some five steps.
WORKLOADS = {
    workload.key: workload
    for workload in (
        Workload("W1", "spiral", (2, 64, 3), None),
        Workload("W2", "digits", (64, 128, 64, 10), 64),
        Workload("W3", "fashion-mnist-mini", (784, 128, 128, 10), 128),
        Workload("W4", "fashion-mnist-mini", (784, 1024, 1024, 10), 512, 8),
        Workload(
            "W5", "random", (4096, 4096, 4096, 1000), 1024, 3, "momentum", heavy=True
        ),
        # Ten million parameters, and hardly anything to multiply them with.
        Workload("W6", "random", (2048, 3072, 1216, 10), 8, 5),
        # In float32 1 - beta^t, as in Adam on JAX, has few right digits at first.
        Workload(
            "W7", "fashion-mnist", (784, 128, 128, 10), 128, 5, batches=468, whole=True
        ),
    )
}
# What a report from a GPU compares.
GPU_WORKLOADS = {key: WORKLOADS[key] for key in ("W1", "W2", "W3", "W4")}


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
    if workload.dataset == "random":
        return random_problem(workload)
    x, y = data_of(workload.dataset)
    size = workload.batch_size or len(x)
    order = np.random.default_rng(0).permutation(len(x))
    starts = range(0, len(x) - size + 1, size)[: workload.batches]
    rows = [order[start : start + size] for start in starts]
    batches = [(x[chosen], y[chosen]) for chosen in rows]
    return Problem(workload, _initial_weights(workload), batches)


def data_of(name: str) -> tuple[np.ndarray, np.ndarray]:
    """Return float32 features and int64 labels of a data set.

    Where Fashion-MNIST has not been downloaded, the part of it that comes with the
    package is repeated. It takes as long.
    """
    # Nothing is downloaded: files are read where a download would have put them.
    folder = cache_directory() if name == "fashion-mnist" else None
    try:
        data = load_dataset(name, data_dir=folder)
    except nnfs_xp.FileFormatError:
        x, y = data_of("fashion-mnist-mini")
        rows = np.arange(FASHION_MNIST_ROWS) % len(x)
        return x[rows], y[rows]
    return data.features("train"), data.y_train.astype(np.int64)


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
    """Return the workload's network as a model of nnfs_xp, with its optimizer."""
    layers: list[nnfs_xp.Layer] = []
    for n_inputs, n_neurons in itertools.pairwise(workload.sizes):
        layers += [nnfs_xp.Dense(n_inputs, n_neurons), nnfs_xp.ReLU()]
    layers[-1] = nnfs_xp.Softmax()
    return nnfs_xp.Model(
        layers,
        loss=nnfs_xp.CategoricalCrossEntropy(),
        optimizer=optimizer or _optimizer(workload),
        metrics=None,
        backend=backend,
        device=device,
        dtype=dtype,
        seed=0,
        compile=compile,
    )


def _optimizer(workload: Workload) -> nnfs_xp.Optimizer:
    if workload.optimizer == "momentum":
        return nnfs_xp.SGD(SGD_RATE, momentum=MOMENTUM)
    return nnfs_xp.Adam(LEARNING_RATE, BETA_1, BETA_2, EPSILON)
