"""State dicts of PyTorch: both ways, and what does not fit."""

import re

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


class Last(nn.Module):
    """A recurrent module with the states of all positions, or the last one."""

    def __init__(self, inner, every=False):
        super().__init__()
        self.inner, self.every = inner, every

    def forward(self, x):
        y, _ = self.inner(x)
        return y if self.every else y[:, -1]


class ToItself(nn.Module):
    def __init__(self, inner):
        super().__init__()
        self.inner = inner

    def forward(self, x):
        return self.inner(x, x, x, need_weights=False)[0]


class Images(nn.Sequential):
    """Channels first, for images with the channels last."""

    def forward(self, x):
        return super().forward(x.movedim(-1, 1))


def recurrent(kind, every=False):
    return lambda: nn.Sequential(Last(kind(4, 5, batch_first=True), every))


def own_recurrent(kind, every=False):
    return lambda: nx.Model([kind(4, 5, return_sequences=every)], dtype="float64")


SEQUENCES = np.random.default_rng(5).standard_normal((3, 6, 4))
IMAGES = np.random.default_rng(6).standard_normal((3, 6, 5, 2))
PAIRS = {
    "RNN": (recurrent(nn.RNN), own_recurrent(nx.SimpleRNN), SEQUENCES),
    "LSTM": (recurrent(nn.LSTM, True), own_recurrent(nx.LSTM, True), SEQUENCES),
    "GRU": (recurrent(nn.GRU), own_recurrent(nx.GRU), SEQUENCES),
    "attention": (
        lambda: nn.Sequential(
            ToItself(nn.MultiheadAttention(4, 2, batch_first=True)), nn.RMSNorm(4, 1e-3)
        ),
        lambda: nx.Model(
            [nx.MultiHeadAttention(4, 2), nx.RMSNorm(4, 1e-3)], dtype="float64"
        ),
        SEQUENCES,
    ),
    "attention without biases": (
        lambda: nn.Sequential(
            ToItself(nn.MultiheadAttention(4, 1, bias=False, batch_first=True))
        ),
        lambda: nx.Model(
            [nx.MultiHeadAttention(4, 1, use_bias=False)], dtype="float64"
        ),
        SEQUENCES,
    ),
    "images": (
        lambda: Images(
            nn.Conv2d(2, 4, 3, padding=1), nn.BatchNorm2d(4), nn.ReLU(),
            nn.GroupNorm(2, 4), nn.MaxPool2d(2),
            nn.Conv2d(4, 6, 2, groups=2, bias=False), nn.Flatten(),
            nn.BatchNorm1d(12), nn.Tanh(), nn.Linear(12, 3),
            nn.BatchNorm1d(3),
        ),
        lambda: nx.Model(
            [
                nx.Conv2D(2, 4, 3, padding="same"), nx.BatchNorm(4), nx.ReLU(),
                nx.GroupNorm(4, 2), nx.MaxPool2D(), nx.Conv2D(
                    4, 6, 2, groups=2, use_bias=False
                ),
                nx.Flatten(), nx.BatchNorm(12), nx.Tanh(), nx.Dense(12, 3),
                nx.BatchNorm(3),
            ],
            dtype="float64",
        ),
        IMAGES,
    ),
    "signals": (
        lambda: Images(nn.Conv1d(4, 3, 2), nn.Flatten(), nn.Linear(15, 2)),
        lambda: nx.Model(
            [nx.Conv1D(4, 3, 2), nx.Sequential([nx.Flatten(), nx.Dense(15, 2)])],
            dtype="float64",
        ),
        SEQUENCES,
    ),
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


NAMES = {
    "names": {"0": "fc1", "1": "norm", "3": "head"},
    "signals": {"1.1": "2"},
    **{
        name: {"0": "0.inner"}
        for name in ("RNN", "LSTM", "GRU", "attention", "attention without biases")
    },
}


def assert_same(module, model, x):
    found = module(torch.from_numpy(x)).detach().numpy()
    np.testing.assert_allclose(found, model.predict(x), rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("name", PAIRS)
def test_from_pytorch(name):
    make, make_model, x = PAIRS[name]
    module, model = drawn(make()), make_model()
    from_torch(model, module, sample_shape=x.shape[1:])
    assert_same(module, model, x)


@pytest.mark.parametrize("name", PAIRS)
def test_to_pytorch_and_back(name):
    make, make_model, x = PAIRS[name]
    module, model = drawn(make()), draw(make_model())
    names, shape = NAMES.get(name), x.shape[1:]
    state = to_torch(model, names, sample_shape=shape)
    module.load_state_dict(state)
    assert_same(module, model, x)
    again = make_model()
    from_torch(again, state, names, sample_shape=shape)
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
        ({0: torch.zeros(7, 3)}, "source must have texts as keys, got 0"),
        (state_of(**{"0_weight": torch.full((7, 3), float("nan"))}),
         r"source: 0\.weights must be finite in float64"),
        (state_of(**{"0_weight": torch.zeros(7, 3, device="meta")}),
         r"0\.weight must hold real numbers, got what NumPy cannot read"),
        (state_of(**{"0_weight": torch.zeros(7, 3).to_sparse()}),
         r"0\.weight must hold real numbers, got what NumPy cannot read"),
        (state_of(**{"0_weight": [[1.0], [1.0, 2.0]]}), r"0\.weight must hold real"),
    ],
)  # fmt: skip
def test_what_does_not_fit_changes_nothing(source, message):
    model = draw(PAIRS["ids"][1]())
    before = model.predict(PAIRS["ids"][2])
    with pytest.raises(nx.InputError, match=message):
        from_torch(model, source)
    np.testing.assert_array_equal(model.predict(PAIRS["ids"][2]), before)


