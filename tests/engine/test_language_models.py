"""GPTs of library units, beside PyTorch: the loss of every step, and the logits."""

import numpy as np
import pytest

import nnfs_xp as nx
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


@pytest.mark.slow
@every_variant
def test_a_hundred_steps_follow_pytorch(torch, variant):
    model = nx.Model(
        [gpt(**SIZE)],
        loss=nx.SoftmaxCrossEntropy(),
        optimizer=nx.Adam(RATE, epsilon=1e-8),
        **where(variant),
    )
    values = {p: model.backend.to_numpy(v) for p, v in model.parameters.items()}
    expected = losses_by_pytorch(torch, values)
    watch = LossOfEveryStep()
    model.fit(X, Y, batch_size=BATCH, shuffle=False, callbacks=watch)
    assert len(watch.losses) == STEPS and expected[-1] < expected[0] - 0.5
    np.testing.assert_allclose(watch.losses, expected, rtol=0, atol=1e-6)
    ways = {"numpy": "recorded", "jax": "compiled by XLA", "cupy": "one CUDA graph"}
    assert model.executor_note.startswith(ways.get(variant, "step by step"))


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
