"""Bad files of models, bad files of data, and bad commands."""

from __future__ import annotations

import contextlib
import io
import itertools
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.bad_input.arrays import (
    CLASSES,
    FEATURES,
)
from benchmarks.bad_input.trial import Case, ExitStatus, Program, cases_of

DAMAGES = {
    "an empty file": lambda data: b"",
    "half of the file": lambda data: data[: len(data) // 2],
    "the file without its last byte": lambda data: data[:-1],
    "one flipped bit": lambda data: flipped(data, data.rindex(DATA_MARK) + 2),
    "a string": lambda data: b"no model\n",
    "a file of zeros": lambda data: bytes(len(data)),
    "a missing file": None,
}
# Bytes of the first weight, which stand in every library's file as they are.
WEIGHT = np.float32(0.123456789)
DATA_MARK = WEIGHT.tobytes()
SIZES = {
    "a different number of features": (FEATURES + 1, 5, CLASSES),
    "a different number of neurons": (FEATURES, 6, CLASSES),
    "a different number of classes": (FEATURES, 5, CLASSES + 1),
    "one layer too few": (FEATURES, CLASSES),
    "one layer too many": (FEATURES, 5, 5, CLASSES),
}
GOOD_SIZES = (FEATURES, 5, CLASSES)


def flipped(data: bytes, place: int) -> bytes:
    """Return bytes with one other bit."""
    return data[:place] + bytes([data[place] ^ 1]) + data[place + 1 :]


def damaged(path: Path, change: Any) -> Path:
    """Change a file."""
    if change is None:
        path.unlink()
    else:
        path.write_bytes(change(path.read_bytes()))
    return path


def marked(weights: Any) -> np.ndarray:
    """Return weights of which one can be found in a file."""
    weights = np.array(weights, dtype=np.float32)
    weights[0, 0] = WEIGHT
    return weights


# A chain of dense layers, and its parameters in a file, in each library.


def our_chain(nx, be, sizes=GOOD_SIZES):
    layers = [nx.Dense(a, b) for a, b in itertools.pairwise(sizes)]
    return nx.Model(layers, loss="mean_squared_error", optimizer="sgd", backend=be)


def our_file(nx, t):
    model, path = our_chain(nx, t.be), t.folder / "m.safetensors"
    layer = model.layers[0]
    layer.weights = marked(t.be.to_numpy(layer.weights)).tolist()
    model.save(path)
    return path


def torch_chain(torch, sizes=GOOD_SIZES):
    pairs = itertools.pairwise(sizes)
    return torch.nn.Sequential(*(torch.nn.Linear(a, b) for a, b in pairs))


def torch_file(torch, t):
    model, path = torch_chain(torch), t.folder / "m.pt"
    weights = marked(model[0].weight.detach())
    model[0].weight.data = torch.tensor(weights)
    torch.save(model.state_dict(), path)
    return path


def keras_chain(keras, sizes=GOOD_SIZES):
    layers = [keras.layers.Dense(n) for n in sizes[1:]]
    return keras.Sequential([keras.Input((sizes[0],)), *layers])


def keras_file(keras, t):
    model, path = keras_chain(keras), t.folder / "m.weights.h5"
    first, *others = model.get_weights()
    model.set_weights([marked(first), *others])
    model.save_weights(path)
    return path


def of_models() -> list[Case]:
    """Return the cases of files that hold a model."""
    door = "Model files"

    def ours_load(nx, t, v):
        path = damaged(our_file(nx, t), v)
        t.watch(t.folder)
        nx.Model.load(path, backend=t.be)

    def ours(nx, t, v):
        path = damaged(our_file(nx, t), v)
        t.watch(our_chain(nx, t.be)).load_parameters(path)

    def torch_load(torch, t, v):
        path = damaged(torch_file(torch, t), v)
        state = torch.load(path, weights_only=True)
        t.watch(torch_chain(torch)).load_state_dict(state)

    def keras_load(keras, t, v):
        path = damaged(keras_file(keras, t), v)
        t.watch(keras_chain(keras)).load_weights(path)

    def sklearn_load(sklearn, t, v):
        import joblib

        network = sklearn.neural_network.MLPClassifier((5,), max_iter=2)
        x = np.eye(FEATURES)
        network.partial_fit(x, [0, 1, 2, 0], classes=range(CLASSES))
        network.coefs_[0] = marked(network.coefs_[0])
        path = t.folder / "m.joblib"
        joblib.dump(network, path)
        return joblib.load(damaged(path, v)).predict_proba(x)

    def ours_other(nx, t, v):
        t.watch(our_chain(nx, t.be, v)).load_parameters(our_file(nx, t))

    def torch_other(torch, t, v):
        state = torch.load(torch_file(torch, t), weights_only=True)
        t.watch(torch_chain(torch, v)).load_state_dict(state)

    def keras_other(keras, t, v):
        t.watch(keras_chain(keras, v)).load_weights(keras_file(keras, t))

    def ours_save(call: str) -> Program:
        def program(nx, t, v):
            model = our_chain(nx, t.be)
            model.layers[1].weights = np.full((5, CLASSES), v).tolist()
            path = t.watch(t.folder) / "m.safetensors"
            getattr(model, call)(path)

        return program

    def torch_save(torch, t, v):
        model = torch_chain(torch)
        model[1].weight.data = torch.full((CLASSES, 5), v)
        torch.save(model.state_dict(), t.watch(t.folder) / "m.pt")

    def keras_save(keras, t, v):
        model = keras_chain(keras)
        model.layers[1].set_weights([np.full((5, CLASSES), v), np.zeros(CLASSES)])
        model.save_weights(t.watch(t.folder) / "m.weights.h5")

    same = lambda data: data  # noqa: E731
    not_finite = [float("nan"), float("inf")]
    return [
        *cases_of(
            door, "Model.load(path)", r"m\.safetensors", same, DAMAGES,
            nnfs_xp=ours_load, sklearn=sklearn_load,
        ),
        *cases_of(
            door, "load_parameters(path)", r"m\.safetensors", same, DAMAGES,
            nnfs_xp=ours, torch=torch_load, keras=keras_load,
        ),
        *cases_of(
            door, "load_parameters(path) of another model", r"m\.safetensors",
            GOOD_SIZES, SIZES,
            nnfs_xp=ours_other, torch=torch_other, keras=keras_other,
        ),
        *cases_of(
            door, "save(path) of weights", r"1\.weights", 1.0, not_finite,
            nnfs_xp=ours_save("save"),
        ),
        *cases_of(
            door, "save_parameters(path) of weights", r"1\.weights", 1.0, not_finite,
            nnfs_xp=ours_save("save_parameters"), torch=torch_save, keras=keras_save,
        ),
    ]  # fmt: skip


ROWS_OF_TABLE = [f"{i},{i * i % 7},{i % 2}" for i in range(12)]
TABLE = "\n".join(["a,b,label", *ROWS_OF_TABLE]) + "\n"
BAD_TABLES = {
    "an empty file": "",
    "a header without rows": "a,b,label\n",
    "a word among numbers": TABLE.replace("\n3,", "\nthree,"),
    "an infinite number": TABLE.replace("\n3,", "\ninf,"),
    "a missing value": TABLE.replace("\n3,", "\n,"),
    "a missing label": TABLE + "3,4,\n",
    "a name among numeric labels": TABLE + "3,4,yes\n",
    "a row with too many cells": TABLE + "3,4,1,1,1\n",
    "a row with too few cells": TABLE + "3\n",
    "a single column": "label\n" + "1\n0\n" * 6,
    "labels of one class": TABLE.replace(",1\n", ",0\n"),
    "a single row": "\n".join(TABLE.splitlines()[:2]) + "\n",
    "binary data": b"a,b,label\n\xff\xfe,1,0\n",
    "a missing file": None,
}
BAD_ARCHIVES = {
    "only x, under another name": {"data_of_mine": np.ones((12, 2))},
    "fewer labels than rows": {"x": np.ones((12, 2)), "y": np.arange(11) % 2},
    "NaN": {"x": np.full((12, 2), np.nan), "y": np.arange(12) % 2},
    "strings": {"x": np.full((12, 2), "a"), "y": np.arange(12) % 2},
    "complex numbers": {"x": np.full((12, 2), 1j), "y": np.arange(12) % 2},
    "a number for x": {"x": np.array(1.0), "y": np.arange(12) % 2},
    "no rows": {"x": np.ones((0, 2)), "y": np.arange(0)},
}


def of_data() -> list[Case]:
    """Return the cases of files of the user's own data."""
    door = "Data files"

    def table(folder: Path, text: Any = TABLE) -> Path:
        path = folder / "rows.csv"
        if text is not None:
            path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return path

    def load_table(nx, t, v):
        from nnfs_xp.data import load_dataset

        load_dataset(table(t.folder, v))

    def load_archive(nx, t, v):
        from nnfs_xp.data import load_dataset

        np.savez(t.folder / "rows.npz", **v)
        load_dataset(t.folder / "rows.npz")

    def option(name: str) -> Program:
        def program(nx, t, v):
            from nnfs_xp.data import load_dataset

            load_dataset(table(t.folder), **{name: v})

        return program

    def rows(call, argument, good, bad, program):
        return cases_of(door, call, argument, good, bad, host=True, nnfs_xp=program)

    archive = {"x": np.arange(24.0).reshape(12, 2), "y": np.arange(12) % 2}
    return [
        *rows("load_dataset('rows.csv')", "rows.csv", TABLE, BAD_TABLES, load_table),
        *rows(
            "load_dataset('rows.npz')", "rows.npz", archive, BAD_ARCHIVES, load_archive
        ),
        *(
            case
            for name, good, bad in (
                ("task", "classification", ["no such", 3, ""]),
                ("missing", "drop", ["no such", 3, ""]),
                ("label", "label", ["no such", 7, -9, ""]),
                ("delimiter", ",", ["", ",,", "\n"]),
                ("seed", 1, [-1, 1.5, "1", None]),
                ("resize", None, [(2, 2)]),
            )
            for case in rows(
                f"load_dataset({name})", "no column" if name == "label" else name,
                good, bad, option(name),
            )
        ),
    ]  # fmt: skip


COMMANDS = {
    "train --data": ["mnist", "nowhere.csv", ""],
    "train --epochs": ["0", "-1", "many", "2.5"],
    "train --batch-size": ["0", "-3", "many"],
    "train --hidden": ["-5", "a", "8,b"],
    "train --lr": ["-1", "nan", "inf", "fast"],
    "train --seed": ["-1", "1.5", "x", str(2**64)],
    "train --dtype": ["float16", "int32"],
    "train --backend": ["tensorflow", ""],
    "train --device": ["gpu", "cuda:99"],
    "train --task": ["no such"],
    "train --label": ["no such", "17"],
    "train --delimiter": ["ab"],
    "train --missing": ["zero"],
    "train --checkpoint-every": ["0", "x"],
    "evaluate MODEL": ["nowhere", "rows.csv"],
    "evaluate DATA": ["nowhere", "digits"],
    "predict DATA": ["nowhere", "digits"],
    "parity --backends": ["numpy", "numpy,tensorflow"],
    "parity --rtol": ["-1", "x", "nan"],
}
# What the message says, where it is not the name of the option.
NAMED = {
    "train --data": "mnist|nowhere|data", "train --lr": "lr|learning_rate",
    "train --label": "no column", "train --device": "device",
    "evaluate MODEL": "nowhere|rows", "evaluate DATA": "nowhere|digits|features",
    "predict DATA": "nowhere|digits|features",
}  # fmt: skip
GOOD = {
    "--data": "rows.csv", "--hidden": "8", "--lr": "0.1", "--seed": "1",
    "--dtype": "float32", "--backend": "numpy", "--device": "cpu",
    "--task": "classification", "--label": "label", "--delimiter": ",",
    "--missing": "drop", "--backends": "numpy,array_api_strict", "--rtol": "0.1",
    "MODEL": "model.safetensors", "DATA": "rows.csv",
}  # fmt: skip


def of_commands() -> list[Case]:
    """Return the cases of the command line."""

    def program_of(command: str, name: str) -> Program:
        def program(nx, t, v):
            rows, out = t.folder / "rows.csv", t.folder / "out"
            rows.write_text(TABLE)
            own = {
                "--data": "rows.csv",
                "MODEL": "model.safetensors",
                "DATA": "rows.csv",
            }
            if command != "train":
                model = nx.Model(
                    [nx.Dense(2, 2), nx.Softmax()], loss="categorical_crossentropy"
                )
                model.save(t.folder / "model.safetensors")
            t.watch(t.folder)
            own[name] = v
            files = {
                key: str(t.folder / value) if value.endswith((".csv", "rs")) else value
                for key, value in own.items()
            }
            if command == "train":
                words = [
                    "--epochs",
                    "1",
                    "--hidden",
                    "8",
                    "--no-plot",
                    "--out",
                    str(out),
                ]
                words += ["--data", files["--data"]]
            else:
                words = [files["MODEL"], files["DATA"], "--scaling", "none"]
            if command != "parity" and name not in ("--backend", "--device"):
                words += ["--backend", t.be.name]
            if command == "parity" and name != "--backends":
                words += ["--backends", "numpy,array_api_strict"]
            if name.startswith("--") and name != "--data":
                words += [f"{name}={v}"]
            called(nx, [command, *words])

        return program

    def called(nx, words):
        from nnfs_xp.cli import main

        said = io.StringIO()
        with contextlib.redirect_stdout(said), contextlib.redirect_stderr(said):
            try:
                status = main(words)
            # argparse ends by itself.
            except SystemExit as end:
                status = end.code
        if status:
            raise ExitStatus(f"exit status {status}\n{said.getvalue()}")

    cases = []
    for call, bad in COMMANDS.items():
        command, name = call.split()
        argument = NAMED.get(call, name.lstrip("-").replace("-", "[-_]"))
        good = GOOD.get(name, "1")
        cases += cases_of(
            "Command line", call, argument, good, bad,
            nnfs_xp=program_of(command, name),
        )  # fmt: skip
    return cases
