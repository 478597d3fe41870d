"""JAX as its users write it: a loss, its gradient, one compiled step."""

from __future__ import annotations

import functools
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from benchmarks.contenders.base import Contender
from benchmarks.workloads import BETA_1, BETA_2, EPSILON, LEARNING_RATE, Problem

Parameters = list[tuple[jax.Array, jax.Array]]
State = dict[str, Any]


class JaxGrad(Contender):
    """``jax.jit`` of a step with ``jax.value_and_grad`` and an Adam by hand."""

    def __init__(self, problem: Problem, device: str) -> None:
        self.problem = problem
        self.device = jax.devices(device)[0]
        self.batches = [
            jax.device_put((x, y.astype("int32")), self.device)
            for x, y in problem.batches
        ]

    def reset(self) -> None:
        """Put the initial weights and moments of 0 on the device."""
        parameters = [(weights, biases[0]) for weights, biases in self.problem.weights]
        state = {
            "parameters": parameters,
            "moment_1": jax.tree.map(np.zeros_like, parameters),
            "moment_2": jax.tree.map(np.zeros_like, parameters),
            # A float, so that the powers below are float32 under any flag of JAX.
            "step": np.zeros((), np.float32),
        }
        # Copied, as the compiled step takes over the memory of its state.
        self.state = jax.tree.map(
            lambda leaf: jnp.array(leaf, device=self.device, copy=True), state
        )

    def step(self, x: Any, y: Any) -> Any:
        """Call the compiled step."""
        self.state, loss = train_step(self.state, x, y)
        return loss

    def synchronize(self) -> None:
        """Wait for the state."""
        jax.block_until_ready(self.state)


def mean_loss(parameters: Parameters, x: jax.Array, y: jax.Array) -> jax.Array:
    """Return the mean cross-entropy of the network's logits."""
    *hidden, (weights, biases) = parameters
    for hidden_weights, hidden_biases in hidden:
        x = jax.nn.relu(x @ hidden_weights + hidden_biases)
    log_p = jax.nn.log_softmax(x @ weights + biases)
    return -jnp.mean(jnp.take_along_axis(log_p, y[:, None], axis=1))


@functools.partial(jax.jit, donate_argnums=0)
def train_step(state: State, x: jax.Array, y: jax.Array) -> tuple[State, jax.Array]:
    """Return the state after a step of Adam, and the loss before it."""
    loss, gradients = jax.value_and_grad(mean_loss)(state["parameters"], x, y)
    step = state["step"] + 1
    moment_1 = jax.tree.map(
        lambda m, g: BETA_1 * m + (1 - BETA_1) * g, state["moment_1"], gradients
    )
    moment_2 = jax.tree.map(
        lambda v, g: BETA_2 * v + (1 - BETA_2) * g**2, state["moment_2"], gradients
    )

    def updated(w: jax.Array, m: jax.Array, v: jax.Array) -> jax.Array:
        m, v = m / (1 - BETA_1**step), v / (1 - BETA_2**step)
        return w - LEARNING_RATE * m / (jnp.sqrt(v) + EPSILON)

    parameters = jax.tree.map(updated, state["parameters"], moment_1, moment_2)
    state = {
        "parameters": parameters,
        "moment_1": moment_1,
        "moment_2": moment_2,
        "step": step,
    }
    return state, loss
