"""Bad input of images, sequences, texts, batches, estimators and others' weights."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from benchmarks.bad_input import arrays
from benchmarks.bad_input.arguments import (
    COUNT,
    FLAG,
    LABELS,
    NAN,
    RATE,
    SHARE,
    keras_layer,
    perceptron,
    torch_layer,
)
from benchmarks.bad_input.arrays import our_model, placed, torch_model
from benchmarks.bad_input.trial import Case, Program, cases_of

IMAGES = np.random.default_rng(2).standard_normal((2, 6, 6, 1))
SEQUENCES = np.random.default_rng(3).standard_normal((2, 5, 4))
MASK = np.array([[1, 1, 1, 1, 0], [1, 1, 0, 0, 0]])
BAD_IMAGES = {
    "a single image without a batch axis": IMAGES[0],
    "no channels": IMAGES[..., 0],
    "channels first": IMAGES.transpose(0, 3, 1, 2),
    "two channels": np.concatenate([IMAGES, IMAGES], axis=-1),
    "images smaller than the window": IMAGES[:, :2],
    "one axis too many": IMAGES[..., None],
    "no images": IMAGES[:0],
    "no rows": IMAGES[:, :0],
    "complex numbers": IMAGES * 1j,
    "strings": IMAGES.astype(str),
}
BAD_SEQUENCES = {
    "one vector per sequence": SEQUENCES[:, 0],
    "one feature too few": SEQUENCES[..., :3],
    "one axis too many": SEQUENCES[..., None],
    "no positions": SEQUENCES[:, :0],
    "no sequences": SEQUENCES[:0],
    "complex numbers": SEQUENCES * 1j,
    "strings": SEQUENCES.astype(str),
}
BAD_MASKS = {
    "one position too few": MASK[:, :-1],
    "one position too many": np.ones((2, 6), int),
    "a different number of sequences": MASK[:1],
    "one value per sequence": MASK[:, 0],
    "one axis too many": MASK[..., None],
    "the number 2": MASK * 2,
    "the number -1": -MASK,
    "non-integers": MASK * 0.5,
}
# PyTorch's layers take a single image or sequence, and none of them.
ANY_BATCH = {
    "torch": ["a single image without a batch axis", "no images", "no sequences",
              "one vector per sequence"],
}  # fmt: skip
PADDING = [-1, 1.5, "full", None, True]


def images_and_sequences() -> list[Case]:
    """Return the cases of layers of images and of sequences."""
    door, first = "Images and sequences", IMAGES.transpose(0, 3, 1, 2)

    def made(make: Any) -> Program:
        return lambda nx, t, v: make(nx, v, t.be)

    def used(make: Any, x: Any = ...) -> Program:
        def program(nx, t, v):
            layer = t.watch(make(nx, t.be))
            given = v if x is ... else tuple(v if a is ... else a for a in x)
            several = isinstance(given, tuple)
            own = tuple(placed(t.be, a) for a in given) if several else None
            return t.be.to_numpy(layer.forward(own or placed(t.be, given)))

        return program

    def torch_used(make: Any, turn: Any = None) -> Program:
        def program(torch, t, v):
            x = np.moveaxis(v, -1, 1) if turn and np.ndim(v) == 4 else v
            x = torch.as_tensor(x)
            return make(torch)(x.float() if x.is_floating_point() else x)

        return program

    def attention(torch, n=2):
        return torch.nn.MultiheadAttention(4, n, batch_first=True)

    def torch_masked(torch, t, v):
        x = torch.as_tensor(SEQUENCES).float()
        mask = torch.as_tensor(v)
        return attention(torch)(x, x, x, key_padding_mask=mask == 0)[0]

    def keras_masked(keras, t, v):
        layer = keras.layers.MultiHeadAttention(2, 2)
        return keras.ops.convert_to_numpy(
            layer(SEQUENCES, SEQUENCES, key_mask=np.asarray(v).astype(bool))
        )

    convolution = {
        "n_filters": (3, COUNT, 1), "kernel_size": (3, COUNT, 2),
        "stride": (2, COUNT, 3), "dilation": (1, COUNT, 4),
    }  # fmt: skip
    of_torch = ("in_channels", "out_channels", "kernel_size", "stride", "dilation")
    of_keras = {
        "n_filters": "filters", "kernel_size": "kernel_size", "stride": "strides",
        "dilation": "dilation_rate",
    }  # fmt: skip
    good = {"n_channels": 1, "n_filters": 2, "kernel_size": 3}
    return [
        *(
            case
            for name, (value, bad, at) in convolution.items()
            for case in cases_of(
                door, f"Conv2D({name})", name, value, bad,
                nnfs_xp=made(
                    lambda nx, v, be, name=name: nx.Conv2D(
                        **{**good, name: v}, backend=be
                    )
                ),
                torch=torch_layer(
                    lambda torch, v, at=at: torch.nn.Conv2d(
                        **{"in_channels": 1, "out_channels": 2, "kernel_size": 3,
                           of_torch[at]: v}
                    ),
                    first,
                ),
                keras=keras_layer(
                    lambda keras, v, name=name: keras.layers.Conv2D(
                        **{"filters": 2, "kernel_size": 3, of_keras[name]: v}
                    ),
                    IMAGES,
                ),
            )
        ),
        *cases_of(
            door, "Conv2D(groups)", "groups", 1, [*COUNT, 3],
            nnfs_xp=made(
                lambda nx, v, be: nx.Conv2D(1, 2, 3, groups=v, backend=be)
            ),
            torch=torch_layer(
                lambda torch, v: torch.nn.Conv2d(1, 2, 3, groups=v), first
            ),
            keras=keras_layer(
                lambda keras, v: keras.layers.Conv2D(2, 3, groups=v), IMAGES
            ),
        ),
        *cases_of(
            door, "Conv2D(padding)", "padding", "same", PADDING,
            nnfs_xp=made(
                lambda nx, v, be: nx.Conv2D(1, 2, 3, padding=v, backend=be)
            ),
            torch=torch_layer(
                lambda torch, v: torch.nn.Conv2d(1, 2, 3, padding=v), first
            ),
            keras=keras_layer(
                lambda keras, v: keras.layers.Conv2D(2, 3, padding=v), IMAGES
            ),
        ),
        *cases_of(
            door, "MaxPool2D(size)", "size", 2, COUNT,
            nnfs_xp=made(lambda nx, v, be: nx.MaxPool2D(v, backend=be)),
            torch=torch_layer(lambda torch, v: torch.nn.MaxPool2d(v), first),
            keras=keras_layer(lambda keras, v: keras.layers.MaxPool2D(v), IMAGES),
        ),
        *cases_of(
            door, "Conv2D.forward(inputs)", "inputs", IMAGES, BAD_IMAGES,
            meant=ANY_BATCH,
            nnfs_xp=used(lambda nx, be: nx.Conv2D(1, 2, 3, backend=be)),
            torch=torch_used(lambda torch: torch.nn.Conv2d(1, 2, 3), turn=True),
        ),
        *cases_of(
            door, "MultiHeadAttention(n_heads)", "n_heads", 2, [*COUNT, 3],
            nnfs_xp=made(lambda nx, v, be: nx.MultiHeadAttention(4, v, backend=be)),
            torch=lambda torch, t, v: attention(torch, v)(
                *[torch.as_tensor(SEQUENCES).float()] * 3
            ),
            keras=lambda keras, t, v: keras.ops.convert_to_numpy(
                keras.layers.MultiHeadAttention(v, 2)(SEQUENCES, SEQUENCES)
            ),
            meant={"keras": ["3"]},
        ),
        *cases_of(
            door, "MultiHeadAttention.forward(inputs)", "inputs", SEQUENCES,
            BAD_SEQUENCES, meant=ANY_BATCH,
            nnfs_xp=used(lambda nx, be: nx.MultiHeadAttention(4, 2, backend=be)),
            torch=torch_used(
                lambda torch: lambda x: attention(torch)(x, x, x)[0]
            ),
        ),
        *cases_of(
            door, "MultiHeadAttention.forward(inputs), mask", "inputs", MASK,
            BAD_MASKS,
            nnfs_xp=used(
                lambda nx, be: nx.MultiHeadAttention(4, 2, masked=True, backend=be),
                (SEQUENCES, ...),
            ),
            torch=torch_masked, keras=keras_masked,
        ),
        *cases_of(
            door, "LSTM(n_units)", "n_units", 2, COUNT,
            nnfs_xp=made(lambda nx, v, be: nx.LSTM(4, v, backend=be)),
            torch=lambda torch, t, v: torch.nn.LSTM(4, v, batch_first=True)(
                torch.as_tensor(SEQUENCES).float()
            )[0],
            keras=keras_layer(lambda keras, v: keras.layers.LSTM(v), SEQUENCES),
        ),
        *cases_of(
            door, "LSTM.forward(inputs)", "inputs", SEQUENCES, BAD_SEQUENCES,
            meant=ANY_BATCH,
            nnfs_xp=used(lambda nx, be: nx.LSTM(4, 2, backend=be)),
            torch=torch_used(
                lambda torch: lambda x: torch.nn.LSTM(4, 2, batch_first=True)(x)[0]
            ),
        ),
    ]  # fmt: skip


class Batches:
    """Batches that can be gone through as often as needed."""

    def __init__(self, *batches: Any) -> None:
        self.batches = batches

    def __len__(self) -> int:
        return len(self.batches)

    def __iter__(self) -> Iterator[Any]:
        return iter(self.batches)


def batches() -> list[Case]:
    """Return the cases of batches given to `Model.fit`, and of tables."""
    x, y, weights = arrays.X, arrays.Y, arrays.WEIGHTS
    bad = {
        "no batches": Batches(),
        "features only": Batches(x),
        "a tuple of four arrays": Batches((x, y, weights, weights)),
        "None": Batches(None),
        "strings": Batches("ab"),
        "a dictionary": Batches({"x": x, "y": y}),
        "one column too few": Batches((x[:, :3], y)),
        "one label too few": Batches((x, y[:-1])),
        "a label that is too large": Batches((x, y + 1)),
        "NaN": Batches((x * NAN, y)),
        "no rows": Batches((x[:0], y[:0])),
        "a negative weight": Batches((x, y, -weights)),
        "one weight too few": Batches((x, y, weights[:-1])),
    }
    return [
        *cases_of(
            "Training data", "fit(x), batches", "x, batch 1|steps_per_epoch",
            Batches((x, y), (x, y)), bad, nnfs_xp=_fit_batches,
        ),
        *cases_of(
            "Training options", "fit(steps_per_epoch)", "steps_per_epoch", 1,
            [*COUNT[:-2], NAN], nnfs_xp=_fit_steps,
        ),
    ]  # fmt: skip


def _fit_batches(nx: Any, t: Any, v: Any) -> Any:
    return t.watch(our_model(nx, t.be)).fit(v)["loss"]


def _fit_steps(nx: Any, t: Any, v: Any) -> Any:
    model, own = t.watch(our_model(nx, t.be)), Batches((arrays.X, arrays.Y))
    return model.fit(own, steps_per_epoch=v)["loss"]


TEXT = "hello world, " * 40


def texts() -> list[Case]:
    """Return the cases of texts, and of what a network writes."""

    def load(name: str) -> Program:
        def program(nx, t, v):
            from nnfs_xp.data import load_text

            path = t.folder / "text.txt"
            path.write_text(TEXT)
            load_text(**{"name_or_path": path, "context": 8, name: v})

        return program

    def content(nx, t, v):
        from nnfs_xp.data import load_text

        path = t.folder / "text.txt"
        path.write_bytes(v)
        load_text(path, context=8)

    def write(name: str) -> Program:
        def program(nx, t, v):
            from nnfs_xp.data import Vocabulary, sample_text

            vocabulary = Vocabulary.of(TEXT)
            model = nx.Model([nx.Embedding(vocabulary.n_ids, vocabulary.n_ids)])
            model.metadata = {"vocabulary": vocabulary.to_dict(), "context": 8}
            t.watch(model)
            sample_text(**{"model": model, "prompt": "h", "length": 2, name: v})

        return program

    def rows(call, argument, good, bad, program):
        return cases_of("Text", call, argument, good, bad, host=True, nnfs_xp=program)

    return [
        *rows(
            "load_text('text.txt')", "text.txt", TEXT.encode(),
            {
                "an empty file": b"", "binary data": b"\xff" * 99,
                "a text shorter than the window": b"hello",
                "UTF-16": TEXT.encode("utf-16"),
            },
            content,
        ),
        *(
            case
            for name, good, bad in (
                ("context", 8, COUNT),
                ("by", "bytes", ["words", "", 3]),
                ("test_share", 0.1, [-0.1, 1.5, NAN, "0.1", True, None]),
                ("vocabulary", None, ["abc", 3, {}]),
            )
            for case in rows(f"load_text({name})", name, good, bad, load(name))
        ),
        *(
            case
            for name, good, bad in (
                ("prompt", "he", ["", "XYZ", 3, None, ["h"]]),
                ("length", 3, COUNT),
                ("temperature", 0.5, [v for v in RATE if v != [0.5]]),
                ("seed", 1, [-1, 2**64, 1.5, "1", True, None]),
            )
            for case in rows(f"sample_text({name})", name, good, bad, write(name))
        ),
    ]  # fmt: skip


def estimators() -> list[Case]:
    """Return the cases of estimators of scikit-learn, beside scikit-learn's own."""

    def ours(name: str) -> Program:
        def program(nx, t, v):
            from nnfs_xp.sklearn import MLPClassifier

            estimator = MLPClassifier(
                **{"hidden_layer_sizes": (4,), "max_iter": 2, "tol": None, name: v}
            )
            x = np.tile(arrays.X, (10, 1))
            t.watch(estimator).fit(x, np.tile(LABELS[[0, 1, 2, 1, 0, 2]], 10))
            return estimator.predict_proba(x)

        return program

    parameters = {
        "hidden_layer_sizes": ((4,), [0, (0,), -3, 2.5, "3", None]),
        "batch_size": (4, [0, -3, 2.5, "3", True]),
        "max_iter": (2, [*COUNT]),
        "n_iter_no_change": (2, [*COUNT]),
        "tol": (0.1, [-0.5, NAN, "0.5", True]),
        "shuffle": (True, FLAG),
        "early_stopping": (True, FLAG),
        "warm_start": (True, FLAG),
        "validation_fraction": (0.2, [*SHARE, 0]),
        "activation": ("relu", ["no such", "", 3, None]),
        "solver": ("adam", ["no such", "", 3, None]),
        "alpha": (0.1, RATE),
        "learning_rate_init": (0.1, RATE),
    }
    return [
        case
        for name, (good, bad) in parameters.items()
        for case in cases_of(
            "Estimators", f"MLPClassifier({name})", name, good, bad, host=True,
            nnfs_xp=ours(name), sklearn=perceptron(**{name: ...}),
        )
    ]  # fmt: skip


