"""Matrix products, the same for every backend."""

from __future__ import annotations

from typing import Any, ClassVar

from nnfs_xp.arguments import check_choice
from nnfs_xp.backends.rounding import MATMUL_PRECISIONS, Operand, rounded
from nnfs_xp.errors import InputError

Array = Any


class Products:
    """The part of `Backend` that multiplies. Nothing else in the package does.

    A library that can do more than ``a @ b`` defines `full_matmul` and `rounded_matmul`
    itself, and also the bits of its numbers, which rounding needs.
    """

    name: ClassVar[str]
    matmul_precision: str
    xp: Any

    def operand(self, a: Array) -> Array | Operand:
        """Round a matrix for `matmul`, once for all products it is used in.

        Parameters
        ----------
        a : array, shape (m, n)
            A matrix, or what this method returned.

        Returns
        -------
        array or Operand
            The array itself if `matmul_precision` is ``"full"``; else something that
            only `matmul` can use, and that has a transpose, ``.T``.
        """
        if self.matmul_precision == "full" or isinstance(a, Operand):
            return a
        return Operand(self.rounded(a))

    def matmul(
        self, a: Array | Operand, b: Array | Operand, out: Array | None = None
    ) -> Array:
        """Return a matrix product in the precision of `matmul_precision`.

        Parameters
        ----------
        a, b : array or Operand, shapes (m, k) and (k, n)
            Arrays are rounded as `operand` does.
        out : array, shape (m, n), optional
            Where to write the product, if arrays of this backend can be written to;
            else it is ignored.

        Returns
        -------
        array
            The product, of this backend's dtype: `out`, or a new array.
        """
        if self.matmul_precision == "full":
            return self.full_matmul(a, b, out)
        a, b = self.operand(a), self.operand(b)
        return self.rounded_matmul(a.array, b.array, out)

    def matmul_over_rows(
        self, a: Array | Operand, b: Array | Operand, out: Array | None = None
    ) -> Array:
        """Return ``a^T b`` for matrices of as many rows; see `matmul`."""
        return self.matmul(a.T, b, out)

    def full_matmul(self, a: Array, b: Array, out: Array | None = None) -> Array:
        """Return the product of two arrays without rounding them first."""
        return a @ b

    def rounded_matmul(self, a: Array, b: Array, out: Array | None) -> Array:
        """Return the product of two arrays that `rounded` returned."""
        return self.full_matmul(a, b, out)

    def rounded(self, a: Array) -> Array:
        """Return an array rounded to `matmul_precision`."""
        return rounded(self, a, self.matmul_precision)

    def float_bits(self, a: Array) -> Array:
        """Return float32 numbers as int32 numbers of the same bits."""
        return a.view(self.xp.int32)

    def float_of_bits(self, bits: Array) -> Array:
        """Return int32 numbers as float32 numbers of the same bits."""
        return bits.view(self.xp.float32)

    def why_no_capture(self) -> str:
        """Return why a matrix product cannot be part of a CUDA graph, "" if it can."""
        return f"backend {self.name!r} captures no CUDA graphs"


def check_matmul_precision(precision: Any, dtype: str) -> str:
    """Return a precision of products that goes with a dtype, or raise InputError."""
    precision = check_choice(precision, "matmul_precision", MATMUL_PRECISIONS)
    if precision != "full" and dtype != "float32":
        raise InputError(
            f"matmul_precision {precision!r} is for dtype 'float32', got dtype "
            f"{dtype!r}; with it, matmul_precision must be 'full'"
        )
    return precision
