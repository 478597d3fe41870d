"""GPTs of library units, beside PyTorch: the loss of every step, and the logits."""

import numpy as np
import pytest

import nnfs_xp as nx
from nnfs_xp import kernels
from tests.engine.language_models import give, gpt, torch_gpt
from tests.engine.test_gpt import LossOfEveryStep
from tests.engine.variants import every_variant, where

SIZE = {"n_ids": 11, "length": 12, "width": 16, "heads": 2, "blocks": 2}
STEPS, BATCH, RATE = 100, 4, 0.01
# What follows an id is one of two.
ids = np.random.default_rng(3).integers(0, 11, (STEPS * BATCH, 11))
for place in range(1, 11):
    ids[:, place] = (2 * ids[:, place - 1] + ids[:, place] % 2) % 11
X, Y = ids[:, :-1], ids[:, 1:]


def losses_by_pytorch(torch, values):
    module = torch_gpt(torch, **SIZE, dtype=torch.float64)
    copies = {path: value.copy() for path, value in values.items()}
    give(torch, module, copies, SIZE["blocks"])
    optimizer = torch.optim.AdamW(module.parameters(), lr=RATE, weight_decay=0.0)
    losses = []
    for start in range(0, len(X), BATCH):
        x, y = (torch.tensor(a[start : start + BATCH]) for a in (X, Y))
        loss = torch.nn.functional.cross_entropy(module(x).flatten(0, 1), y.flatten())
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return losses


WAYS = {
    "numpy": "recorded",
    "torch": "recorded",
    "jax": "compiled by XLA",
    "cupy": "one CUDA graph",
}


def make_model(variant):
    return nx.Model(
        [gpt(**SIZE)],
        loss=nx.SoftmaxCrossEntropy(),
        optimizer=nx.Adam(RATE, epsilon=1e-8),
        **where(variant),
    )


@pytest.fixture
def mode():
    before = kernels.kernel_mode()
    yield kernels.set_kernel_mode
    kernels.set_kernel_mode(before)


def test_thirty_steps_of_the_recorded_step_are_those_of_the_references(mode):
    """With the kernels of attention and normalization, and without any."""
    curves = []
    for chosen in ("auto", "no_loops", "off"):
        mode(chosen)
        watch = LossOfEveryStep()
        make_model("numpy").fit(X[:120], Y[:120], batch_size=BATCH, callbacks=watch)
        curves.append(watch.losses)
    assert len(curves[0]) == 30
    for curve in curves[:2]:
        np.testing.assert_allclose(curve, curves[2], rtol=1e-9)


@pytest.mark.slow
@every_variant
def test_twenty_steps_are_the_same_everywhere(variant):
    curves = []
    for place in ("numpy", variant):
        model, watch = make_model(place), LossOfEveryStep()
        model.fit(X[:80], Y[:80], batch_size=BATCH, callbacks=watch)
        curves.append(watch.losses)
    np.testing.assert_allclose(curves[1], curves[0], rtol=1e-9)
    assert model.executor_note.startswith(WAYS.get(variant, "step by step"))


@pytest.mark.slow
@every_variant
def test_a_hundred_steps_follow_pytorch(torch, variant):
    model = make_model(variant)
    values = {p: model.backend.to_numpy(v) for p, v in model.parameters.items()}
    expected = losses_by_pytorch(torch, values)
    watch = LossOfEveryStep()
    model.fit(X, Y, batch_size=BATCH, shuffle=False, callbacks=watch)
    assert len(watch.losses) == STEPS and expected[-1] < expected[0] - 0.5
    np.testing.assert_allclose(watch.losses, expected, rtol=0, atol=1e-6)
    assert model.executor_note.startswith(WAYS.get(variant, "step by step"))


@pytest.mark.slow
def test_logits_of_gpt_2_small_are_those_of_pytorch(torch):
    """124 million parameters, the same random ones on both sides, in float32."""
    size = {"n_ids": 50257, "length": 1024, "width": 768, "heads": 12, "blocks": 12}
    model = nx.Model([gpt(**size, approximate="tanh")], backend="numpy")
    assert sum(value.size for value in model.parameters.values()) == 124_439_808
    module = torch_gpt(torch, **size, dtype=torch.float32, approximate="tanh")
    give(torch, module, model.parameters, size["blocks"])
    tokens = np.random.default_rng(5).integers(0, 50257, (1, 16))
    found = model.predict(tokens)
    with torch.no_grad():
        expected = module(torch.tensor(tokens)).numpy()
    assert found.shape == expected.shape == (1, 16, 50257)
    assert expected.std() > 0.1
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-4)
