"""Files that other programs wrote: their operators are read."""

import warnings

import numpy as np
import onnx
import onnx.parser
import pytest

import nnfs_xp as nx
from nnfs_xp.onnx.write import model_proto
from tests.onnx.helpers import LAYERS, assert_near, model_of, run

HEAD = '<ir_version: 9, opset_import: ["" : {version}]>\n'
# What is written as operators that no unit is read from, by the cases of the matrix.
NOT_READ = {
    "ThresholdedReLU-2", "BatchNorm-1", "BatchNorm-2", "Add-1", "CrossAttention",
    "DropMask", "GRU", "GroupNorm", "LSTM", "LearnedPositions", "MeanOverPositions",
    "MultiHeadAttention", "PaddingMask", "RMSNorm", "RandomCrop", "SimpleRNN",
    "SinusoidalPositions", "TiedEmbedding", "TransformerBlock", "UpSampling2D",
    "ZeroPadding2D",
}  # fmt: skip


def write(path, text, version=20, **values):
    """Write a file from ONNX's own text, with constants."""
    proto = onnx.parser.parse_model(HEAD.format(version=version) + text)
    for name, value in values.items():
        array = np.asarray(value)
        array = array.astype("float32" if array.dtype.kind == "f" else "int64")
        proto.graph.initializer.append(onnx.numpy_helper.from_array(array, name))
    onnx.save(proto, path)


def assert_same(path, shape=(5, 4)):
    model = nx.onnx.load(path)
    x = np.random.default_rng(1).standard_normal(shape).astype("float32")
    assert_near(model.predict(x), run(path, x), 1e-6)
    return model


GRAPH = "f (float[n, 4] x) => (float[n, k] y) "
random = np.random.default_rng(0)
w, u = random.standard_normal((4, 4)), random.standard_normal((4, 4))
b = random.standard_normal(4)


@pytest.mark.parametrize(
    ("text", "layers"),
    [
        ("{y = Gemm <transB: int = 1> (x, w, b)}", "(Dense(4, 4),)"),
        ("{y = Gemm <alpha = 0.5, beta = 2.0> (x, w, b)}", "(Dense(4, 4),)"),
        ("{y = Gemm (x, w)}", "(Dense(4, 4),)"),
        ("{h = MatMul (x, w) y = Add (b, h)}", "(Dense(4, 4),)"),
        ("{h = MatMul (x, w) g = Sigmoid (h) y = Mul (h, g)}", "(Dense(4, 4), SiLU())"),
        (
            "{h = MatMul (x, w) g = Tanh (h) y = Add (h, g)}",
            "(Dense(4, 4), Residual(Tanh()))",
        ),
        (
            "{h = MatMul (x, w) a = Relu (h) c = MatMul (a, u) d = Add (c, h) "
            "e = Relu (d) f = MatMul (e, w) g = Add (d, f) y = Softmax (g)}",
            "(Dense(4, 4), Residual(Sequential([ReLU(), Dense(4, 4)])), "
            "Residual(Sequential([ReLU(), Dense(4, 4)])), Softmax())",
        ),
        (
            "{h = Relu (x) a = MatMul (h, w) c = Tanh (h) d = MatMul (c, u) "
            "y = Concat <axis: int = 1> (a, h, d)}",
            "(ReLU(), Parallel([Dense(4, 4), Linear(), "
            "Sequential([Tanh(), Dense(4, 4)])]), Concatenate(axis=1))",
        ),
        (
            "{a = MatMul (x, w) c = MatMul (x, u) y = Add (a, c)}",
            "(Parallel([Dense(4, 4), Dense(4, 4)]), Add())",
        ),
        (
            "{h = Mul (x, two) g = Add (h, two) y = Relu (g)}",
            "(Rescaling(scale=2.0, offset=2.0), ReLU())",
        ),
        (
            "{h = Sub (two, x) g = Div (h, two) i = Neg (g) y = Sub (i, two)}",
            "(Rescaling(scale=-1.0, offset=2.0), Rescaling(scale=0.5, offset=0.0), "
            "Rescaling(scale=-1.0, offset=-2.0))",
        ),
        ("{y = Reshape (x, pairs)}", "(Reshape(shape=(2, 2)),)"),
        ("{y = Reshape (x, rows)}", "(Flatten(),)"),
        ("{y = LeakyRelu <alpha = 0.2> (x)}", "(LeakyReLU(negative_slope=0.2),)"),
        ("{y = LayerNormalization (x, b)}", "(LayerNorm(n=4, eps=1e-05),)"),
        ("{y = Clip (x, , two)}", "(Clip(low=None, high=2.0),)"),
        ("{c = Constant <value_float: float = 1.5> () y = Mul (x, c)}",
         "(Rescaling(scale=1.5, offset=0.0),)"),
        ("{c = Identity (w) y = MatMul (x, c)}", "(Dense(4, 4),)"),
        ("{c = Transpose (w) y = MatMul (x, c)}", "(Dense(4, 4),)"),
    ],
)  # fmt: skip
def test_operators_become_units(tmp_path, text, layers):
    axes = "n, 2, 2" if "pairs" in text else "n, k"
    values = {"w": w, "u": u, "b": b, "two": 2.0, "pairs": [0, 2, 2], "rows": [-1, 4]}
    used = {name: value for name, value in values.items() if name in _words(text)}
    write(tmp_path / "a.onnx", GRAPH.replace("n, k", axes) + text, **used)
    model = assert_same(tmp_path / "a.onnx")
    expected = "(Reshape(shape=(4,)),)" if "rows" in text else layers
    assert repr(model.layers) == expected


