"""Models in files: ``save``, ``load``, and parameters alone."""

from __future__ import annotations

import os
from typing import Any, Self

from nnfs_xp.arguments import check_choice, check_count
from nnfs_xp.backends import MATMUL_PRECISIONS, Backend, get_backend
from nnfs_xp.errors import FileFormatError, InputError
from nnfs_xp.executors import check_mode
from nnfs_xp.layers.nesting import leaves
from nnfs_xp.layout import named_parameter, parameter_name
from nnfs_xp.model.assembly import take_parameters
from nnfs_xp.model.building import Building
from nnfs_xp.model.state import LEARNING_STATE, Named
from nnfs_xp.registry import resolve, to_config


class Files(Building):
    """The part of `Model` that reads and writes files."""

    epochs_trained: int
    steps_trained: int
    metadata: dict[str, Any]

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the model to a safetensors file, replacing it atomically.

        Parameters
        ----------
        path : path
            The file. It holds parameters, optimizer state, configuration and
            ``metadata``, and no code.

        Raises
        ------
        InputError
            If ``metadata`` holds something that JSON cannot, or a unit cannot
            be made again from a file.
        """
        from nnfs_xp.io.checkpoint import write_checkpoint

        if not isinstance(self.metadata, dict):
            raise InputError(f"metadata must be a dict, got {self.metadata!r}")
        self.finalize()
        write_checkpoint(path, self.config(), self._ready.export())

    @classmethod
    def load(
        cls,
        path: str | os.PathLike[str],
        *,
        backend: str | Backend | None = None,
        device: Any = None,
        dtype: str | None = None,
        matmul_precision: str | None = None,
        compile: str = "auto",
    ) -> Self:
        """Read a model that `save` wrote, onto any backend.

        Parameters
        ----------
        path : path
            The file.
        backend, device, dtype, matmul_precision, compile : optional
            As for the class; the dtype is that of the file by default. Files do not
            say in which precision products were taken.

        Raises
        ------
        InputError
            If `matmul_precision` is unknown, or is not for the dtype.
        FileFormatError
            If the file is damaged or is not one of `save`.
        """
        from nnfs_xp.io.checkpoint import read_checkpoint

        check_mode(compile)
        if matmul_precision is not None:
            check_choice(matmul_precision, "matmul_precision", MATMUL_PRECISIONS)
        config, named = read_checkpoint(path)
        be = get_backend(backend, device=device, dtype=dtype)
        try:
            if dtype is None and not isinstance(backend, Backend):
                be = get_backend(be, dtype=config["dtype"])
        except InputError as error:
            raise FileFormatError(f"{os.fspath(path)}: {error}") from error
        be = get_backend(be, matmul_precision=matmul_precision)
        try:
            return cls._from_config(config, named, be, compile)
        except InputError as error:
            raise FileFormatError(f"{os.fspath(path)}: {error}") from error

    def config(self) -> dict[str, Any]:
        """Return everything but arrays that makes this model again."""

        def unit(value: Any) -> dict[str, Any] | None:
            return None if value is None else to_config(value)

        return {
            "layers": [to_config(layer) for layer in self.layers],
            "loss": unit(self.loss),
            "optimizer": unit(self.optimizer),
            "metrics": [to_config(metric) for metric in self.metrics],
            "dtype": self.backend.dtype_name,
            "seed": self.seed,
            "epochs_trained": self.epochs_trained,
            "steps_trained": self.steps_trained,
            "metadata": self.metadata,
        }

    @classmethod
    def _from_config(
        cls, config: dict[str, Any], named: Named, be: Backend, compile: str
    ) -> Self:
        """Return the model of a configuration, with arrays by name."""
        layers = [resolve("layer", layer, "layers") for layer in config["layers"]]
        take_parameters(leaves(layers), named)
        model = cls(  # type: ignore[call-arg]
            layers,
            loss=config["loss"],
            optimizer=config["optimizer"],
            metrics=config["metrics"],
            backend=be,
            seed=config["seed"],
            compile=compile,
        )
        model._restore(model.backend, named)
        for count in ("epochs_trained", "steps_trained"):
            setattr(model, count, check_count(config[count], count, least=0))
        model.metadata = config["metadata"]
        return model

    def save_parameters(self, path: str | os.PathLike[str]) -> None:
        """Write the parameters alone to a safetensors file, atomically.

        Parameters
        ----------
        path : path
            The file; its arrays are named as in `parameters`.
        """
        from nnfs_xp.io.checkpoint import write_arrays

        be = self.backend
        named = self._ready.parameters()
        write_arrays(path, {name: be.to_numpy(value) for name, value in named.items()})

    def load_parameters(self, path: str | os.PathLike[str]) -> None:
        """Read parameters that `save_parameters` or `save` wrote.

        Parameters
        ----------
        path : path
            The file, of a model with layers of the same sizes.

        Raises
        ------
        FileFormatError
            If the file is damaged, or does not fit; the model is then
            unchanged.
        """
        from nnfs_xp.io.checkpoint import read_arrays

        state, named = self._ready, read_arrays(path)
        wanted = [
            (index, name, shape)
            for index, layer in enumerate(self.leaves)
            for name, (_, shape) in layer.initializers().items()
        ]
        expected = {parameter_name(index, name) for index, name, _ in wanted}
        surplus = sorted(
            name
            for name in named
            if name not in expected and not name.startswith(LEARNING_STATE)
        )
        try:
            if surplus:
                raise InputError(f"this model has no {surplus[0]}")
            values = [named_parameter(named, *slot) for slot in wanted]
        except InputError as error:
            raise FileFormatError(f"{os.fspath(path)}: {error}") from error
        be = self.backend
        for (index, name, _), value in zip(wanted, values, strict=True):
            state.assign_parameter(index, name, be.asarray(value, be.dtype))
