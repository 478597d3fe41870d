"""State dicts of PyTorch: both ways, and what does not fit."""

import numpy as np
import pytest

import nnfs_xp as nx
from nnfs_xp.weights import from_torch, to_torch

torch = pytest.importorskip("torch", reason="not installed: pip install .[torch]")
from torch import nn  # noqa: E402


class Named(nn.Module):
    """Modules with names of their own."""

    def __init__(self):
        super().__init__()
        self.fc1 = nn.Linear(4, 8)
        self.norm = nn.BatchNorm1d(8)
        self.head = nn.Linear(8, 3, bias=False)

    def forward(self, x):
        return torch.softmax(self.head(torch.relu(self.norm(self.fc1(x)))), -1)


def named_model():
    layers = [nx.Dense(4, 8), nx.BatchNorm(8), nx.ReLU()]
    layers += [nx.Dense(8, 3, use_bias=False), nx.Softmax()]
    return nx.Model(layers, dtype="float64")


def drawn(module, seed=0):
    """Return a module in float64 with drawn values, running statistics too."""
    torch.manual_seed(seed)
    module = module.double().eval()
    with torch.no_grad():
        for array in module.state_dict().values():
            if array.dtype.is_floating_point:
                array.copy_(torch.rand_like(array) + 0.1)
    return module


def draw(model, seed=1):
    """Give a model drawn values."""
    random = np.random.default_rng(seed)
    model.set_parameters(
        [
            tuple(random.uniform(0.1, 1.0, array.shape) for array in arrays)
            for arrays in model.get_parameters()
        ]
    )
    return model


PAIRS = {
    "chain": (
        lambda: nn.Sequential(
            nn.Linear(4, 8), nn.BatchNorm1d(8, eps=1e-3), nn.PReLU(8),
            nn.Linear(8, 6, bias=False), nn.LayerNorm(6), nn.GELU(), nn.PReLU(),
            nn.Linear(6, 3), nn.LogSoftmax(-1),
        ),
        lambda: nx.Model(
            [
                nx.Dense(4, 8), nx.BatchNorm(8, eps=1e-3), nx.PReLU(8),
                nx.Dense(8, 6, use_bias=False), nx.LayerNorm(6), nx.GELU(), nx.PReLU(),
                nx.Dense(6, 3), nx.LogSoftmax(),
            ],
            dtype="float64",
        ),
        np.random.default_rng(2).standard_normal((5, 4)),
    ),
    "ids": (
        lambda: nn.Sequential(nn.Embedding(7, 3), nn.Flatten(), nn.Linear(6, 2)),
        lambda: nx.Model(
            [nx.Embedding(7, 3), nx.Flatten(), nx.Dense(6, 2)], dtype="float64"
        ),
        np.array([[0, 6], [3, 3], [1, 5]]),
    ),
    "nested": (
        lambda: nn.Sequential(
            nn.Sequential(nn.Linear(4, 4), nn.Tanh()), nn.Linear(4, 2)
        ),
        lambda: nx.Model(
            [nx.Sequential([nx.Dense(4, 4), nx.Tanh()]), nx.Dense(4, 2)],
            dtype="float64",
        ),
        np.random.default_rng(3).standard_normal((5, 4)),
    ),
    "names": (Named, named_model, np.random.default_rng(4).standard_normal((5, 4))),
}  # fmt: skip


