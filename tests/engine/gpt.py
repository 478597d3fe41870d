"""A small GPT with an attention block of a reader's own, and the same in PyTorch."""

import numpy as np

import nnfs_xp as nx

WORDS, WIDTH, HEADS, RATE = 7, 8, 2, 0.2


class SelfAttention(nx.Layer):
    """Causal attention, (n, t, d) -> (n, t, d)."""

    def __init__(self, width, heads):
        super().__init__()
        self.width, self.heads = width, heads
        self.children = {
            "qkv": nx.Dense(width, 3 * width, weight_initializer="glorot_normal"),
            "out": nx.Dense(width, width, weight_initializer="glorot_normal"),
        }

    def config(self):
        return {"width": self.width, "heads": self.heads}

    def fwd(self, cx, x):
        xp, (n, t, d) = cx.xp, x.shape
        h, e = self.heads, d // self.heads
        z, kept_qkv = cx["qkv"].fwd(x)
        q, k, v = (
            xp.permute_dims(
                xp.reshape(z[..., i * d : (i + 1) * d], (n, t, h, e)), (0, 2, 1, 3)
            )
            for i in range(3)
        )
        scores = products(xp, q, transposed(xp, k)) / e**0.5
        rows = xp.arange(t, device=cx.be.device)
        seen = rows[:, None] >= rows[None, :]
        scores = xp.where(seen, scores, cx.be.constant(-1e30))
        p = xp.exp(scores - xp.max(scores, axis=-1, keepdims=True))
        p = p / xp.sum(p, axis=-1, keepdims=True)
        heads = xp.reshape(xp.permute_dims(products(xp, p, v), (0, 2, 1, 3)), (n, t, d))
        y, kept_out = cx["out"].fwd(heads)
        return y, (kept_qkv, kept_out, q, k, v, p)

    def bwd(self, cx, residuals, dy):
        xp = cx.xp
        kept_qkv, kept_out, q, k, v, p = residuals
        n, h, t, e = q.shape
        dheads = xp.reshape(cx["out"].bwd(kept_out, dy), (n, t, h, e))
        dheads = xp.permute_dims(dheads, (0, 2, 1, 3))
        dv = products(xp, transposed(xp, p), dheads)
        dp = products(xp, dheads, transposed(xp, v))
        dscores = p * (dp - xp.sum(dp * p, axis=-1, keepdims=True)) / e**0.5
        dq, dk = products(xp, dscores, k), products(xp, transposed(xp, dscores), q)
        dz = xp.concat(
            [
                xp.reshape(xp.permute_dims(part, (0, 2, 1, 3)), (n, t, h * e))
                for part in (dq, dk, dv)
            ],
            axis=-1,
        )
        return cx["qkv"].bwd(kept_qkv, dz)


def products(xp, a, b):
    """Return ``a @ b``, which CuPy would not capture for more than two axes."""
    return xp.sum(a[..., :, :, None] * b[..., None, :, :], axis=-2)


def transposed(xp, array):
    return xp.permute_dims(array, (0, 1, 3, 2))


def gpt(blocks):
    def block():
        attention = [nx.LayerNorm(WIDTH), SelfAttention(WIDTH, HEADS), nx.Dropout(RATE)]
        mlp = [
            nx.LayerNorm(WIDTH),
            nx.Dense(WIDTH, 2 * WIDTH),
            nx.GELU(),
            nx.BatchNorm(2 * WIDTH),
            nx.Dropout(RATE),
            nx.Dense(2 * WIDTH, WIDTH),
        ]
        return nx.Sequential(
            [nx.Residual(nx.Sequential(inner)) for inner in (attention, mlp)]
        )

    return nx.Sequential(
        [
            nx.Embedding(WORDS, WIDTH),
            *(block() for _ in range(blocks)),
            nx.LayerNorm(WIDTH),
            nx.Dense(WIDTH, WORDS),
        ]
    )


def sentences(n=20, t=5, seed=0):
    """Return ids and the ids that follow them, both (n, t)."""
    ids = np.random.default_rng(seed).integers(0, WORDS, (n, t + 1))
    return ids[:, :-1], ids[:, 1:]


def random_values(network_shapes, seed=1):
    random = np.random.default_rng(seed)
    return {path: random.standard_normal(s) for path, s in network_shapes.items()}


def torch_gradients(torch, values, masks, x, y):
    """Return loss and gradients of the same network, written with torch.nn.

    Parameters
    ----------
    values : dict of str to numpy.ndarray
        Parameters by our paths.
    masks : dict of str to numpy.ndarray
        What each dropout multiplies with, by the path of its unit.
    """
    nn, functional = torch.nn, torch.nn.functional
    leaves = {}

    def leaf(path):
        leaves[path] = torch.tensor(values[path], requires_grad=True)
        return leaves[path]

    def linear(path, z):
        return functional.linear(
            z, leaf(f"{path}.weights").T, leaf(f"{path}.biases")[0]
        )

    def layer_norm(path, z):
        gain, shift = leaf(f"{path}.gamma"), leaf(f"{path}.beta")
        return functional.layer_norm(z, (WIDTH,), gain, shift)

    def dropout(path, z):
        return z * torch.tensor(masks[path])

    def batch_norm(path, z):
        norm = nn.BatchNorm1d(z.shape[-1], dtype=torch.float64)
        replaced = {"weight": leaf(f"{path}.gamma"), "bias": leaf(f"{path}.beta")}
        rows = z.reshape(-1, z.shape[-1])
        return torch.func.functional_call(norm, replaced, rows).reshape(z.shape)

    def attention(path, z):
        n, t, d = z.shape
        q, k, v = linear(f"{path}.qkv", z).chunk(3, dim=-1)
        heads = functional.scaled_dot_product_attention(
            *(a.reshape(n, t, HEADS, -1).transpose(1, 2) for a in (q, k, v)),
            is_causal=True,
        )
        return linear(f"{path}.out", heads.transpose(1, 2).reshape(n, t, d))

    z = nn.Embedding.from_pretrained(leaf("0.weights"), freeze=False)
    leaves["0.weights"] = z.weight
    z = z(torch.tensor(x))
    blocks = sorted({path.partition(".")[0] for path in masks})
    for block in blocks:
        path = f"{block}.0.inner"
        z = z + dropout(f"{path}.2", attention(f"{path}.1", layer_norm(f"{path}.0", z)))
        path = f"{block}.1.inner"
        hidden = functional.gelu(linear(f"{path}.1", layer_norm(f"{path}.0", z)))
        hidden = dropout(f"{path}.4", batch_norm(f"{path}.3", hidden))
        z = z + linear(f"{path}.5", hidden)
    z = linear(str(len(blocks) + 2), layer_norm(str(len(blocks) + 1), z))
    loss = functional.cross_entropy(z.reshape(-1, WORDS), torch.tensor(y).reshape(-1))
    loss.backward()
    return loss.item(), {path: leaf.grad.numpy() for path, leaf in leaves.items()}