@pytest.mark.parametrize(
    ("layer", "module"),
    [
        (lambda: nx.Conv2D(3, 3, 3), lambda: nn.ConvTranspose2d(3, 3, 3)),
        (lambda: nx.Conv1D(3, 3, 3), lambda: nn.ConvTranspose1d(3, 3, 3)),
        (
            lambda: nx.BatchNorm(4),
            lambda: nn.InstanceNorm2d(4, affine=True, track_running_stats=True),
        ),
        (lambda: nx.LayerNorm(4), lambda: nn.GroupNorm(2, 4)),
        (lambda: nx.Dense(4, 4, use_bias=False), lambda: nn.Embedding(4, 4)),
    ],
)
def test_modules_with_the_same_arrays_that_compute_something_else(layer, module):
    model = nx.Model([layer()], dtype="float64")
    before = [array.copy() for arrays in model.get_parameters() for array in arrays]
    names = type(module()).__name__, re.escape(repr(layer()))
    text = "source has a {} at .*, and {} at 0 takes the arrays of".format(*names)
    for source in (module(), nn.Sequential(module())):
        with pytest.raises(nx.InputError, match=text):
            from_torch(model, source)
    after = [array for arrays in model.get_parameters() for array in arrays]
    for one, same in zip(before, after, strict=True):
        np.testing.assert_array_equal(one, same)


def test_modules_of_ones_own_give_their_arrays():
    class Scaled(nn.Linear):
        pass

    class Plain(nn.Module):
        def __init__(self):
            super().__init__()
            self.weight = nn.Parameter(torch.ones(2, 3))
            self.bias = nn.Parameter(torch.zeros(2))

    for module in (Scaled(3, 2), Plain(), nn.ParameterDict(Plain().named_parameters())):
        model = nx.Model([nx.Dense(3, 2)])
        from_torch(model, module)
        wanted = module.state_dict()["weight"].numpy().T
        np.testing.assert_array_equal(model.parameters["0.weights"], wanted)


def test_the_shape_of_images_is_asked_for():
    model = PAIRS["images"][1]()
    with pytest.raises(nx.InputError, match="sample_shape is needed: PyTorch flattens"):
        to_torch(model)
    with pytest.raises(nx.InputError, match="samples of"):
        to_torch(model, sample_shape=(6, 5, 3))
    for shape in (3, "665", (6, 0, 2), (6.0, 5, 2), (True, 5, 2)):
        with pytest.raises(nx.InputError, match="sample_shape must be a"):
            to_torch(model, sample_shape=shape)


@pytest.mark.parametrize("n_context", [4, 3])
def test_attention_to_another_sequence(n_context):
    context = np.random.default_rng(7).standard_normal((3, 2, n_context))
    model = nx.Model([nx.CrossAttention(4, 2, n_context)], dtype="float64")
    module = drawn(
        nn.MultiheadAttention(4, 2, kdim=n_context, vdim=n_context, batch_first=True)
    )
    for _ in range(2):
        from_torch(model, module, {"0": ""})
        keys = torch.from_numpy(context)
        found, _ = module(torch.from_numpy(SEQUENCES), keys, keys)
        expected = model.predict((SEQUENCES, context))
        np.testing.assert_allclose(found.detach().numpy(), expected, rtol=1e-12)
        module.load_state_dict(to_torch(draw(model), {"0": ""}))


def test_wrong_names_and_models():
    model = PAIRS["ids"][1]()
    with pytest.raises(nx.InputError, match=r"names must hold .*\['0', '2'\], got"):
        to_torch(model, {"1": "flat"})
    with pytest.raises(nx.InputError, match="model must be a Model"):
        to_torch(nx.Dense(1, 1))
    for names in (3, "0", [], [("0", "a")]):
        for call in (lambda n: to_torch(model, n), lambda n: from_torch(model, {}, n)):
            with pytest.raises(nx.InputError, match="names must be a mapping"):
                call(names)
    with pytest.raises(nx.InputError, match="names must be texts, got 3"):
        to_torch(model, {"0": 3})
    for names in ({"0": "a", "2": "a"}, {"0": "2"}):
        with pytest.raises(nx.InputError, match="each unit a name of its own"):
            to_torch(model, names)


def test_numbers_that_a_model_cannot_hold():
    model = nx.Model([nx.Dense(1, 1)], dtype="float32")
    before = model.parameters["0.weights"].copy()
    state = {"0.weight": np.array([[1e300]]), "0.bias": np.zeros(1)}
    with pytest.raises(nx.InputError, match=r"0\.weights must be finite in float32"):
        from_torch(model, state)
    np.testing.assert_array_equal(model.parameters["0.weights"], before)


class Gain(nx.Layer):
    def parameters(self):
        return {"gain": ("ones", (1,))}

    def fwd(self, cx, x):
        return x * cx.params["gain"], x


def test_a_unit_without_a_counterpart_is_named():
    model = nx.Model([nx.Dense(2, 2), Gain()])
    with pytest.raises(nx.InputError, match="Gain at 1 has arrays, .*in PyTorch"):
        to_torch(model)