def assert_same(module, model, x):
    found = module(torch.from_numpy(x)).detach().numpy()
    np.testing.assert_allclose(found, model.predict(x), rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("name", PAIRS)
def test_from_pytorch(name):
    make, make_model, x = PAIRS[name]
    module, model = drawn(make()), make_model()
    from_torch(model, module)
    assert_same(module, model, x)


@pytest.mark.parametrize("name", PAIRS)
def test_to_pytorch_and_back(name):
    make, make_model, x = PAIRS[name]
    module, model = drawn(make()), draw(make_model())
    names = {"0": "fc1", "1": "norm", "3": "head"} if name == "names" else None
    state = to_torch(model, names)
    module.load_state_dict(state)
    assert_same(module, model, x)
    again = make_model()
    from_torch(again, state, names)
    for path, array in {**model.parameters, **model.buffers}.items():
        np.testing.assert_array_equal(
            {**again.parameters, **again.buffers}[path], array
        )


def test_safetensors_in_both_directions(tmp_path):
    from safetensors.torch import load_file, save_file

    make, make_model, x = PAIRS["chain"]
    module, model = drawn(make()), draw(make_model())
    save_file(to_torch(model), tmp_path / "for_torch.safetensors")
    module.load_state_dict(load_file(tmp_path / "for_torch.safetensors"))
    assert_same(module, model, x)
    again = make_model()
    from_torch(again, load_file(tmp_path / "for_torch.safetensors"))
    np.testing.assert_array_equal(again.predict(x), model.predict(x))
    # Files of `save` hold the names of this library.
    model.save(tmp_path / "model.safetensors")
    state = load_file(tmp_path / "model.safetensors")
    np.testing.assert_array_equal(state["0.weights"], model.parameters["0.weights"])


def test_half_precision_is_read(tmp_path):
    module, model = drawn(PAIRS["chain"][0]()), PAIRS["chain"][1]()
    from_torch(model, module.bfloat16())
    expected = module[0].weight.detach().double().numpy().T
    np.testing.assert_array_equal(model.parameters["0.weights"], expected)


def test_arrays_are_copies():
    model = draw(PAIRS["ids"][1]())
    before = nx.to_numpy(model.parameters["0.weights"]).copy()
    state = to_torch(model)
    state["0.weight"].zero_()
    np.testing.assert_array_equal(model.parameters["0.weights"], before)


def state_of(**changes):
    state = dict(drawn(PAIRS["ids"][0]()).state_dict())
    for name, value in changes.items():
        key = name.replace("_", ".")
        if value is None:
            del state[key]
        else:
            state[key] = value
    return state


@pytest.mark.parametrize(
    ("source", "message"),
    [
        (state_of(**{"2_weight": torch.zeros(2, 5)}),
         r"2\.weight must have shape \(2, 6\) for Dense\(6, 2\) at 2, got \(2, 5\)"),
        (state_of(**{"2_bias": None}), r"source has no 2\.bias"),
        (state_of(**{"5_bias": torch.zeros(2)}), r"source has \['5\.bias'\]"),
        (state_of(**{"0_weight": None}), r"2\.weight must have shape \(7, 3\)"),
        ({"fc.kernel": torch.zeros(7, 3)},
         r"the next array must be one of \['weight'\], .* at 0, got fc\.kernel"),
        ({}, "got nothing"),
        (state_of(**{"0_weight": torch.zeros(7, 3, dtype=torch.complex64)}),
         r"0\.weight must hold real numbers"),
        (["weights"], "source must be a module or a state dict"),
    ],
)  # fmt: skip
def test_what_does_not_fit_changes_nothing(source, message):
    model = draw(PAIRS["ids"][1]())
    before = model.predict(PAIRS["ids"][2])
    with pytest.raises(nx.InputError, match=message):
        from_torch(model, source)
    np.testing.assert_array_equal(model.predict(PAIRS["ids"][2]), before)


def test_wrong_names_and_models():
    model = PAIRS["ids"][1]()
    with pytest.raises(nx.InputError, match=r"names must hold .*\['0', '2'\], got"):
        to_torch(model, {"1": "flat"})
    with pytest.raises(nx.InputError, match="model must be a Model"):
        to_torch(nx.Dense(1, 1))


class Gain(nx.Layer):
    def parameters(self):
        return {"gain": ("ones", (1,))}

    def fwd(self, cx, x):
        return x * cx.params["gain"], x


def test_a_unit_without_a_counterpart_is_named():
    model = nx.Model([nx.Dense(2, 2), Gain()])
    with pytest.raises(nx.InputError, match="Gain at 1 has arrays, .*in PyTorch"):
        to_torch(model)
