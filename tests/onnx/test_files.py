"""What a file holds beside the operators, and what cannot be written."""

import json
import subprocess
import sys

import numpy as np
import onnx
import pytest

import nnfs_xp as nx
from nnfs_xp.onnx import form
from tests.onnx.helpers import assert_near, run


class Doubled(nx.Layer):
    """A unit of a user, with a shape that depends on the number of samples."""

    def fwd(self, cx, x):
        rows = cx.xp.reshape(x, (x.shape[0] * 2, -1))
        both = cx.xp.concat([rows, cx.xp.zeros((2 * x.shape[0], 1))], axis=1)
        return cx.xp.reshape(both * 2.0, (x.shape[0], -1)), x

    def output_shape(self, shape):
        return None if shape is None else (shape[0] + 2,)


def test_a_program_that_has_imported_nothing_else(tmp_path):
    """The code for ONNX is imported when a model is exported."""
    program = "import nnfs_xp as nx; nx.Model([nx.Dense(2, 3)]).export('model.onnx')"
    subprocess.run([sys.executable, "-c", program], cwd=tmp_path, check=True)
    assert onnx.load(tmp_path / "model.onnx").graph.node


class Ranked(nx.Layer):
    def fwd(self, cx, x):
        return cx.xp.sort(x, axis=-1), x


class Centred(nx.Layer):
    """Not the same for each number of samples."""

    def fwd(self, cx, x):
        return x - cx.xp.mean(x, axis=0), x


class Averaged(nx.Layer):
    def fwd(self, cx, x):
        return x / x.shape[0], x


class Branching(nx.Layer):
    def fwd(self, cx, x):
        return (x if x > 0 else -x), x


class Sampled(nx.Layer):
    def fwd(self, cx, x):
        return x - x[:1], x


class OnTheHost(nx.Layer):
    def fwd(self, cx, x):
        return np.exp(x), x


class Writing(nx.Layer):
    def fwd(self, cx, x):
        x[0, 0] = 0.0
        return x, x


class WritingThroughAView(nx.Layer):
    def fwd(self, cx, x):
        y = x * 2.0
        part = y[:, :1]
        part += 1.0
        return y, x


class Cosine(nx.Layer):
    def fwd(self, cx, x):
        return np.cos(x), x


@form(Cosine)
def write_cosine(graph, cx, x):
    return graph.op("Cos", x)


class Shifted(Cosine):
    """Not the class that has a form."""

    def fwd(self, cx, x):
        return x + 1.0, x


def classifier(**options):
    layers = [nx.Rescaling(1 / 255), nx.Dense(4, 8), nx.ReLU(), nx.Dense(8, 3)]
    return nx.Model([*layers, nx.Softmax()], loss="categorical_crossentropy", **options)


def texts(path):
    return {entry.key: entry.value for entry in onnx.load(path).metadata_props}


def test_a_file_names_inputs_output_and_samples(tmp_path):
    classifier().export(tmp_path / "model.onnx")
    graph = onnx.load(tmp_path / "model.onnx").graph
    infos = {info.name: info.type.tensor_type for info in (*graph.input, *graph.output)}
    shapes = {
        name: [dim.dim_param or dim.dim_value for dim in kind.shape.dim]
        for name, kind in infos.items()
    }
    assert shapes == {"input": ["samples", 4], "output": ["samples", 3]}
    names = {tensor.name for tensor in graph.initializer}
    assert names >= {"1.weights", "1.biases", "3.weights", "3.biases"}


def test_metadata_and_loss_come_back(tmp_path):
    model = classifier(seed=7)
    model.metadata = {"class_names": ["ä", "b", "c"], "scaling": {"scale": [2.0]}}
    model.export(tmp_path / "model.onnx")
    kept = json.loads(texts(tmp_path / "model.onnx")["metadata"])
    assert kept == model.metadata
    again = nx.onnx.load(tmp_path / "model.onnx")
    assert again.metadata == model.metadata
    assert again.config() == model.config()
    x, y = np.ones((2, 4)), [0, 1]
    assert again.evaluate(x, y) == model.evaluate(x, y)


@pytest.mark.slow
def test_a_trained_model_is_written_from_any_backend(tmp_path):
    model = classifier(optimizer="adam", backend="array_api_strict", dtype="float64")
    x = np.random.default_rng(0).integers(0, 256, (20, 4)).astype("float64")
    model.fit(x, np.arange(20) % 3, epochs=2)
    model.export(tmp_path / "model.onnx")
    assert_near(run(tmp_path / "model.onnx", x), nx.to_numpy(model.predict(x)), 1e-12)
    again = nx.onnx.load(tmp_path / "model.onnx")
    assert again.backend.name == "numpy"
    # A new training may begin at once.
    again.optimizer = "adam"
    again.fit(x, np.arange(20) % 3, epochs=1)