def weights() -> list[Case]:
    """Return the cases of weights that another library has made."""
    good = {
        "0.weight": np.ones((5, 4), "float32"), "0.bias": np.ones(5, "float32"),
        "2.weight": np.ones((3, 5), "float32"), "2.bias": np.ones(3, "float32"),
    }  # fmt: skip
    first = good["0.weight"]
    bad = {
        "an empty dict": {},
        "None": None,
        "a list": [1, 2],
        "a file name": "weights.pt",
        "one array too few": {k: v for k, v in good.items() if k != "2.bias"},
        "one array too many": {**good, "4.bias": first},
        "a different shape": {**good, "0.weight": first.T},
        "NaN": {**good, "0.weight": first * np.float32(NAN)},
        "1e300": {**good, "0.weight": np.full((5, 4), 1e300)},
        "complex numbers": {**good, "0.weight": first * 1j},
        "strings": {**good, "0.weight": "abc"},
    }

    def ours(nx, t, v):
        from nnfs_xp.weights import from_torch

        from_torch(t.watch(our_model(nx, t.be)), v)

    def theirs(torch, t, v):
        if isinstance(v, dict):
            # What is no array comes as it is.
            v = {
                k: torch.as_tensor(a) if isinstance(a, np.ndarray) else a
                for k, a in v.items()
            }
        model = t.watch(torch_model(torch))
        model.load_state_dict(v)
        return list(model.state_dict().values())

    return cases_of(
        "Weights from other libraries",
        "from_torch(source)", r"source|0\.weight", good, bad,
        nnfs_xp=ours, torch=theirs,
    )  # fmt: skip
