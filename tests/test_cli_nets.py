"""The command line with convolutional networks and GPTs."""

import json

import numpy as np
import pytest

import nnfs_xp as nx
from nnfs_xp.cli import main
from nnfs_xp.data import load_dataset, load_text, sample_text
from nnfs_xp.nets import cnn, gpt
from tests.conftest import backend_or_skip

RHYME = "One, two, buckle my shoe. Three, four, knock at the door.\n" * 40
GPT = ["train", "--net", "gpt", "--data", "rhyme.txt", "--context", 16, "--no-plot"]
CNN = ["train", "--net", "cnn", "--data", "digits", "--no-plot"]


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "rhyme.txt").write_text(RHYME)
    return tmp_path


def run(capsys, *arguments):
    status = main([str(argument) for argument in arguments])
    captured = capsys.readouterr()
    return status, captured.out, captured.err


def answered(capsys, *arguments):
    status, out, error = run(capsys, *arguments, "--quiet", "--json")
    assert (status, error) == (0, "")
    return json.loads(out)


def test_a_gpt_is_trained_and_writes(capsys, folder):
    status, out, error = run(capsys, *GPT[:-1], "--epochs", 2, "--out", "g")
    assert (status, error) == (0, "")
    assert "130 training and 14 test windows of 16 characters, a vocabulary of" in out
    assert "perplexity" in out
    left = sorted(path.name for path in (folder / "g").iterdir())
    assert left == ["history.json", "model.safetensors", "report.png"]
    history = json.loads((folder / "g" / "history.json").read_text())
    assert history["configuration"]["net"] == "gpt"
    assert history["data"]["training_samples"] == 130
    model = nx.Model.load(folder / "g" / "model.safetensors")
    text = load_text("rhyme.txt", context=16)
    prompt = text.vocabulary.decode(text.ids_test[:8])
    written = sample_text(model, prompt, 300, temperature=0.8, seed=0)
    assert out.endswith(f"it continues {prompt!r}:\n{prompt}{written}\n")

    status, out, error = run(capsys, "predict", "g", "--prompt", "One, ", "--length", 9)
    expected = "One, " + sample_text(model, "One, ", 9, temperature=0.8, seed=0)
    assert (status, out, error) == (0, f"{expected}\n", "")
    found = answered(capsys, "predict", "g", "--prompt", "One, ", "--length", 9)
    assert found == {"prompt": "One, ", "text": expected[5:]}
    run(capsys, "predict", "g", "--prompt", "One, ", "--length", 9, "--out", "o.txt")
    assert (folder / "o.txt").read_text() == f"{expected}\n"

    found = answered(capsys, "evaluate", "g", "rhyme.txt")
    assert found["samples"] == 14
    for name in ("loss", "perplexity", "accuracy"):
        assert found[name] == pytest.approx(history[f"test_{name}"])


def test_a_gpt_by_bytes(capsys, folder):
    (folder / "rhyme.txt").write_text(RHYME.replace("shoe", "🥾"))
    arguments = [*GPT, "--by", "bytes", "--epochs", 1, "--out", "g"]
    found = answered(capsys, *arguments)
    assert found["test_perplexity"] < 256
    config = nx.Model.load(folder / "g" / "model.safetensors").metadata
    assert config["vocabulary"] == {"by": "bytes", "characters": ""}


@pytest.mark.slow
@pytest.mark.parametrize("net", ["gpt", "cnn"])
def test_trainings_are_the_same_on_every_backend(backend_name, net, capsys):
    be = backend_or_skip(backend_name, "float64")
    if be.name == "array_api_strict" and backend_name != "strict":
        pytest.skip("the command line has no name for another strict device")
    arguments = GPT if net == "gpt" else CNN
    found = [
        answered(
            capsys, *arguments, "--epochs", 1, "--dtype", "float64", "--batch-size",
            64, "--backend", name, "--out", f"{name}{place}",
        )
        for place, name in enumerate(("numpy", be.name))
    ]  # fmt: skip
    one, other = found
    assert one["test_loss"] == pytest.approx(other["test_loss"], rel=1e-8)
    assert one.get("text") == other.get("text")
    if net == "gpt":
        assert len(one["text"]) == 300


def stop_after(monkeypatch, epochs):
    real = nx.Progress.on_epoch_end

    def interrupt(self, record):
        real(self, record)
        if record["epoch"] == epochs:
            raise KeyboardInterrupt

    monkeypatch.setattr(nx.Progress, "on_epoch_end", interrupt)
    return lambda: monkeypatch.setattr(nx.Progress, "on_epoch_end", real)


@pytest.mark.slow
@pytest.mark.parametrize("arguments", [GPT, CNN], ids=["gpt", "cnn"])
def test_resumed(arguments, capsys, folder, monkeypatch):
    arguments = [*arguments, "--epochs", 3, "--checkpoint-every", 1, "--seed", 4]
    run(capsys, *arguments, "--out", "straight")
    undo = stop_after(monkeypatch, 2)
    status, out, _ = run(capsys, *arguments, "--out", "halved")
    assert status == 130
    assert "--resume continues it" in out
    undo()
    assert run(capsys, *arguments, "--out", "halved", "--resume")[0] == 0
    one, other = (
        nx.Model.load(folder / name / "model.safetensors").parameters
        for name in ("straight", "halved")
    )
    for path, value in one.items():
        np.testing.assert_array_equal(value, other[path], err_msg=path)