def _words(text):
    return set("".join(c if c.isalnum() else " " for c in text).split())


def test_several_inputs(tmp_path):
    text = (
        "f (float[n, 4] x, float[n, 4] z) => (float[n, k] y) "
        "{a = MatMul (z, w) c = Relu (x) d = Add (a, c) y = Tanh (d)}"
    )
    write(tmp_path / "a.onnx", text, w=w)
    model = nx.onnx.load(tmp_path / "a.onnx")
    assert repr(model.layers) == "(Parallel([ReLU(), Dense(4, 4)]), Add(), Tanh())"
    x = tuple(random.standard_normal((2, 3, 4)).astype("float32"))
    assert_near(model.predict(x), run(tmp_path / "a.onnx", x), 1e-6)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("{y = Cos (x)}", "no unit computes the operator Cos of node 'y'"),
        (
            "{h = Tanh (x) y = Mul (x, h)}",
            "no block joins branches as the operator Mul",
        ),
        ("{h = Add (x, b) y = Relu (h)}", r"no unit computes Add with .* \(4,\)"),
        ("{y = MatMul (x, x)}", "."),
        ("{h = Tanh (x) y = Gemm (x, h)}", "no block joins branches"),
        ("{y = Gemm (w, x)}", "node 'Gemm' has inputs or attributes that no unit"),
        ("{y = Div (two, x)}", "no unit divides"),
        ("{y = Flatten <axis: int = 0> (x)}", "Flatten makes one row"),
        ("{y = Reshape (x, all)}", "Reshape keeps the samples"),
        ("{y = Selu <alpha: float = 1.5> (x)}", "SELU has the numbers"),
        (
            "{a, c = Split <axis: int = 1, num_outputs: int = 2> (x) y = Mul (a, c)}",
            "GLU",
        ),
    ],
)
def test_what_no_unit_computes_is_named(tmp_path, text, reason):
    values = {"w": w, "b": b, "two": 2.0, "all": [2, -1]}
    used = {name: value for name, value in values.items() if name in _words(text)}
    write(tmp_path / "a.onnx", GRAPH + text, **used)
    with pytest.raises(nx.FileFormatError, match=rf"a\.onnx: .*{reason}"):
        nx.onnx.load(tmp_path / "a.onnx")


def test_features_on_the_second_of_three_axes_are_not_mistaken(tmp_path):
    text = (
        "f (float[n, 4, 4] x) => (float[n, 4, 4] y) "
        "{y = BatchNormalization (x, b, b, b, v)}"
    )
    write(tmp_path / "a.onnx", text, b=b, v=b * b)
    model = nx.onnx.load(tmp_path / "a.onnx")
    x = random.standard_normal((3, 4, 4)).astype("float32")
    found = model.predict(x.transpose(0, 2, 1)).transpose(0, 2, 1)
    assert_near(found, run(tmp_path / "a.onnx", x), 1e-6)
    # Behind a product with the last axis, that is the one of the features.
    text = text.replace("{y", "{h = MatMul (x, w) y").replace("(x, b,", "(h, b,")
    write(tmp_path / "a.onnx", text, b=b, v=b * b, w=w)
    with pytest.raises(nx.FileFormatError, match="inputs have two axes"):
        nx.onnx.load(tmp_path / "a.onnx")


