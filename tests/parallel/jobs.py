"""What the ranks of a test do: ``mpiexec -n 2 python -m tests.parallel.jobs NAME DIR``.

Each rank leaves what it found in DIR, as JSON.
"""

from __future__ import annotations

import json
import os
import resource
import signal
import sys
import time
from pathlib import Path

import numpy as np

from nnfs_xp import (
    L2,
    R2,
    SGD,
    Adam,
    BatchNorm,
    Callback,
    CategoricalCrossEntropy,
    ConfusionMatrix,
    Conv2D,
    Dense,
    Dropout,
    EarlyStopping,
    Embedding,
    Flatten,
    GaussianNoise,
    JSONLog,
    LearnedPositions,
    Linear,
    Model,
    RandomFlip,
    RandomTranslation,
    ReduceOnPlateau,
    ReLU,
    Softmax,
    TransformerBlock,
    parallel,
    to_numpy,
)

ROWS, CLASSES = 101, 3
# Bytes of gradients that are sent at once, so that each model here sends several.
SMALL = 300


def data(seed=0):
    random = np.random.default_rng(seed)
    x = random.normal(size=(ROWS, 8))
    return x, random.integers(0, CLASSES, ROWS), random.uniform(0.0, 2.0, ROWS)


def classifier(**options):
    layers = [
        Dense(8, 12, weight_regularizer=L2(1e-3)), ReLU(), Dropout(0.3),
        Dense(12, CLASSES), Softmax(),
    ]  # fmt: skip
    return Model(
        layers,
        loss=options.pop("loss", "categorical_crossentropy"),
        optimizer=options.pop("optimizer", None) or Adam(0.01, clip_norm=1.0),
        metrics=["accuracy", ConfusionMatrix(CLASSES)],
        dtype=options.pop("dtype", "float64"),
        **options,
    )


def with_batch_norm(synchronized=True, **options):
    layers = [
        Dense(8, 12, use_bias=False), BatchNorm(12, synchronized=synchronized), ReLU(),
        Dense(12, CLASSES), Softmax(),
    ]  # fmt: skip
    return Model(
        layers, loss="categorical_crossentropy", optimizer=SGD(0.1, momentum=0.9),
        dtype=options.pop("dtype", "float64"), **options,
    )  # fmt: skip


def regression(**options):
    return Model(
        [Dense(8, 12), ReLU(), Dense(12, 2), Linear()], loss="mean_squared_error",
        optimizer=SGD(0.05), metrics=["r2", R2(average="none", name="each")],
        dtype="float64", **options,
    )  # fmt: skip


def plain(ranks, **options):
    x, y, _ = data()
    model = classifier(**options)
    return model, trained(model, ranks, x, y, validation_data=(x[:30], y[:30]))


def weighted(ranks, **options):
    x, y, weight = data()
    weight[::4] = 0.0
    model = classifier(**options)
    return model, trained(model, ranks, x, y, sample_weight=weight)


def ignored(ranks, **options):
    """Labels of which most are ignored: of some batches no rank counts anything."""
    x, y, _ = data()
    loss = CategoricalCrossEntropy(ignore_index=0, class_weight="balanced")
    y[:] = np.where(np.arange(ROWS) % 7 == 0, y, 0)
    model = classifier(loss=loss, **options)
    model.set(metrics=["accuracy"])
    return model, trained(model, ranks, x, y, batch_size=5)


def summed(ranks):
    x, y, weight = data()
    loss = CategoricalCrossEntropy(reduction="sum")
    model = classifier(loss=loss, optimizer=SGD(0.01))
    return model, trained(model, ranks, x, y, sample_weight=weight)


def few(ranks):
    """Batches of fewer rows than ranks, so that some ranks have none."""
    x, y, _ = data()
    model = classifier()
    return model, trained(model, ranks, x[:7], y[:7], batch_size=2, epochs=2)


def few_normalized(ranks):
    x, y, _ = data()
    model = with_batch_norm()
    return model, trained(model, ranks, x[:11], y[:11], batch_size=3, epochs=2)


def normalized(ranks, **options):
    x, y, weight = data()
    model = with_batch_norm(**options)
    return model, trained(model, ranks, x, y, sample_weight=weight)


