"""A network that can be trained, evaluated, used, saved and moved."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from nnfs_xp.arguments import check_count, check_seed
from nnfs_xp.backends import Array, Backend, get_backend
from nnfs_xp.errors import InputError
from nnfs_xp.executors import check_mode
from nnfs_xp.layers import Layer
from nnfs_xp.layers.nesting import check_layers
from nnfs_xp.losses import Loss
from nnfs_xp.metrics import Metric
from nnfs_xp.model.files import Files
from nnfs_xp.model.inspection import Inspection
from nnfs_xp.model.memory import MemoryEstimate, estimate_for
from nnfs_xp.model.summary import summary_of
from nnfs_xp.optimizers import Optimizer
from nnfs_xp.random import fresh_seed


class Model(Inspection, Files):
    """A stack of layers with a loss and an optimizer.

    It is made at once, as below, or step by step as in the book, by ``add``,
    ``set`` and ``finalize``.

    Parameters
    ----------
    layers : sequence of Layer, optional
        From the inputs to the output. A `Softmax` at the end, before a
        `CategoricalCrossEntropy`, is learned through together with it, from
        the logits and exactly; ``predict`` still returns its probabilities.
        So is a `Sigmoid` before a `BinaryCrossEntropy`.
    loss : Loss or str, optional
        Such as ``"categorical_crossentropy"``; needed to fit and evaluate.
    optimizer : Optimizer or str, optional
        Such as ``"adam"`` or ``SGD(0.1)``; needed to fit.
    metrics : Metric or str, or a sequence of them, or None, default "auto"
        What ``fit`` and ``evaluate`` report beside the loss. ``"accuracy"`` is
        the accuracy that goes with the loss; ``"auto"`` is that for
        classifiers, and nothing where the loss compares values.
    backend, device, dtype, matmul_precision : optional
        Where and in which precision the model computes; see
        `nnfs_xp.get_backend`.
    seed : int or None, default 0
        Seed of initial weights, batch order and dropout. The same seed gives
        the same bits on every backend; None draws one.
    compile : {"auto", "off", "require"}, default "auto"
        Whether the step is compiled: where the backend can (as one program on
        JAX, as one CUDA graph on CuPy), never, or else an error.
        `executor_note` says what came of it.

    Attributes
    ----------
    layers : list of Layer
        Their ``weights`` and ``biases`` are those of the model.
    leaves : list of Layer
        The same, with the layers of a `Sequential` in its place. Their
        numbers are those of the parameters' names.
    backend : Backend
    epochs_trained, steps_trained : int
        Epochs and steps since the model was made, also over saving and
        loading.
    stop_training : bool
        Set it in a callback to end ``fit`` after the current epoch.
    metadata : dict
        Anything JSON can hold; saved with the model.

    Raises
    ------
    InputError
        If the layers do not fit each other or the loss.
    BackendUnavailableError
        If the backend does not work here.

    Examples
    --------
    >>> from nnfs_xp import Dense, Model, ReLU, Softmax
    >>> model = Model(
    ...     [Dense(2, 16), ReLU(), Dense(16, 2), Softmax()],
    ...     loss="categorical_crossentropy",
    ...     optimizer="adam",
    ... )
    >>> history = model.fit([[0, 0], [1, 1]], [0, 1], epochs=200)
    >>> model.evaluate([[0, 0], [1, 1]], [0, 1])["accuracy"]
    1.0
    """

    def __init__(
        self,
        layers: Iterable[Layer] | None = None,
        *,
        loss: Loss | str | None = None,
        optimizer: Optimizer | str | None = None,
        metrics: Metric | str | Iterable[Metric | str] | None = "auto",
        backend: str | Backend | None = None,
        device: Any = None,
        dtype: str | None = None,
        matmul_precision: str | None = None,
        seed: int | None = 0,
        compile: str = "auto",
    ) -> None:
        super().__init__()
        self.layers: list[Layer] = [] if layers is None else list(layers)
        self.seed = fresh_seed() if seed is None else check_seed(seed)
        self.compile = check_mode(compile)
        self.epochs_trained = 0
        self.steps_trained = 0
        self.stop_training = False
        self.metadata: dict[str, Any] = {}
        if layers is not None:
            check_layers(self.layers)
        self.set(loss=loss, optimizer=optimizer, metrics=metrics)
        self.backend = get_backend(
            backend, device=device, dtype=dtype, matmul_precision=matmul_precision
        )
        if layers is not None:
            self.finalize()

    # Looking at it, and moving it.

    @property
    def parameters(self) -> dict[str, Array]:
        """Every parameter by name, such as ``"layers.0.weights"``."""
        return self._ready.parameters()

    @property
    def learning_rate(self) -> float:
        """The learning rate of the next step; may be set at any time.

        A number that is set takes the place of a schedule.
        """
        return self._optimizer.rate_at(self._ready.steps)

    @learning_rate.setter
    def learning_rate(self, value: float) -> None:
        self._optimizer.learning_rate = value

    def to(
        self,
        backend: str | Backend,
        *,
        device: Any = None,
        dtype: str | None = None,
        matmul_precision: str | None = None,
    ) -> Model:
        """Move the model, with its optimizer state, to another backend.

        Parameters
        ----------
        backend, device, dtype, matmul_precision
            See `nnfs_xp.get_backend`. The dtype stays as it is by default, and so
            does the precision of products, unless a backend object is given, which
            has its own, or `dtype` is float64, which has none but the full one.

        Returns
        -------
        Model
            This model.
        """
        dtype = dtype or self.backend.dtype_name
        if matmul_precision is None and not isinstance(backend, Backend):
            matmul_precision = self.backend.like(dtype).matmul_precision
        be = get_backend(
            backend, device=device, dtype=dtype, matmul_precision=matmul_precision
        )
        old = self.backend
        self._restore(be, self._ready.export())
        old.release_memory()
        return self

    def memory_estimate(
        self, batch_size: int = 128, sample_shape: Sequence[int] | None = None
    ) -> MemoryEstimate:
        """Return what a training step needs of memory, before it is taken.

        Parameters
        ----------
        batch_size : int, default 128
            Samples of the batch.
        sample_shape : sequence of int, optional
            Shape of a sample; needed only where the layers take any.

        Returns
        -------
        MemoryEstimate

        Raises
        ------
        InputError
            If `sample_shape` is needed and missing, or does not fit the layers.
        """
        batch_size = check_count(batch_size, "batch_size")
        self.finalize()
        shape = self.input_shape
        if sample_shape is not None:
            shape = tuple(check_count(n, "sample_shape") for n in sample_shape)
            if self.input_shape not in (None, shape):
                raise InputError(
                    f"sample_shape must be {self.input_shape}, got {shape}"
                )
        if shape is None:
            raise InputError(
                "sample_shape is needed, as the layers take samples of any shape"
            )
        return estimate_for(self, batch_size, shape)

    @property
    def executor_note(self) -> str:
        """How the training step is run, in words, and why so.

        Whether it can be captured as a CUDA graph is known from the first
        ``fit`` on.
        """
        self.finalize()
        return self._executor.note

    def summary(
        self,
        print_fn: Callable[[str], Any] = print,
        *,
        batch_size: int | None = None,
    ) -> None:
        """Print the layers, their shapes and numbers of parameters.

        Parameters
        ----------
        print_fn : callable, default print
            Given the whole text.
        batch_size : int, optional
            Also print what a step of so many samples needs of memory.
        """
        self.finalize()
        text = summary_of(self)
        if batch_size is not None:
            text += f"\n{self.memory_estimate(batch_size)}"
        print_fn(text)

    def __repr__(self) -> str:
        return f"Model({self.layers!r}, {self.backend})"