def test_old_versions_of_operators_are_refused(tmp_path):
    write(tmp_path / "a.onnx", GRAPH + "{y = Softmax (x)}", version=11)
    with pytest.raises(nx.FileFormatError, match="operators of version 11"):
        nx.onnx.load(tmp_path / "a.onnx")


def lengths_that_do_not_fit():
    proto = model_proto(nx.Model([nx.Dense(4, 2, use_bias=False)]))
    proto.graph.initializer[0].raw_data += bytes(4)
    return proto.SerializeToString()


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "it is empty"),
        (b"epoch,loss", "text, and begins with"),
        (b"\x80\x04N.", "a pickle"),
        (b"\x08\x09\x12", "."),
        (lengths_that_do_not_fit, "cannot reshape"),
    ],
)
def test_damaged_files_are_refused(tmp_path, data, reason):
    (tmp_path / "a.onnx").write_bytes(data() if callable(data) else data)
    with pytest.raises(
        nx.FileFormatError, match=f"a.onnx is not an ONNX model: .*{reason}"
    ):
        nx.onnx.load(tmp_path / "a.onnx")
    with pytest.raises(FileNotFoundError):
        nx.onnx.load(tmp_path / "b.onnx")


def test_a_file_that_says_what_it_does_not_hold_is_not_believed(tmp_path):
    """A graph that was changed counts for what it is now."""
    path = tmp_path / "a.onnx"
    nx.Model([nx.Dense(4, 2), nx.ReLU()]).export(path)
    proto = onnx.load(path)
    proto.graph.node[-1].op_type = "Tanh"
    onnx.save(proto, path)
    assert repr(assert_same(path).layers) == "(Dense(4, 2), Tanh())"


@pytest.mark.slow
@LAYERS
def test_own_files_are_read_without_their_own_text(request, tmp_path, case):
    model, x, shape = model_of(case, "float32")
    path = tmp_path / "a.onnx"
    proto = model_proto(model, shape)
    del proto.metadata_props[:]
    onnx.save(proto, path)
    name = request.node.callspec.id
    try:
        again = nx.onnx.load(path)
    except nx.FileFormatError:
        assert NOT_READ & {name, name.partition("-")[0]}
        return
    if isinstance(x, tuple) and len(x) == 1:
        (x,), (shape,) = x, shape
    assert_near(again.predict(x), run(path, x), 1e-6)
    found = [node.op_type for node in model_proto(again, shape).graph.node]
    expected = [node.op_type for node in proto.graph.node]
    # A `Linear` is made for an input without operators of its own, and of a change of
    # sign, or a sum with a
    # table of one number, a `Rescaling`, which writes a factor and a sum.
    assert [kind for kind in found if kind != "Identity"] == expected or (
        {"Identity", "Neg"} & set(expected) or name.partition("-")[0] in NOT_READ
    )


def exported(network, x, path):
    """Write a network of PyTorch, by its exporter that needs nothing but onnx."""
    import torch

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.onnx.export(
            network.eval(), (x,), str(path), dynamo=False, opset_version=20,
            input_names=["x"], dynamic_axes={"x": {0: "n"}},
        )  # fmt: skip


def residual(nn, inner):
    class Block(nn.Module):
        def __init__(self):
            super().__init__()
            self.inner = inner

        def forward(self, x):
            return x + self.inner(x)

    return Block()


@pytest.mark.backend("torch")
@pytest.mark.slow
def test_a_convolutional_network_of_pytorch(tmp_path):
    import torch
    from torch import nn

    torch.manual_seed(0)
    network = nn.Sequential(
        nn.Conv2d(2, 4, 3, padding=1), nn.BatchNorm2d(4), nn.ReLU(),
        residual(nn, nn.Sequential(nn.Conv2d(4, 4, 3, padding="same"), nn.ReLU())),
        nn.MaxPool2d(2), nn.ZeroPad2d((1, 0, 2, 1)),
        nn.Conv2d(4, 6, 2, stride=2, groups=2, bias=False), nn.SiLU(),
        nn.AvgPool2d(2, 1), nn.Flatten(), nn.Tanh(), nn.Linear(24, 6),
        nn.BatchNorm1d(6), nn.Linear(6, 3),
    )  # fmt: skip
    network(torch.randn(64, 2, 9, 10))
    x = torch.randn(3, 2, 9, 10)
    exported(network, x, tmp_path / "a.onnx")
    model = nx.onnx.load(tmp_path / "a.onnx")
    found = model.predict(x.movedim(1, -1).numpy())
    assert_near(found, network(x).detach().numpy(), 1e-6)