def test_a_file_that_is_there_stays_if_nothing_is_written(tmp_path):
    path = tmp_path / "model.onnx"
    path.write_bytes(b"before")
    model = classifier()
    model.layers[1].biases = [np.nan] * 8
    with pytest.raises(nx.DivergenceError, match=r"not exported: 1\.biases holds nan"):
        model.export(path)
    assert path.read_bytes() == b"before"
    assert [file.name for file in tmp_path.iterdir()] == ["model.onnx"]


def test_the_shape_of_a_sample_is_asked_for(tmp_path):
    model = nx.Model([nx.Flatten(), nx.Dense(6, 2)])
    with pytest.raises(nx.InputError, match="sample_shape is needed"):
        model.export(tmp_path / "model.onnx")
    with pytest.raises(nx.InputError, match=r"sample_shape must .* got \(2, 4\)"):
        model.export(tmp_path / "model.onnx", sample_shape=(2, 4))
    with pytest.raises(nx.InputError, match="positive integers, got -1"):
        model.export(tmp_path / "model.onnx", sample_shape=(2, -1))
    model.export(tmp_path / "model.onnx", sample_shape=[2, 3])
    x = np.ones((5, 2, 3), "float32")
    assert_near(run(tmp_path / "model.onnx", x), model.predict(x), 1e-6)


def test_other_endings_are_refused(tmp_path):
    for name in ("model.pt", "model"):
        with pytest.raises(nx.InputError, match=r"end with one of \['\.onnx'\]"):
            classifier().export(tmp_path / name)
    with pytest.raises(nx.InputError, match="path must be a path"):
        classifier().export(3)


@pytest.mark.parametrize(
    ("unit", "reason"),
    [
        (Ranked, "xp.sort is not supported in ONNX export"),
        (Centred, "it computes over all samples"),
        (Averaged, "it computes with the number of samples"),
        (Branching, "it reads the value of an array"),
        (Sampled, "it takes some of the samples"),
        (OnTheHost, "ufunc"),
        (Writing, "it writes into an array"),
        (WritingThroughAView, "it writes into an array"),
    ],
)
def test_a_unit_that_cannot_be_written_is_named(tmp_path, unit, reason):
    model = nx.Model([nx.Dense(2, 2), nx.Sequential([nx.ReLU(), unit()])])
    message = rf"layers: {unit.__name__}\(\) cannot be exported to ONNX: .*({reason})"
    with pytest.raises(nx.InputError, match=message) as caught:
        model.export(tmp_path / "model.onnx")
    assert f"@nnfs_xp.onnx.form({unit.__name__})" in str(caught.value)


def test_units_of_users_are_written_by_following_them(tmp_path):
    model = nx.Model([nx.Dense(2, 4), Doubled()], dtype="float64")
    model.export(tmp_path / "model.onnx")
    x = np.random.default_rng(0).normal(size=(3, 2))
    assert_near(run(tmp_path / "model.onnx", x), model.predict(x), 1e-12)
    # No file can name a unit that is not registered: the operators are there, alone.
    assert set(texts(tmp_path / "model.onnx")) == {"metadata"}


def test_a_form_writes_units_of_its_class_alone(tmp_path):
    model = nx.Model([nx.Dense(2, 2), Cosine(), Shifted()])
    model.export(tmp_path / "model.onnx")
    kinds = [node.op_type for node in onnx.load(tmp_path / "model.onnx").graph.node]
    assert kinds == ["MatMul", "Add", "Cos", "Add"]


@pytest.mark.slow
def test_without_onnx_the_error_says_what_to_install(tmp_path):
    program = (
        "import sys; sys.modules['onnx'] = None; import nnfs_xp as nx\n"
        "for call in (lambda: nx.Model([nx.Dense(1, 1)]).export('a.onnx'),"
        " lambda: nx.onnx.load('a.onnx')):\n"
        "    try: call()\n"
        "    except nx.InputError as error: print(error)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, cwd=tmp_path
    )
    assert done.stdout.count("pip install 'nnfs-xp[onnx]'") == 2, done.stderr
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"backend": "tf"}, "^backend must be one of"),
        ({"backend": ""}, "^backend must be one of"),
        ({"dtype": "float16"}, "^dtype must be one of"),
        ({"dtype": ""}, "^dtype must be one of"),
        ({"compile": "x"}, "^compile must be one of"),
        ({"matmul_precision": "x"}, "^matmul_precision must be one of"),
    ],
)
def test_a_file_is_not_blamed_for_an_argument(tmp_path, options, message):
    nx.Model([nx.Dense(2, 2)]).export(tmp_path / "model.onnx")
    with pytest.raises(nx.InputError, match=message) as caught:
        nx.onnx.load(tmp_path / "model.onnx", **options)
    assert type(caught.value) is nx.InputError
