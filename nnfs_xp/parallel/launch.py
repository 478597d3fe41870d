"""Communicators, by the name of the library that carries the messages."""

from __future__ import annotations

import importlib
import importlib.util
from collections.abc import Callable
from typing import Any

from nnfs_xp.arguments import check_choice
from nnfs_xp.errors import BackendUnavailableError
from nnfs_xp.parallel.communicator import Communicator

PARALLEL_NAMES = ("mpi", "nccl", "torch")


def communicator(name: str, **options: Any) -> Communicator:
    """Return a communicator by its name; options as for `mpi`."""
    check_choice(name, "parallel", PARALLEL_NAMES)
    ways: dict[str, Callable[..., Communicator]]
    ways = {"mpi": mpi, "nccl": nccl, "torch": torch}
    return ways[name](**options)


def mpi(
    comm: Any = None,
    *,
    sharded: bool = False,
    timeout: float = 300.0,
    check_every: int = 100,
    overlap: bool = True,
    bucket_bytes: int = 2**24,
    compress: str | None = None,
) -> Communicator:
    """Return the ranks of an MPI job, started for example by ``mpiexec -n 4``.

    All ranks must call it. A process that was started without ``mpiexec`` is the only
    rank of its own.

    Parameters
    ----------
    comm : mpi4py.MPI.Comm, optional
        The ranks; all of the job if not given.
    sharded, timeout, check_every, overlap, bucket_bytes, compress : optional
        See `Communicator`.

    Returns
    -------
    Communicator

    Raises
    ------
    BackendUnavailableError
        If mpi4py or an MPI library is missing.

    References
    ----------
    Message Passing Interface Forum, "MPI: A Message-Passing
    Interface Standard", version 4.1, section 6.12 for non-blocking collectives.

    Examples
    --------
    >>> from nnfs_xp import Dense, Model, parallel
    >>> ranks = parallel.mpi()
    >>> ranks.rank, ranks.size
    (0, 1)
    >>> model = Model([Dense(1, 1)], loss="mean_squared_error", optimizer="sgd")
    >>> history = model.fit([[1.0], [2.0]], [[2.0], [4.0]], parallel=ranks)
    """
    try:
        module = importlib.import_module("nnfs_xp.parallel.over_mpi")
    except (ImportError, RuntimeError) as error:
        raise BackendUnavailableError(
            f"parallel.mpi needs mpi4py and an MPI library ({error}); "
            "pip install 'nnfs-xp[mpi]' mpich"
        ) from error
    return module.MPIRanks(
        comm, sharded=sharded, timeout=timeout, check_every=check_every,
        overlap=overlap, bucket_bytes=bucket_bytes, compress=compress,
    )  # fmt: skip


def nccl(
    comm: Any = None,
    *,
    sharded: bool = False,
    timeout: float = 300.0,
    check_every: int = 100,
) -> Communicator:
    """Return the ranks of an MPI job that sends gradients between GPUs with NCCL.

    It is for the backend ``"cupy"``. The device of each rank must be the current one,
    ``cupy.cuda.Device(ranks.rank).use()``, when it is called. It has not yet been run
    on a machine with two GPUs; `mpi` sends gradients through the host, and is tested.

    Parameters
    ----------
    comm, sharded, timeout, check_every : optional
        See `mpi`. Gradients are sent when all are complete, and are not compressed.

    Returns
    -------
    Communicator

    Raises
    ------
    BackendUnavailableError
        If CuPy, NCCL, mpi4py or an MPI library is missing.

    Examples
    --------
    >>> import cupy  # doctest: +SKIP
    >>> from nnfs_xp import parallel
    >>> cupy.cuda.Device(parallel.mpi().rank).use()  # doctest: +SKIP
    >>> ranks = parallel.nccl()  # doctest: +SKIP
    """
    try:
        module = importlib.import_module("nnfs_xp.parallel.over_nccl")
        return module.NCCLRanks(
            comm, sharded=sharded, timeout=timeout, check_every=check_every
        )
    except (ImportError, RuntimeError) as error:
        raise BackendUnavailableError(
            f"parallel.nccl needs CuPy with NCCL, mpi4py and an MPI library: {error}"
        ) from error


def torch(
    *,
    sharded: bool = False,
    timeout: float = 300.0,
    check_every: int = 100,
    overlap: bool = True,
    bucket_bytes: int = 2**24,
    compress: str | None = None,
) -> Communicator:
    """Return the ranks that ``torchrun --nproc-per-node 4`` has started.

    Messages are sent with gloo, on the host. It works with any backend, not only
    PyTorch. All ranks must call it. A process that was started without ``torchrun`` is
    the only rank of its own.

    Parameters
    ----------
    sharded, timeout, check_every, overlap, bucket_bytes, compress : optional
        See `Communicator`.

    Returns
    -------
    Communicator

    Raises
    ------
    BackendUnavailableError
        If PyTorch is missing, or has no gloo.

    Examples
    --------
    >>> from nnfs_xp import parallel
    >>> ranks = parallel.torch()  # doctest: +SKIP
    >>> ranks.rank, ranks.size  # doctest: +SKIP
    (0, 1)
    """
    try:
        module = importlib.import_module("nnfs_xp.parallel.over_torch")
        return module.TorchRanks(
            sharded=sharded, timeout=timeout, check_every=check_every,
            overlap=overlap, bucket_bytes=bucket_bytes, compress=compress,
        )  # fmt: skip
    except (ImportError, RuntimeError) as error:
        raise BackendUnavailableError(
            f"parallel.torch needs PyTorch with gloo: {error}"
        ) from error