@pytest.mark.backend("torch")
@pytest.mark.slow
def test_signals_and_means_of_images_of_pytorch(tmp_path):
    import torch
    from torch import nn

    torch.manual_seed(0)
    signals = nn.Sequential(
        nn.Conv1d(3, 4, 3, dilation=2), nn.Tanh(), nn.Flatten(), nn.BatchNorm1d(24),
        nn.Linear(24, 2),
    )  # fmt: skip
    means = nn.Sequential(
        nn.Conv2d(3, 4, 3), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(4, 2)
    )
    for network, x in (
        (signals, torch.randn(5, 3, 10)),
        (means, torch.randn(5, 3, 6, 7)),
    ):
        network(x)
        exported(network, x, tmp_path / "a.onnx")
        model = nx.onnx.load(tmp_path / "a.onnx")
        found = model.predict(x.movedim(1, -1).numpy())
        assert_near(found, network(x).detach().numpy(), 1e-6)


IMAGES = "f (float[n, 2, 5, 5] x) => (float[n, a, b, c] y) "


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("{y = Conv <pads: ints = [0, 0, 1, 1]> (x, k)}", "other padding before than"),
        ("{y = Conv <auto_pad = \"SAME_LOWER\"> (x, k)}", "SAME_LOWER"),
        ("{y = MaxPool <kernel_shape: ints = [2, 2], ceil_mode = 1> (x)}", "rounds"),
        ("{y = MaxPool <kernel_shape: ints = [2, 2], dilations: ints = [2, 2]> (x)}",
         "side by side"),
        ("{y = AveragePool <kernel_shape: ints = [3, 3], pads: ints = [1, 1, 1, 1], "
         "count_include_pad = 1> (x)}", "counts the padding"),
        ("{h = Conv (x, k) y = Softmax (h)}", "Softmax .* is not read for images"),
        ("{h = Conv (x, k) t = Transpose <perm = [0, 1, 3, 2]> (h) y = Add (h, t)}",
         "in several orders"),
        ("{h = Conv (x, k) t = Transpose <perm = [0, 2, 3, 1]> (h) y = Conv (t, k)}",
         "no unit computes the operator Conv"),
    ],
)  # fmt: skip
def test_what_is_not_read_of_images_is_named(tmp_path, text, reason):
    used = {"k": random.standard_normal((2, 2, 3, 3))} if "k)" in text else {}
    write(tmp_path / "a.onnx", IMAGES + text, **used)
    with pytest.raises(nx.FileFormatError, match=rf"a\.onnx.*{reason}"):
        nx.onnx.load(tmp_path / "a.onnx")


def test_numbers_that_are_not_finite_are_read(tmp_path):
    proto = model_proto(nx.Model([nx.Dense(1, 1, use_bias=False)]))
    array = onnx.numpy_helper.from_array(np.array([[np.inf]], "float32"), "0.weights")
    proto.graph.initializer[0].CopyFrom(array)
    onnx.save(proto, tmp_path / "a.onnx")
    model = nx.onnx.load(tmp_path / "a.onnx")
    assert model.layers[0].weights == np.inf
    with pytest.raises(nx.DivergenceError):
        model.export(tmp_path / "b.onnx")


def test_a_huge_constant_is_not_made(tmp_path):
    text = GRAPH + "{c = ConstantOfShape (big) y = Add (x, c)}"
    write(tmp_path / "a.onnx", text, big=[10**7, 4])
    with pytest.raises(nx.FileFormatError, match="huge constant"):
        nx.onnx.load(tmp_path / "a.onnx")


@pytest.mark.backend("torch")
def test_a_network_of_pytorch(tmp_path):
    import torch
    from torch import nn

    torch.manual_seed(0)
    network = nn.Sequential(
        nn.Linear(4, 8), nn.ReLU(), nn.BatchNorm1d(8), nn.Linear(8, 8), nn.GELU(),
        nn.LayerNorm(8), nn.SiLU(), nn.Dropout(0.3), nn.LeakyReLU(0.2), nn.Linear(8, 6),
        nn.GLU(), nn.Hardtanh(), nn.PReLU(3), nn.Softmax(-1),
    )  # fmt: skip
    network(torch.randn(64, 4))
    x = torch.randn(5, 4)
    exported(network, x, tmp_path / "a.onnx")
    model = nx.onnx.load(tmp_path / "a.onnx")
    assert_near(model.predict(x.numpy()), network(x).detach().numpy(), 1e-6)
