"""Language models of library units, and the same in PyTorch by its own layers."""

import numpy as np

import nnfs_xp as nx


def gpt(n_ids, length, width, heads, blocks, approximate="none"):
    """Return the layout of GPT-2, of any size."""
    normal = nx.Normal(0.02)

    def block():
        return nx.TransformerBlock(
            width, heads, causal=True,
            activation=nx.GELU(approximate), weight_initializer=normal,
        )  # fmt: skip

    inner = [
        nx.LearnedPositions(length, width),
        *(block() for _ in range(blocks)),
        nx.LayerNorm(width),
    ]
    table = nx.Embedding(n_ids, width, weight_initializer=normal)
    return nx.TiedEmbedding(table, nx.Sequential(inner))


def torch_gpt(torch, n_ids, length, width, heads, blocks, dtype, approximate="none"):
    """Return the same model as a module of PyTorch, written without ours."""
    nn, functional = torch.nn, torch.nn.functional

    class Block(nn.Module):
        def __init__(self):
            super().__init__()
            self.ln_1, self.ln_2 = nn.LayerNorm(width), nn.LayerNorm(width)
            self.qkv = nn.Linear(width, 3 * width)
            self.proj = nn.Linear(width, width)
            self.fc_1 = nn.Linear(width, 4 * width)
            self.fc_2 = nn.Linear(4 * width, width)

        def forward(self, x):
            n, t, d = x.shape
            parts = self.qkv(self.ln_1(x)).split(d, dim=-1)
            q, k, v = (a.view(n, t, heads, -1).transpose(1, 2) for a in parts)
            seen = functional.scaled_dot_product_attention(q, k, v, is_causal=True)
            x = x + self.proj(seen.transpose(1, 2).reshape(n, t, d))
            hidden = functional.gelu(self.fc_1(self.ln_2(x)), approximate=approximate)
            return x + self.fc_2(hidden)

    class GPT(nn.Module):
        def __init__(self):
            super().__init__()
            self.wte, self.wpe = nn.Embedding(n_ids, width), nn.Embedding(length, width)
            self.blocks = nn.ModuleList([Block() for _ in range(blocks)])
            self.ln_f = nn.LayerNorm(width)

        def forward(self, ids):
            x = self.wte(ids) + self.wpe(torch.arange(ids.shape[1]))
            for block in self.blocks:
                x = block(x)
            return functional.linear(self.ln_f(x), self.wte.weight)

    with torch.device("meta"):
        made = GPT()
    return made.to(dtype)


# Our paths inside a block, by PyTorch's.
_IN_BLOCK = {
    "ln_1": "norm",
    "qkv": "attention.qkv",
    "proj": "attention.out",
    "ln_2": "network.inner.0",
    "fc_1": "network.inner.1",
    "fc_2": "network.inner.3",
}


def our_path(name, blocks, prefix="0."):
    """Return the path of our parameter for one of PyTorch's, and whether it lies so."""
    if name == "wte.weight":
        return f"{prefix}embedding.weights", True
    if name == "wpe.weight":
        return f"{prefix}inner.0.weights", True
    *unit, kind = name.split(".")
    if unit[0] == "ln_f":
        path = f"inner.{blocks + 1}"
    else:
        path = f"inner.{int(unit[1]) + 1}.{_IN_BLOCK[unit[2]]}"
    of_norm = "ln" in unit[-1]
    word = {"weight": ("weights", "gamma"), "bias": ("biases", "beta")}[kind][of_norm]
    return f"{prefix}{path}.{word}", of_norm


def give(torch, module, values, blocks):
    """Let a module of PyTorch have our values, in the same memory where that can be."""
    given = {}
    for name, _ in module.named_parameters():
        path, as_it_lies = our_path(name, blocks)
        array = values[path]
        if not as_it_lies:
            array = array[0] if name.endswith("bias") else array.T
        given[name] = torch.from_numpy(np.asarray(array))
    module.load_state_dict(given, assign=True)
    return module
