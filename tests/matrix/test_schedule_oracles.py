"""Schedules against PyTorch's and optax's, over a whole training, and Keras's formulas.

Keras's schedules compute in float32, so its formulas are written out here where neither
of the others has a schedule like it.
"""

import math

import pytest

import nnfs_xp as nx

STEPS = 200


def rates_of_torch(torch, make, initial):
    optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=initial)
    scheduler, rates = make(torch.optim.lr_scheduler, optimizer), []
    for _ in range(STEPS):
        rates.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        scheduler.step()
    return rates


OF_TORCH = {
    "exponential": (
        nx.ExponentialDecay(0.3, factor=0.97),
        lambda of, optimizer: of.ExponentialLR(optimizer, 0.97),
    ),
    "exponential staircase": (
        nx.ExponentialDecay(0.3, factor=0.5, every=30, staircase=True),
        lambda of, optimizer: of.StepLR(optimizer, 30, gamma=0.5),
    ),
    "steps": (
        nx.StepDecay(0.3, factor=0.5, every=30),
        lambda of, optimizer: of.StepLR(optimizer, 30, gamma=0.5),
    ),
    "cosine": (
        nx.CosineDecay(0.3, steps=STEPS, final=0.01),
        lambda of, optimizer: of.CosineAnnealingLR(optimizer, STEPS, eta_min=0.01),
    ),
    "cosine with restarts": (
        nx.CosineDecayRestarts(0.3, steps=30, final=0.01),
        lambda of, optimizer: of.CosineAnnealingWarmRestarts(
            optimizer, 30, T_mult=2, eta_min=0.01
        ),
    ),
    "polynomial": (
        nx.PolynomialDecay(0.3, steps=120, power=1.5),
        lambda of, optimizer: of.PolynomialLR(optimizer, 120, power=1.5),
    ),
    "one cycle": (
        nx.OneCycle(0.3, steps=STEPS, rising=0.37),
        lambda of, optimizer: of.OneCycleLR(
            optimizer, 0.3, STEPS, pct_start=0.37, cycle_momentum=False
        ),
    ),
    # The values of a boundary itself differ by one step.
    "piecewise": (
        nx.PiecewiseConstantDecay([49, 119], [0.3, 0.03, 0.003]),
        lambda of, optimizer: of.MultiStepLR(optimizer, [50, 120], gamma=0.1),
    ),
}


@pytest.mark.parametrize("kind", OF_TORCH)
def test_against_pytorch(torch, kind):
    schedule, make = OF_TORCH[kind]
    expected = rates_of_torch(torch, make, 0.3)
    found = [schedule(step) for step in range(STEPS)]
    assert found == pytest.approx(expected, rel=1e-12, abs=1e-16)


OF_OPTAX = {
    "exponential staircase": (
        nx.ExponentialDecay(0.3, factor=0.6, every=30, staircase=True),
        lambda of: of.exponential_decay(0.3, 30, 0.6, staircase=True),
    ),
    "polynomial": (
        nx.PolynomialDecay(0.3, steps=120, final=0.01, power=1.5),
        lambda of: of.polynomial_schedule(0.3, 0.01, 1.5, 120),
    ),
    "Keras's warm-up": (
        nx.WarmUp(20, nx.CosineDecay(0.3, steps=150), mode="keras"),
        lambda of: of.warmup_cosine_decay_schedule(0.0, 0.3, 20, 170),
    ),
}


@pytest.mark.parametrize("kind", OF_OPTAX)
def test_against_optax(kind):
    optax = pytest.importorskip("optax")
    schedule, make = OF_OPTAX[kind]
    with nx.get_backend("jax", dtype="float64").context():
        expected = [float(make(optax)(step)) for step in range(STEPS)]
    found = [schedule(step) for step in range(STEPS)]
    assert found == pytest.approx(expected, rel=1e-12, abs=1e-16)


def keras_restarts(step, initial, first, t_mul, m_mul, alpha):
    fraction = step / first
    run = math.floor(math.log(1 - fraction * (1 - t_mul)) / math.log(t_mul))
    fraction = (fraction - (1 - t_mul**run) / (1 - t_mul)) / t_mul**run
    wave = 0.5 * m_mul**run * (1 + math.cos(math.pi * fraction))
    return initial * ((1 - alpha) * wave + alpha)


def keras_polynomial(step, initial, steps, end, power):
    steps = steps * (1 if step == 0 else math.ceil(step / steps))
    return (initial - end) * (1 - step / steps) ** power + end


# Of Keras's source, in float64.
OF_KERAS = {
    "inverse time": (
        nx.InverseTimeDecay(0.3, decay=0.5, every=7, staircase=True),
        lambda t: 0.3 / (1 + 0.5 * math.floor(t / 7)),
    ),
    "piecewise": (
        nx.PiecewiseConstantDecay([50, 120], [0.3, 0.2, 0.1]),
        lambda t: 0.3 if t <= 50 else 0.2 if t <= 120 else 0.1,
    ),
    "polynomial cycle": (
        nx.PolynomialDecay(0.3, steps=31, final=0.01, power=2, cycle=True),
        lambda t: keras_polynomial(t, 0.3, 31, 0.01, 2),
    ),
    "restarts": (
        # No restart falls on a step, where the rounded logarithm decides.
        nx.CosineDecayRestarts(0.3, 30, growth=1.7, shrinkage=0.8, final=0.03),
        lambda t: keras_restarts(t, 0.3, 30, 1.7, 0.8, 0.1),
    ),
    "warm-up": (
        nx.WarmUp(20, 0.3, mode="keras"),
        lambda t: 0.3 * min(t, 20) / 20,
    ),
}


@pytest.mark.parametrize("kind", OF_KERAS)
def test_against_keras_formulas(kind):
    schedule, formula = OF_KERAS[kind]
    expected = [formula(step) for step in range(STEPS)]
    found = [schedule(step) for step in range(STEPS)]
    assert found == pytest.approx(expected, rel=1e-12, abs=1e-16)
