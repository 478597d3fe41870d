"""PyTorch, used as an array library: no autograd, no torch.nn."""

from __future__ import annotations

import contextlib
from typing import Any

import numpy as np
import torch

from nnfs_xp.backends.base import Array, Backend, Together
from nnfs_xp.errors import BackendUnavailableError

# The BLAS of PyTorch for Intel's processors, MKL, takes two to six times as long for a
# product with fewer columns than a vector register has floats as for its transpose,
# unless it is small.
_NARROW = 16
_LARGE = 50_000
# The same where the result may stay as it is.
_LARGE_IN_COLUMNS = 20_000


class TorchBackend(Backend):
    """PyTorch tensors on one of its devices."""

    name = "torch"
    compiled_executor = "nnfs_xp.engine.executors.torch_compile:TorchCompileExecutor"
    recorded_executor = "nnfs_xp.engine.executors.torch_recorded:TorchRecordedExecutor"

    @classmethod
    def devices(cls) -> list[str]:
        """Return ``cpu`` and every CUDA device."""
        return ["cpu", *(f"cuda:{i}" for i in range(torch.cuda.device_count()))]

    def find_device(self, device: Any) -> Any:
        """Accept whatever ``torch.device`` accepts, if it can be used for computing."""
        try:
            # PyTorch would take a flag as an index.
            if isinstance(device, bool):
                raise TypeError("a flag is no device")
            # An array knows its device with its index: "cuda" is "cuda:0".
            return torch.empty(0, device="cpu" if device is None else device).device
        except (RuntimeError, AssertionError, TypeError) as error:
            reason = str(error).partition("\n")[0]
            raise BackendUnavailableError(
                f"backend 'torch' has the devices {self.devices()}, "
                f"got {device!r}: {reason}"
            ) from error

    def array_type(self) -> Any:
        """Return the class of PyTorch's arrays."""
        return torch.Tensor

    def asarray(self, values: Any, dtype: Any = None) -> Array:
        """Move host values to the device; a tensor's autograd history stays."""
        if isinstance(values, torch.Tensor):
            here = values.device == self.device and dtype in (None, values.dtype)
            if here and not values.requires_grad:
                return values
            values = values.detach()
        return super().asarray(values, dtype)

    def kind_of(self, values: Any) -> Any:
        """Return dtype, layout and shape of a sample, of a tensor that is here."""
        if type(values) is not torch.Tensor or not values.numel():
            return None
        if values.device != self.device or values.requires_grad:
            return None
        return values.dtype, values.layout, values.shape[1:]

    def to_numpy(self, array: Array) -> np.ndarray:
        """Copy the tensor to the host."""
        return np.array(array.detach().cpu().numpy())

    def host_view(self, array: Any) -> np.ndarray | None:
        """Return a tensor of the CPU as an array of NumPy."""
        return array.detach().numpy() if self.on_host else None

    def take_rows(self, array: Array, numbers: Array) -> Array:
        """Return rows by their numbers, without checking for negative ones."""
        return torch.index_select(array, 0, numbers)

    def in_rows(self, array: Array) -> Array:
        """Return a tensor that can be viewed in another shape."""
        return array.contiguous()

    def full_matmul(self, a: Array, b: Array, out: Array | None = None) -> Array:
        """Return the product, written to `out` if there is one."""
        if b.shape[-1] < _NARROW and self._turns(a, b, _LARGE):
            product = torch.mm(b.T, a.T).T
            return product.contiguous() if out is None else out.copy_(product)
        return torch.matmul(a, b, out=out)

    def matmul_plus(self, a: Array, b: Array, row: Array) -> Array:
        """Return ``a @ b + row``; a narrow one may lie in memory column by column."""
        k = b.shape[1]
        if k < _NARROW and self._turns(a, b, _LARGE_IN_COLUMNS):
            n = a.shape[0]
            columns = torch.empty_strided((n, k), (1, n), dtype=a.dtype)
            return torch.addmm(row, a, b, out=columns)
        return torch.addmm(row, a, b)

    def _turns(self, a: Array, b: Array, large: int) -> bool:
        """Return whether the transpose of a narrow product is computed faster."""
        # What costs least to ask comes first, as every product asks.
        return (
            a.numel() * b.shape[-1] >= large
            and a.ndim == b.ndim == 2
            and b.shape[1] > 1
            and self.device.type == "cpu"
        )

    def context(self) -> contextlib.AbstractContextManager[Any]:
        """Compute on this device, without autocast or inference mode."""
        kind, contexts = self.device.type, [super().context()]
        # Entering them takes longer than checking.
        if torch.is_autocast_enabled(kind):
            contexts.append(torch.autocast(kind, enabled=False))
        # An array that is made in inference mode could not be written to later.
        if torch.is_inference_mode_enabled():
            contexts.append(torch.inference_mode(False))
        return contexts[0] if len(contexts) == 1 else Together(*contexts)

    def synchronize(self) -> None:
        """Wait for the device."""
        if self.device.type == "cuda":
            torch.cuda.synchronize(self.device)
