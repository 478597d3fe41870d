"""JAX as its users write it: a loss, its gradient, one compiled step."""

from __future__ import annotations

import functools
import math
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from benchmarks.contenders.base import Contender, probe
from benchmarks.workloads import (
    BETA_1,
    BETA_2,
    EPSILON,
    LEARNING_RATE,
    MOMENTUM,
    SGD_RATE,
    Problem,
)

Parameters = list[tuple[jax.Array, jax.Array]]
State = dict[str, Any]


class JaxGrad(Contender):
    """``jax.jit`` of ``jax.value_and_grad`` and an optimizer of a few lines."""

    def __init__(self, problem: Problem, device: str) -> None:
        self.problem = problem
        self.device = jax.devices(device)[0]
        self.updated = UPDATES[problem.workload.optimizer]
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
        self.state, loss = train_step(self.updated, self.state, x, y)
        return loss

    def synchronize(self) -> None:
        """Wait for the state."""
        jax.block_until_ready(self.state)


def logits_of(parameters: Parameters, x: jax.Array) -> jax.Array:
    """Return the network's outputs before the softmax."""
    *hidden, (weights, biases) = parameters
    for hidden_weights, hidden_biases in hidden:
        x = jax.nn.relu(x @ hidden_weights + hidden_biases)
    return x @ weights + biases


def mean_loss(parameters: Parameters, x: jax.Array, y: jax.Array) -> jax.Array:
    """Return the mean cross-entropy of the network's logits."""
    log_p = jax.nn.log_softmax(logits_of(parameters, x))
    return -jnp.mean(jnp.take_along_axis(log_p, y[:, None], axis=1))


@functools.partial(jax.jit, static_argnums=0, donate_argnums=1)
def train_step(
    updated: Any, state: State, x: jax.Array, y: jax.Array
) -> tuple[State, jax.Array]:
    """Return the state after a step, and the loss before it."""
    loss, gradients = jax.value_and_grad(mean_loss)(state["parameters"], x, y)
    return updated(state, gradients), loss


def after_adam(state: State, gradients: Parameters) -> State:
    """Return the state after a step of Adam."""
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
    return {
        "parameters": parameters,
        "moment_1": moment_1,
        "moment_2": moment_2,
        "step": step,
    }


def after_momentum(state: State, gradients: Parameters) -> State:
    """Return the state after a step of gradient descent with momentum."""
    velocity = jax.tree.map(
        lambda v, g: MOMENTUM * v - SGD_RATE * g, state["moment_1"], gradients
    )
    parameters = jax.tree.map(jnp.add, state["parameters"], velocity)
    return {**state, "parameters": parameters, "moment_1": velocity}


UPDATES = {"adam": after_adam, "momentum": after_momentum}


class JaxScan(JaxGrad):
    """Whole epochs as one compiled ``jax.lax.scan`` over shuffled rows."""

    def __init__(self, problem: Problem, device: str) -> None:
        super().__init__(problem, device)
        self.whole = len(self.batches)
        self.x = jnp.concatenate([x for x, _ in self.batches])
        self.y = jnp.concatenate([y for _, y in self.batches])
        self.key = jax.random.key(0)

    def take(self, steps: int) -> None:
        """Take as many epochs as have at least so many steps; read their losses."""
        for _ in range(math.ceil(steps / self.whole)):
            self.key, key = jax.random.split(self.key)
            self.state, loss = train_epoch(
                self.updated, self.whole, self.state, self.x, self.y, key
            )
            float(loss)


@functools.partial(jax.jit, static_argnums=(0, 1), donate_argnums=2)
def train_epoch(
    updated: Any, batches: int, state: State, x: jax.Array, y: jax.Array, key: jax.Array
) -> tuple[State, jax.Array]:
    """Return the state after an epoch, and the mean of its losses."""
    order = jax.random.permutation(key, len(x)).reshape(batches, -1)

    def step(state: State, rows: jax.Array) -> tuple[State, jax.Array]:
        loss, gradients = jax.value_and_grad(mean_loss)(
            state["parameters"], x[rows], y[rows]
        )
        return updated(state, gradients), loss

    state, losses = jax.lax.scan(step, state, order)
    return state, losses.mean()


class JaxPredicts(JaxGrad):
    """Probabilities of one batch, by a compiled function."""

    def step(self, x: Any, y: Any) -> Any:
        """Return the probabilities of the rows."""
        return jax.block_until_ready(predicted(self.state["parameters"], x))

    def read(self, p: Any) -> float:
        """Return a number that hangs on all of them."""
        return probe(p)


@jax.jit
def predicted(parameters: Parameters, x: jax.Array) -> jax.Array:
    """Return the network's probabilities."""
    return jax.nn.softmax(logits_of(parameters, x))