def several_figures(ranks):
    x, _, weight = data()
    y = np.stack([x[:, 0] + x[:, 1], x[:, 2] * x[:, 3]], axis=1)
    model = regression()
    return model, trained(
        model, ranks, x, y, sample_weight=weight, validation_data=(x[:50], y[:50])
    )


def accumulated(ranks, **options):
    x, y, _ = data()
    model = classifier(optimizer=Adam(0.01, accumulate=3, ema=0.9), **options)
    return model, trained(model, ranks, x, y)


def watched(ranks):
    x, y, _ = data()
    model = classifier(optimizer=SGD(0.5))
    callbacks = [
        ReduceOnPlateau("loss", patience=1, factor=0.5),
        EarlyStopping("loss", patience=3),
    ]
    return model, trained(model, ranks, x, y, epochs=12, callbacks=callbacks)


def pictures(ranks):
    """Pictures that are changed at random, each by numbers of its own."""
    x, y, _ = data()
    x = np.stack([x, x[:, ::-1]] * 4, axis=1)
    layers = [
        RandomFlip(), RandomTranslation(0.2, 0.2), GaussianNoise(0.1),
        Conv2D(1, 3, 3, padding="same", use_bias=False), BatchNorm(3), ReLU(),
        Flatten(), Dense(8 * 8 * 3, CLASSES), Softmax(),
    ]  # fmt: skip
    model = Model(
        layers, loss="categorical_crossentropy", optimizer=SGD(0.05), dtype="float64"
    )
    return model, trained(model, ranks, x[..., None], y, epochs=2)


def sequences(ranks):
    """Tokens, with dropout in the attention, and labels of which some are ignored."""
    random = np.random.default_rng(0)
    x = random.integers(0, 11, (ROWS, 6))
    y = np.where(random.random(x.shape) < 0.3, 0, np.roll(x, -1, axis=1))
    model = Model(
        [
            Embedding(11, 8), LearnedPositions(6, 8),
            TransformerBlock(8, 2, n_hidden=16, causal=True, dropout=0.2), Dense(8, 11),
        ],
        loss=CategoricalCrossEntropy(from_logits=True, ignore_index=0),
        optimizer=Adam(0.01), dtype="float64",
    )  # fmt: skip
    return model, trained(model, ranks, x, y, epochs=2)


TRAININGS = {
    job.__name__: job
    for job in (
        plain, weighted, ignored, summed, few, few_normalized, normalized,
        several_figures, accumulated, watched, pictures, sequences,
    )
}  # fmt: skip


def trained(model, ranks, x, y, epochs=4, batch_size=17, **options):
    """Train, with the rank's own rows if it is to have no others."""
    if ranks is not None and ranks.sharded:
        own = ranks.rows(len(x))
        x, y = x[own], y[own]
        if "sample_weight" in options:
            options["sample_weight"] = options["sample_weight"][own]
        if "validation_data" in options:
            x_own, y_own = options["validation_data"]
            own = ranks.rows(len(x_own))
            options["validation_data"] = x_own[own], y_own[own]
    return model.fit(
        x, y, epochs=epochs, batch_size=batch_size, parallel=ranks, **options
    )


def found(model, history):
    """Return what all ranks must agree on, as JSON can hold it."""
    times = ("seconds", "samples_per_second")
    records = [
        {k: v for k, v in record.items() if k not in times} for record in history.epochs
    ]
    values = {**model.parameters, **model.buffers}
    return {
        "records": records,
        "values": {path: to_numpy(a).tolist() for path, a in values.items()},
    }


# Jobs of all ranks.


def equal(ranks, folder):
    """Take every training with whole data and with the rank's own rows alone."""
    own = parallel.mpi(sharded=True, timeout=20, bucket_bytes=SMALL)
    results = {}
    for name, training in TRAININGS.items():
        results[name] = found(*training(ranks))
        if ranks.size > 1:
            results[f"{name}, sharded"] = found(*training(own))
    return results


