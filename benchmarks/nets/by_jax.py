"""Both networks as functions of JAX, and one compiled step with their gradient."""

from __future__ import annotations

import functools
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

from benchmarks.contenders.base import Contender
from benchmarks.nets.problems import BLOCKS, HEADS, NetProblem
from benchmarks.workloads import BETA_1, BETA_2, EPSILON

Values = dict[str, jax.Array]


def cnn(values: Values, x: jax.Array) -> jax.Array:
    """Return the logits of images."""
    first, second, third, last = sorted({int(p.partition(".")[0]) for p in values})
    x = x.reshape(-1, 28, 28, 1)
    for place in (first, second):
        x = lax.conv_general_dilated(
            x, values[f"{place}.weights"], (1, 1), "SAME",
            dimension_numbers=("NHWC", "HWIO", "NHWC"),
        )  # fmt: skip
        x = jax.nn.relu(x + values[f"{place}.biases"][0])
        window = (1, 2, 2, 1)
        x = lax.reduce_window(x, -jnp.inf, lax.max, window, window, "VALID")
    x = jax.nn.relu(_dense(values, str(third), x.reshape(len(x), -1)))
    return _dense(values, str(last), x)


def gpt(values: Values, ids: jax.Array) -> jax.Array:
    """Return the logits of what comes next."""
    table = values["0.embedding.weights"]
    x = table[ids] + values["0.inner.0.weights"][: ids.shape[1]]
    n, t, d = x.shape
    for number in range(1, BLOCKS + 1):
        path = f"0.inner.{number}"
        z = _dense(values, f"{path}.attention.qkv", _norm(values, f"{path}.norm", x))
        q, k, v = (z.reshape(n, t, 3, HEADS, -1)[:, :, part] for part in range(3))
        seen = jax.nn.dot_product_attention(q, k, v, is_causal=True)
        x = x + _dense(values, f"{path}.attention.out", seen.reshape(n, t, d))
        z = _dense(
            values,
            f"{path}.network.inner.1",
            _norm(values, f"{path}.network.inner.0", x),
        )
        z = jax.nn.gelu(z, approximate=False)
        x = x + _dense(values, f"{path}.network.inner.3", z)
    return _norm(values, f"0.inner.{BLOCKS + 1}", x) @ table.T


def _dense(values: Values, path: str, x: jax.Array) -> jax.Array:
    return x @ values[f"{path}.weights"] + values[f"{path}.biases"][0]


def _norm(values: Values, path: str, x: jax.Array) -> jax.Array:
    normal = jax.nn.standardize(x, axis=-1, epsilon=1e-5)
    return normal * values[f"{path}.gamma"] + values[f"{path}.beta"]


class JaxNet(Contender):
    """``jax.jit`` of ``jax.value_and_grad`` and Adam in a few lines."""

    def __init__(self, problem: NetProblem) -> None:
        self.problem = problem
        network = {"cnn": cnn, "gpt": gpt}[problem.key]

        def mean_loss(values: Values, x: jax.Array, y: jax.Array) -> jax.Array:
            log_p = jax.nn.log_softmax(network(values, x))
            return -jnp.mean(jnp.take_along_axis(log_p, y[..., None], axis=-1))

        @functools.partial(jax.jit, donate_argnums=0)
        def train_step(state: Any, x: jax.Array, y: jax.Array) -> Any:
            values, m, v, step = state
            loss, gradients = jax.value_and_grad(mean_loss)(values, x, y)
            step = step + 1
            m = jax.tree.map(lambda m, g: BETA_1 * m + (1 - BETA_1) * g, m, gradients)
            v = jax.tree.map(
                lambda v, g: BETA_2 * v + (1 - BETA_2) * g**2, v, gradients
            )

            def updated(w: jax.Array, m: jax.Array, v: jax.Array) -> jax.Array:
                m, v = m / (1 - BETA_1**step), v / (1 - BETA_2**step)
                return w - problem.rate * m / (jnp.sqrt(v) + EPSILON)

            return (jax.tree.map(updated, values, m, v), m, v, step), loss

        self.train_step = train_step
        self.batches = [
            (jnp.asarray(x if x.dtype == np.float32 else x.astype("int32")),
             jnp.asarray(y.astype("int32")))
            for x, y in problem.batches
        ]  # fmt: skip

    def reset(self) -> None:
        """Put the initial values and moments of 0 on the device."""
        values, zeros = self.problem.values, np.zeros_like
        state = (
            values,
            jax.tree.map(zeros, values),
            jax.tree.map(zeros, values),
            np.zeros((), "float32"),
        )
        # Copied, as the compiled step takes over the memory of its state.
        self.state = jax.tree.map(lambda leaf: jnp.array(leaf, copy=True), state)

    def step(self, x: Any, y: Any) -> Any:
        """Call the compiled step."""
        self.state, loss = self.train_step(self.state, x, y)
        return loss

    def synchronize(self) -> None:
        """Wait for the state."""
        jax.block_until_ready(self.state)