def test_a_cnn_predicts_as_any_network(capsys, folder):
    found = answered(capsys, *CNN, "--epochs", 6, "--out", "c")
    assert found["test_accuracy"] > 0.85
    status, out, _ = run(capsys, "predict", "c", "digits")
    assert (status, out.partition("\n")[0]) == (0, "row,label,name,confidence")
    again = answered(capsys, "evaluate", "c", "digits")
    assert again["accuracy"] == pytest.approx(found["test_accuracy"])


@pytest.mark.parametrize(
    ("arguments", "schedule", "highest"),
    [(CNN, nx.OneCycle, "peak"), (GPT, nx.CosineDecay, "initial")],
    ids=["cnn", "gpt"],
)
def test_the_rate_has_a_schedule_unless_another_optimizer_is_named(
    arguments, schedule, highest, capsys
):
    def trained(*more):
        answered(capsys, *arguments, "--epochs", 1, "--out", "n", "--force", *more)
        return nx.Model.load("n/model.safetensors").optimizer

    usual = trained()
    assert type(usual) is nx.Adam
    assert type(usual.learning_rate) is schedule
    assert getattr(usual.learning_rate, highest) == 0.003
    assert getattr(trained("--lr", 0.01).learning_rate, highest) == 0.01
    found = trained("--optimizer", "rmsprop", "rho=0.8")
    assert found.learning_rate == nx.RMSprop().learning_rate
    assert trained("--optimizer", "sgd", "learning_rate=0.02").learning_rate == 0.02


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--net", "gpt", "--hidden", 3], "hidden is for --net dense"),
        (["--net", "cnn", "--dropout", 0.3], "dropout is for --net dense"),
        (["--net", "gpt", "--activation", "tanh"], "activation is for --net dense"),
        (["--net", "gpt", "--label", "a"], "label is for tables and pictures"),
        (["--net", "cnn", "--context", 3], "context is for --net gpt"),
        (["--by", "bytes"], "by is for --net gpt, and this is --net dense"),
        (["--net", "cnn", "--data", "spiral"], "cnn takes pictures and their classes"),
        (["--net", "gpt", "--data", "digits"], "no file is called 'digits'"),
        (["--net", "gpt", "--data", "rhyme.txt", "--context", 999], "a window of 999"),
        (["--data", "rhyme.txt"], "load_text reads texts"),
        (["--data", "text"], "load_text reads 'text'"),
    ],
    ids=str,
)
def test_what_does_not_fit_a_network(arguments, message, capsys, folder):
    status, out, error = run(capsys, "train", *arguments, "--no-plot", "--out", "x")
    assert (status, out) == (2, "")
    assert message in error
    assert not (folder / "x").exists()


def test_prompts_that_do_not_fit(capsys, folder):
    answered(capsys, *GPT, "--epochs", 1, "--out", "g")
    answered(capsys, *CNN, "--epochs", 1, "--out", "c")
    for arguments, message in (
        (["g"], "say which"),
        (["g", "rhyme.txt"], "give the text with --prompt"),
        (["g", "rhyme.txt", "--prompt", "One"], "or continues a text"),
        (["g", "--prompt", "ZZZ"], "'Z' (U+005A)"),
        (["g", "--prompt", "One", "--temperature", -1], "temperature must be"),
        (["c", "--prompt", "One"], "does not say which characters"),
        (["c", "digits", "--length", 3], "length is for a model that continues a"),
        (["c", "digits", "--temperature", 1], "temperature is for a model that"),
        (["c", "digits", "--seed", 0], "seed is for a model that continues a"),
        (["", "digits"], "model must be a path, got ''"),
    ):
        status, out, error = run(capsys, "predict", *arguments)
        assert (status, out) == (2, ""), arguments
        assert message in error


@pytest.mark.parametrize(
    "shape", [(3, 28), (28,), (28, 28, 1, 1), (0, 4), ("a", 4), 28, None, "28", {28}]
)
def test_shapes_that_are_no_pictures(shape):
    with pytest.raises(nx.InputError, match="image_shape must be"):
        cnn(shape, 10)


def test_odd_pictures_and_three_colours():
    model = nx.Model(cnn((7, 5, 3), 2), dtype="float64")
    assert model.predict(np.zeros((4, 105))).shape == (4, 2)
    with pytest.raises(nx.InputError, match="n_classes must be"):
        cnn((7, 5), 0)


def test_a_gpt_sees_nothing_that_comes_later():
    model = nx.Model(gpt(9, 12, width=8, heads=2, blocks=3, dropout=0.1))
    ids = np.arange(12)[None] % 9
    other = ids.copy()
    other[:, 7:] = 0
    one, two = model.predict(ids), model.predict(other)
    np.testing.assert_allclose(one[:, :7], two[:, :7], rtol=1e-6)
    assert (one[:, 7:] != two[:, 7:]).all()
    with pytest.raises(nx.InputError, match="blocks must be"):
        gpt(9, 12, blocks=0)


@pytest.mark.parametrize("name", ["n_ids", "context", "width", "heads", "blocks"])
@pytest.mark.parametrize("value", [0, -1, 2.0, "2", True, None, 2**63])
def test_a_gpt_names_its_own_arguments(name, value):
    with pytest.raises(nx.InputError, match=f"^{name} must be"):
        gpt(**{"n_ids": 9, "context": 12, name: value})
    with pytest.raises(nx.InputError, match="heads must divide width, 9, got 2"):
        gpt(9, 12, width=9, heads=2)


@pytest.mark.slow
def test_the_packaged_pictures_reach_87_percent(capsys):
    found = answered(capsys, *CNN[:3], "--no-plot", "--out", "c")
    assert found["epochs"] == 10
    assert found["test_accuracy"] > 0.87
    assert load_dataset("fashion-mnist-mini").image_shape == (28, 28)