def quick(ranks, folder):
    """Train with all gradients in one message, and in several that overlap."""
    parts = type(ranks)(timeout=20, bucket_bytes=SMALL)
    # The largest bucket then takes more messages than are sent at once.
    parts.message_bytes = SMALL / 3
    results = {}
    for name in ("plain", "normalized"):
        results[name] = found(*TRAININGS[name](ranks))
        before = parts.calls
        results[f"{name}, in parts"] = found(*TRAININGS[name](parts))
        results[f"{name}, calls"] = parts.calls - before
    return results


def compressed(ranks, folder):
    """Send bfloat16: add up arrays, and train."""
    short = type(ranks)(timeout=20, compress="bfloat16", bucket_bytes=SMALL)
    arrays = np.random.default_rng(0).normal(size=(ranks.size, 1001))
    arrays *= 10.0 ** np.linspace(-30, 30, 1001)
    sums = []
    for dtype in ("float32", "float64"):
        own, other = (arrays[ranks.rank].astype(dtype) for _ in range(2))
        other[:3] = np.nan, np.inf, 1.0
        volume = short.volume
        short.begin_sum(own)
        volume = short.volume - volume
        short.begin_sum(other)
        short.end_sums([])
        sums.append([own.tolist(), np.isfinite(other[:3]).tolist(), volume])
    return {"sums": sums, "trained": found(*plain(short))}


def mapped(ranks, folder):
    """Train on rows of a file, with less memory than a quarter of it."""
    rows = np.load(folder / "x.npy", mmap_mode="r")
    y = np.load(folder / "y.npy", mmap_mode="r")
    own = parallel.mpi(sharded=True, timeout=60)
    model = Model(
        [Dense(rows.shape[1], 4), Softmax()], loss="categorical_crossentropy",
        optimizer=SGD(0.1),
    )  # fmt: skip
    part = own.rows(len(rows))
    # Once, so that all is loaded that a training needs.
    model.fit(np.ones((256, rows.shape[1]), "float32"), np.zeros(256, "int64"))
    with open("/proc/self/statm") as file:
        used = int(file.read().split()[5]) * resource.getpagesize()
    allowed = rows.nbytes // 4
    resource.setrlimit(resource.RLIMIT_DATA, (used + allowed, used + allowed))
    try:
        np.ones(rows.shape, "float32")
    except MemoryError:
        limited = True
    history = model.fit(rows[part], y[part], batch_size=256, parallel=own)
    return {"loss": history["loss"], "limited": limited}


def of_rank(ranks, folder):
    model, history = normalized(ranks, synchronized=False)
    return found(model, history)


def backends(ranks, folder):
    return {
        name: found(*plain(ranks, backend=name))
        for name in ("torch", "jax", "array_api_strict")
    }


def devices(ranks, folder):
    """Compute on CUDA devices, each rank on one of its own if there are enough."""
    import cupy

    device = f"cuda:{ranks.rank % cupy.cuda.runtime.getDeviceCount()}"
    where = {"backend": "cupy", "device": device}
    return {name: found(*TRAININGS[name](ranks, **where)) for name in ("plain",)}


def host_devices(ranks, folder):
    """Compute with JAX, each rank on a device of its own and then on the other one."""
    import jax

    results = {}
    for shift in range(2):
        device = f"cpu:{(ranks.rank + shift) % jax.local_device_count('cpu')}"
        model, history = plain(ranks, backend="jax", device=device)
        places = {str(one) for one in model.parameters["0.weights"].devices()}
        results[f"device {shift}"] = found(model, history)
        results[f"places {shift}"] = ranks.exchange(sorted(places))
    return results


def files(ranks, folder):
    """Write files and lines, of which there must be one each."""
    x, y, _ = data()
    log = JSONLog(folder / "log.jsonl")
    model = classifier()
    trained(
        model, ranks, x, y, verbose=True, callbacks=log, checkpoint=folder / "run.st"
    )
    return {"seen": (folder / "run.st").exists()}


class Trouble(Callback):
    """Does something to one rank, in the middle of an epoch."""

    def __init__(self, rank, does):
        self.rank, self.does = rank, does

    def on_batch_end(self, event):
        if event.epoch == 2 and event.batch == 3 and self.rank == 1:
            self.does()


