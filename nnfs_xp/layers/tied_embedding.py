"""An embedding whose rows are also the weights of the output layer."""

from __future__ import annotations

from typing import Any

from nnfs_xp.backends import Array
from nnfs_xp.engine.context import Context
from nnfs_xp.errors import InputError
from nnfs_xp.layers.base import Layer
from nnfs_xp.layers.embedding import Embedding
from nnfs_xp.layers.products import as_before, as_matrix
from nnfs_xp.registry import register, resolve


@register("layer")
class TiedEmbedding(Layer):
    """An embedding, the units after it, and a product with the transposed embedding.

    The units in between compute a function f of the rows of the embedding, and the
    output has a score for each id::

        H = f(W[ids])        Y = H W^T
        dH = dY W            dW = dY^T H + (gradient of W as an embedding)

    Both products share one matrix, ``embedding.weights``. It is saved once, and its
    gradient is the sum of the gradients of both uses.

    Parameters
    ----------
    embedding : Embedding
        The embedding with the weights W, of shape (n_ids, n_outputs).
    inner : Layer
        The function f, which must have n_outputs input and output features.

    Raises
    ------
    InputError
        If an argument is something else; in a model, or in ``forward``, if f has a
        different number of outputs.

    References
    ----------
    Press and Wolf, "Using the Output Embedding to Improve Language Models", EACL 2017.

    Examples
    --------
    >>> from nnfs_xp import Embedding, Linear, TiedEmbedding
    >>> layer = TiedEmbedding(Embedding(3, 2), Linear())
    >>> layer.children["embedding"].weights = [[1, 0], [0, 2], [1, 1]]
    >>> layer.forward([[0, 1]]).tolist()
    [[[1.0, 0.0, 1.0], [0.0, 4.0, 2.0]]]
    """

    def __init__(
        self, embedding: Embedding | dict[str, Any], inner: Layer | dict[str, Any]
    ) -> None:
        super().__init__()
        self.embedding = resolve("layer", embedding, "embedding", Layer)
        if not isinstance(self.embedding, Embedding):
            raise InputError(f"embedding must be an Embedding, got {embedding!r}")
        self.inner = resolve("layer", inner, "inner", Layer)
        self.children = {"embedding": self.embedding, "inner": self.inner}
        self.integer_inputs = self.embedding.integer_inputs
        self.output_shape(None)

    def fwd(self, cx: Context, ids: Array) -> tuple[Array, Any]:
        """Return ``H W^T``; residuals are those of both units, and H."""
        be, table = cx.be, cx["embedding"]
        rows, kept_rows = table.fwd(ids)
        h, kept_inner = cx["inner"].fwd(rows)
        y = be.matmul(as_matrix(cx, h), table.params["weights"].T)
        return as_before(cx, y, h.shape), (kept_rows, kept_inner, h)

    def bwd(self, cx: Context, residuals: Any, dy: Array) -> None:
        """Write both gradients of W; ids have none."""
        (kept_rows, kept_inner, h), be, table = residuals, cx.be, cx["embedding"]
        dz, grads = as_matrix(cx, dy), table.grads
        if table.learns:
            with grads.beside(dz, h):
                dw = be.matmul_over_rows(dz, as_matrix(cx, h), grads.out("weights"))
            grads["weights"] = dw
        dh = as_before(cx, be.matmul(dz, table.params["weights"]), h.shape)
        drows = cx["inner"].bwd(kept_inner, dh)
        table.bwd(kept_rows, drows)

    def output_shape(self, shape: Any) -> Any:
        """Return the shape of the ids, followed by their number."""
        rows = self.embedding.output_shape(shape)
        found = self.inner.output_shape(rows)
        width = self.embedding.n_outputs
        if found is not None and found[-1:] != (width,):
            raise InputError(
                f"layers: {self!r} needs {width} features after inner, got {found}"
            )
        return None if found is None else (*found[:-1], self.embedding.n_ids)

    def __repr__(self) -> str:
        return f"TiedEmbedding({self.embedding!r}, {self.inner!r})"