def in_trouble(ranks, does, **options):
    x, y, _ = data()
    model = classifier()
    try:
        trained(model, ranks, x, y, callbacks=Trouble(ranks.rank, does), **options)
    except BaseException as error:
        return {
            "type": type(error).__name__,
            "text": str(error),
            "rank": getattr(error, "rank", None),
            "epochs": model.epochs_trained,
            "steps": model.steps_trained,
        }
    return {"type": None}


def raises(ranks, folder):
    def does():
        raise OSError("the disk is full")

    return in_trouble(ranks, does)


def hangs(ranks, folder):
    return in_trouble(ranks, lambda: time.sleep(60))


def stops(ranks, folder):
    return in_trouble(ranks, lambda: os.kill(os.getpid(), signal.SIGSTOP))


def dies(ranks, folder):
    return in_trouble(ranks, lambda: os.kill(os.getpid(), signal.SIGKILL))


def interrupted(ranks, folder):
    result = in_trouble(
        ranks,
        lambda: os.kill(os.getpid(), signal.SIGTERM),
        checkpoint=folder / "run.st",
    )
    x, y, _ = data()
    model = classifier()
    history = trained(model, ranks, x, y, checkpoint=folder / "run.st", resume=True)
    return {"ended": result, "resumed": found(model, history)}


class Slowly(Callback):
    """Takes its time, so that there is some in which to be killed."""

    def on_batch_end(self, event):
        time.sleep(0.02)


def slowly(ranks, folder, callback=Slowly):
    """Train with a checkpoint, from where it stands."""
    (folder / f"process-{ranks.rank}").write_text(str(os.getpid()))
    x, y, _ = data()
    model = with_batch_norm()
    history = trained(
        model, ranks, x, y, epochs=10, callbacks=callback and callback(),
        checkpoint=folder / "run.st", resume=True,
    )  # fmt: skip
    return found(model, history)


def quickly(ranks, folder):
    """Go on with the same training."""
    return slowly(ranks, folder, callback=None)


def differs(ranks, folder):
    x, y, _ = data()
    model = classifier()

    def does():
        model.layers[0].weights = np.ones((8, 12))

    callbacks = Trouble(ranks.rank, does)
    try:
        trained(model, ranks, x, y, callbacks=callbacks)
    except Exception as error:
        return {
            "type": type(error).__name__,
            "text": str(error),
            "epoch": model.epochs_trained,
        }
    return {}


def mismatched(ranks, folder):
    """Give ranks arguments that do not fit each other, one after the other."""
    x, y, _ = data()
    first = ranks.is_first
    own = parallel.mpi(sharded=True, timeout=20)
    odd = parallel.mpi(timeout=20, bucket_bytes=SMALL + ranks.rank)
    tries = {
        "batch_size": lambda: trained(
            classifier(), ranks, x, y, batch_size=17 if first else 18
        ),
        "seed": lambda: trained(classifier(seed=ranks.rank), ranks, x, y),
        "data": lambda: trained(classifier(), ranks, x + ranks.rank, y),
        "samples": lambda: trained(classifier(), ranks, x[: 90 + ranks.rank], y),
        "model": lambda: trained(
            classifier(optimizer=SGD(0.1) if first else Adam()), ranks, x, y
        ),
        "overlap": lambda: trained(classifier(), odd, x, y),
        "split": lambda: trained(classifier(), own, x, y, validation_split=0.2),
        # After all of this they still can train together.
        "good": lambda: results.update(trained=found(*plain(ranks))),
        "nan": lambda: trained(classifier(), ranks, np.where(first, x, np.nan), y),
    }
    results: dict = {}
    for name, attempt in tries.items():
        try:
            attempt()
        except Exception as error:
            results[name] = f"{type(error).__name__}: {error}"
    return results


def diverges(ranks, folder):
    x, y, _ = data()
    model = classifier(optimizer=SGD(1e200))
    try:
        trained(model, ranks, x, y)
    except Exception as error:
        return {"type": type(error).__name__, "epoch": error.epoch}
    return {}


def main(name, folder, timeout="20", kind="mpi"):
    ranks = getattr(parallel, kind)(timeout=float(timeout))
    folder = Path(folder)
    result = globals()[name](ranks, folder)
    (folder / f"rank-{ranks.rank}.json").write_text(json.dumps(result))


if __name__ == "__main__":
    main(*sys.argv[1:])
