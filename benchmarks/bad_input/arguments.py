"""Bad arguments of layers, losses, optimizers, schedules and metrics."""

from __future__ import annotations

from typing import Any

import numpy as np

from benchmarks.bad_input.trial import Case, Program, cases_of

NAN, INF = float("nan"), float("inf")
COUNT = [0, -3, 2.5, "3", True, None, NAN]
RATE = [-0.5, NAN, INF, "0.5", True, None, [0.5]]
POSITIVE, SHARE, DECAY = [*RATE, 0], [*RATE, 1.5], [*RATE, 1.0]
NUMBER = [NAN, INF, "0.5", True, None, [0.5], 1j]
FLAG = ["False", "no", None, 1]
WORD = ["no such", "", 3, "MEAN"]

X = np.array([[0.1, -0.2, 0.3], [0.4, 0.5, -0.6], [-0.7, 0.8, 0.9], [0.3, 0.2, 0.1]])
LABELS = np.array([0, 1, 2, 1])
ROWS = np.eye(3)[LABELS]
PROBABILITIES = np.full((4, 3), 0.2) + 0.4 * ROWS
COLUMN, BITS = X[:, :1], np.array([[0.0], [1.0], [1.0], [0.0]])


# Programs of one kind of unit, given how the unit is made of the value.


def torch_layer(make: Any, x: Any = X) -> Program:
    def program(torch, t, v):
        x_ = torch.as_tensor(x)
        layer = make(torch, v)
        return layer(x_.float() if x_.is_floating_point() else x_)

    return program


def keras_layer(make: Any, x: Any = X) -> Program:
    return lambda keras, t, v: keras.ops.convert_to_numpy(
        make(keras, v)(x, training=True)
    )


def torch_loss(make: Any, y_pred: Any, y_true: Any) -> Program:
    def program(torch, t, v):
        p = torch.tensor(y_pred, dtype=torch.float32, requires_grad=True)
        y = torch.as_tensor(y_true)
        y = y.float() if y.is_floating_point() else y
        loss = make(torch, v)(p, y)
        loss.sum().backward()
        return loss, p.grad

    return program


def keras_loss(make: Any, y_pred: Any, y_true: Any) -> Program:
    def program(keras, t, v):
        return keras.ops.convert_to_numpy(make(keras, v)(y_true, y_pred))

    return program


def our_optimizer(make: Any) -> Program:
    def program(nx, t, v):
        model = nx.Model([nx.Dense(3, 2)], loss="mean_squared_error", backend=t.be)
        t.watch(model).set(optimizer=make(nx, v))

    return program


def torch_optimizer(make: Any) -> Program:
    def program(torch, t, v):
        layer = t.watch(torch.nn.Linear(3, 2))
        optimizer = make(torch, list(layer.parameters()), v)
        layer(torch.as_tensor(X).float()).sum().backward()
        optimizer.step()

    return program


def torch_schedule(make: Any) -> Program:
    def program(torch, t, v):
        optimizer = torch.optim.SGD(torch.nn.Linear(3, 2).parameters(), lr=0.1)
        schedule = make(torch, optimizer, v)
        rates = []
        for _ in range(3):
            optimizer.step()
            schedule.step()
            rates += map(float, schedule.get_last_lr())
        return rates

    return program


def keras_optimizer(make: Any) -> Program:
    def program(keras, t, v):
        variable = keras.Variable(np.ones(3))
        make(keras, v).apply([keras.ops.ones(3)], [variable])
        return keras.ops.convert_to_numpy(variable)

    return program


def keras_schedule(make: Any) -> Program:
    return lambda keras, t, v: [float(make(keras, v)(step)) for step in range(3)]


def perceptron(**options: Any) -> Program:
    """Fit scikit-learn's network, with the value where `options` has `...`."""

    def program(sklearn, t, v):
        own = {k: v if given is ... else given for k, given in options.items()}
        network = sklearn.neural_network.MLPClassifier(
            **{"max_iter": 2, "hidden_layer_sizes": (4,), **own}
        )
        network.fit(np.tile(X, (10, 1)), np.tile(LABELS, 10))
        return network.coefs_, network.predict_proba(X)

    return program


def keras_metric(make: Any, y_true: Any, y_pred: Any) -> Program:
    def program(keras, t, v):
        metric = make(keras, v)
        metric.update_state(y_true, y_pred)
        return keras.ops.convert_to_numpy(metric.result())

    return program


def layers() -> list[Case]:
    """Return the cases of layers and of what belongs to them."""

    def rows(
        call, argument, good, bad, ours, torch=None, keras=None, sklearn=None, **meant
    ):
        return cases_of(
            "Layers", call, argument, good, bad, **meant,
            nnfs_xp=lambda nx, t, v: ours(nx, v, t.be),
            torch=torch and torch_layer(torch), keras=keras and keras_layer(keras),
            sklearn=sklearn,
        )  # fmt: skip

    return [
        *rows(
            "Dense(n_inputs)", "n_inputs", 3, COUNT,
            lambda nx, v, be: nx.Dense(v, 2, backend=be),
            torch=lambda torch, v: torch.nn.Linear(v, 2),
        ),
        *rows(
            "Dense(n_neurons)", "n_neurons", 3, COUNT,
            lambda nx, v, be: nx.Dense(3, v, backend=be),
            torch=lambda torch, v: torch.nn.Linear(3, v),
            keras=lambda keras, v: keras.layers.Dense(v),
            sklearn=perceptron_of_one_layer,
        ),
        *rows(
            "Dense(use_bias)", "use_bias", True, FLAG,
            lambda nx, v, be: nx.Dense(3, 2, use_bias=v, backend=be),
            torch=lambda torch, v: torch.nn.Linear(3, 2, bias=v),
            keras=lambda keras, v: keras.layers.Dense(2, use_bias=v),
        ),
        *rows(
            "Dense(weight_initializer)", "weight_initializer", "zeros",
            ["no such", 3, [], True, {"class": "NoSuch"}],
            lambda nx, v, be: nx.Dense(
                3, 2, weight_initializer=nx.Zeros() if v == "zeros" else v, backend=be
            ),
            keras=lambda keras, v: keras.layers.Dense(2, kernel_initializer=v),
        ),
        *rows(
            "Dense(weight_regularizer)", "weight_regularizer", None,
            ["no such", 3, [], True, {"class": "NoSuch"}],
            lambda nx, v, be: nx.Dense(3, 2, weight_regularizer=v, backend=be),
            keras=lambda keras, v: keras.layers.Dense(2, kernel_regularizer=v),
        ),
        *rows(
            "L2(l2)", "l2", 0.1, RATE,
            lambda nx, v, be: nx.Dense(3, 2, weight_regularizer=nx.L2(v), backend=be),
            keras=lambda keras, v: keras.layers.Dense(
                2, kernel_regularizer=keras.regularizers.L2(v)
            ),
            sklearn=perceptron(alpha=...),
        ),
        *rows(
            "Dropout(rate)", "rate", 0.5, SHARE,
            lambda nx, v, be: nx.Dropout(v, backend=be),
            torch=lambda torch, v: torch.nn.Dropout(v),
            keras=lambda keras, v: keras.layers.Dropout(v),
        ),
        *rows(
            "BatchNorm(n)", r"\bn\b", 3, COUNT,
            lambda nx, v, be: nx.BatchNorm(v, backend=be),
            torch=lambda torch, v: torch.nn.BatchNorm1d(v),
        ),
        *rows(
            "BatchNorm(eps)", "eps", 1e-5, POSITIVE,
            lambda nx, v, be: nx.BatchNorm(3, eps=v, backend=be),
            torch=lambda torch, v: torch.nn.BatchNorm1d(3, eps=v),
            keras=lambda keras, v: keras.layers.BatchNormalization(epsilon=v),
        ),
        *rows(
            "BatchNorm(momentum)", "momentum", 0.9, DECAY,
            lambda nx, v, be: nx.BatchNorm(3, momentum=v, backend=be),
            torch=lambda torch, v: torch.nn.BatchNorm1d(3, momentum=v),
            keras=lambda keras, v: keras.layers.BatchNormalization(momentum=v),
            # An average over all batches, and no average at all.
            meant={"torch": ["None", "1.0"]},
        ),
        *rows(
            "LayerNorm(n)", r"\bn\b", 3, COUNT,
            lambda nx, v, be: nx.LayerNorm(v, backend=be),
            torch=lambda torch, v: torch.nn.LayerNorm(v),
        ),
        *rows(
            "LayerNorm(eps)", "eps", 1e-5, POSITIVE,
            lambda nx, v, be: nx.LayerNorm(3, eps=v, backend=be),
            torch=lambda torch, v: torch.nn.LayerNorm(3, eps=v),
            keras=lambda keras, v: keras.layers.LayerNormalization(epsilon=v),
        ),
        *(
            case
            for argument, make in (("n_ids", (0, 1)), ("n_outputs", (1, 0)))
            for case in cases_of(
                "Layers", f"Embedding({argument})", argument, 3, COUNT,
                nnfs_xp=lambda nx, t, v, make=make: nx.Embedding(
                    *(v if i == 0 else 3 for i in make), backend=t.be
                ),
                torch=torch_layer(
                    lambda torch, v, make=make: torch.nn.Embedding(
                        *(v if i == 0 else 3 for i in make)
                    ),
                    LABELS,
                ),
                keras=keras_layer(
                    lambda keras, v, make=make: keras.layers.Embedding(
                        *(v if i == 0 else 3 for i in make)
                    ),
                    LABELS,
                ),
            )
        ),
        *rows(
            "LeakyReLU(negative_slope)", "negative_slope", 0.1, NUMBER,
            lambda nx, v, be: nx.LeakyReLU(v, backend=be),
            torch=lambda torch, v: torch.nn.LeakyReLU(v),
            keras=lambda keras, v: keras.layers.LeakyReLU(negative_slope=v),
        ),
        *rows(
            "ELU(alpha)", "alpha", 1.0, NUMBER,
            lambda nx, v, be: nx.ELU(v, backend=be),
            torch=lambda torch, v: torch.nn.ELU(v),
            keras=lambda keras, v: keras.layers.ELU(alpha=v),
        ),
        *cases_of(
            "Layers", "Concatenate(axis)", "axis", 1, ["1", 1.5, None, True],
            nnfs_xp=lambda nx, t, v: nx.Concatenate(axis=v, backend=t.be),
            torch=lambda torch, t, v: torch.cat([torch.ones(3, 2)] * 2, dim=v),
            keras=lambda keras, t, v: keras.ops.convert_to_numpy(
                keras.layers.Concatenate(axis=v)([np.ones((3, 2))] * 2)
            ),
        ),
        *rows(
            "Reshape(shape)", "shape", (3, 1),
            [(0, 2), (-1, -1), (2.0,), "2", None, True, -2],
            lambda nx, v, be: nx.Reshape(v, backend=be),
            torch=lambda torch, v: torch.nn.Unflatten(1, v),
            keras=lambda keras, v: keras.layers.Reshape(v),
        ),
        *rows(
            "Residual(inner)", "inner", "good", ["no such", 3, [], True, None],
            lambda nx, v, be: nx.Residual(nx.ReLU() if v == "good" else v),
        ),
    ]  # fmt: skip


def perceptron_of_one_layer(sklearn, t, v):
    return perceptron(hidden_layer_sizes=...)(sklearn, t, (v,))


def losses() -> list[Case]:
    """Return the cases of losses."""

    def rows(call, argument, good, bad, ours, arrays, torch=None, keras=None, **rest):
        y_pred, y_true = arrays
        return cases_of(
            "Losses", call, argument, good, bad,
            nnfs_xp=lambda nx, t, v: ours(nx, v, t.be).calculate(
                t.be.asarray(y_pred, t.be.dtype), t.be.asarray(y_true)
            ),
            torch=torch and torch_loss(torch, y_pred, rest.pop("torch_y", y_true)),
            keras=keras and keras_loss(keras, y_pred, y_true),
            sklearn=rest.get("sklearn"),
        )  # fmt: skip

    classes, rows_of_classes = (PROBABILITIES, LABELS), (PROBABILITIES, ROWS)
    numbers, bits = (COLUMN, COLUMN + 0.5), (BITS * 0.5 + 0.2, BITS)
    return [
        *(
            case
            for name, other, arrays in (
                ("MeanSquaredError", "MSELoss", numbers),
                ("MeanAbsoluteError", "L1Loss", numbers),
                ("SoftmaxCrossEntropy", "CrossEntropyLoss", classes),
            )
            for case in rows(
                f"{name}(reduction)", "reduction", "sum", [*WORD, "average"],
                lambda nx, v, be, name=name: getattr(nx, name)(reduction=v, backend=be),
                arrays,
                torch=lambda torch, v, other=other: getattr(torch.nn, other)(
                    reduction=v
                ),
                keras=lambda keras, v, name=name: getattr(
                    keras.losses, name.replace(
                        "SoftmaxCrossEntropy", "SparseCategoricalCrossentropy"
                    )
                )(reduction=v),
            )
        ),
        *rows(
            "Huber(delta)", "delta", 1.0, POSITIVE,
            lambda nx, v, be: nx.Huber(v, backend=be), numbers,
            torch=lambda torch, v: torch.nn.HuberLoss(delta=v),
            keras=lambda keras, v: keras.losses.Huber(delta=v),
        ),
        *rows(
            "SoftmaxCrossEntropy(label_smoothing)", "label_smoothing", 0.1, DECAY,
            lambda nx, v, be: nx.SoftmaxCrossEntropy(label_smoothing=v, backend=be),
            rows_of_classes,
            torch=lambda torch, v: torch.nn.CrossEntropyLoss(label_smoothing=v),
            keras=lambda keras, v: keras.losses.CategoricalCrossentropy(
                from_logits=True, label_smoothing=v
            ),
        ),
        *rows(
            "SoftmaxCrossEntropy(class_weight)", "class_weight", [1.0, 2.0, 1.0],
            [
                [-1.0, 1.0, 1.0], [NAN, 1.0, 1.0], [INF, 1.0, 1.0], [1.0, 1.0], [],
                ["1", "1", "1"], "even", 2.0, [True, False, True],
            ],
            lambda nx, v, be: nx.SoftmaxCrossEntropy(class_weight=v, backend=be),
            classes,
            torch=lambda torch, v: torch.nn.CrossEntropyLoss(weight=torch.tensor(v)),
        ),
        *rows(
            "SoftmaxCrossEntropy(ignore_index)", "ignore_index", -100,
            [1.0, "1", True, 2**31, [1]],
            lambda nx, v, be: nx.SoftmaxCrossEntropy(ignore_index=v, backend=be),
            classes,
            torch=lambda torch, v: torch.nn.CrossEntropyLoss(ignore_index=v),
            keras=lambda keras, v: keras.losses.SparseCategoricalCrossentropy(
                ignore_class=v
            ),
        ),
        *rows(
            "BinaryCrossEntropy(from_logits)", "from_logits", False, FLAG,
            lambda nx, v, be: nx.BinaryCrossEntropy(from_logits=v, backend=be), bits,
            keras=lambda keras, v: keras.losses.BinaryCrossentropy(from_logits=v),
        ),
        *rows(
            "BinaryCrossEntropy(pos_weight)", "pos_weight", 2.0,
            [-1.0, NAN, INF, "2", True, [1.0, 2.0]],
            lambda nx, v, be: nx.BinaryCrossEntropy(
                from_logits=True, pos_weight=v, backend=be
            ),
            bits,
            torch=lambda torch, v: torch.nn.BCEWithLogitsLoss(
                pos_weight=torch.tensor(v)
            ),
        ),
    ]  # fmt: skip


def optimizers() -> list[Case]:
    """Return the cases of optimizers."""

    def rows(name, argument, good, bad, torch=None, keras=None, sklearn=None, **fixed):
        def make_keras(k, v):
            return getattr(k.optimizers, name)(**{keras: v}, **fixed)

        return cases_of(
            "Optimizers", f"{name}({argument})", argument, good, bad,
            nnfs_xp=our_optimizer(
                lambda nx, v: getattr(nx, name)(**{argument: v}, **fixed)
            ),
            torch=torch and torch_optimizer(torch),
            keras=keras and keras_optimizer(make_keras),
            sklearn=sklearn,
        )  # fmt: skip

    def of_torch(name, argument, **fixed):
        fixed = {"lr": 0.1, **fixed}
        return lambda torch, parameters, v: getattr(torch.optim, name)(
            parameters, **{**fixed, argument: v}
        )

    def clipped(name):
        def make(torch, parameters, v):
            class Clipped(torch.optim.SGD):
                def step(self):
                    getattr(torch.nn.utils, name)(parameters, v)
                    super().step()

            return Clipped(parameters, lr=0.1)

        return make

    def beta(place):
        def make(torch, parameters, v):
            betas = [0.9, 0.999]
            betas[place] = v
            return torch.optim.Adam(parameters, betas=tuple(betas))

        return make

    rate = [*RATE, "fast"]
    return [
        *rows(
            "SGD", "learning_rate", 0.1, rate, of_torch("SGD", "lr"), "learning_rate",
            perceptron(solver="sgd", learning_rate_init=...),
        ),
        *rows(
            "SGD", "momentum", 0.5, DECAY, of_torch("SGD", "momentum"), "momentum",
            perceptron(solver="sgd", momentum=...),
        ),
        *rows(
            "SGD", "nesterov", True, FLAG,
            of_torch("SGD", "nesterov", momentum=0.5), "nesterov",
            perceptron(solver="sgd", nesterovs_momentum=...),
            momentum=0.5,
        ),
        *rows(
            "SGD", "clip_value", 1.0, [v for v in POSITIVE if v is not None],
            clipped("clip_grad_value_"),
        ),
        *rows(
            "SGD", "clip_norm", 1.0, [v for v in POSITIVE if v is not None],
            clipped("clip_grad_norm_"),
        ),
        *rows("SGD", "decay", 0.1, RATE),
        *rows(
            "Adam", "learning_rate", 0.1, rate, of_torch("Adam", "lr"),
            "learning_rate", perceptron(learning_rate_init=...),
        ),
        *rows("Adam", "beta_1", 0.9, DECAY, beta(0), "beta_1", perceptron(beta_1=...)),
        *rows("Adam", "beta_2", 0.9, DECAY, beta(1), "beta_2", perceptron(beta_2=...)),
        *rows(
            "Adam", "epsilon", 1e-7, RATE, of_torch("Adam", "eps"), "epsilon",
            perceptron(epsilon=...),
        ),
        *rows(
            "AdamW", "weight_decay", 0.1, RATE, of_torch("AdamW", "weight_decay"),
            "weight_decay",
        ),
        *rows("RMSprop", "rho", 0.9, DECAY, of_torch("RMSprop", "alpha"), "rho"),
        *rows("Adagrad", "epsilon", 1e-7, RATE, of_torch("Adagrad", "eps"), "epsilon"),
    ]  # fmt: skip


def schedules() -> list[Case]:
    """Return the cases of schedules."""

    def rows(call, argument, good, bad, ours, torch=None, keras=None, **meant):
        return cases_of(
            "Schedules", call, argument, good, bad, **meant,
            nnfs_xp=our_optimizer(lambda nx, v: nx.SGD(ours(nx, v))),
            torch=torch and torch_schedule(torch),
            keras=keras and keras_schedule(keras),
        )  # fmt: skip

    return [
        *rows(
            "StepDecay(initial)", "initial", 0.1, RATE,
            lambda nx, v: nx.StepDecay(v, 0.5, 2),
            keras=lambda keras, v: keras.optimizers.schedules.ExponentialDecay(
                v, 2, 0.5, staircase=True
            ),
        ),
        *rows(
            "StepDecay(factor)", "factor", 0.5, [*SHARE, 0],
            lambda nx, v: nx.StepDecay(0.1, v, 2),
            lambda torch, o, v: torch.optim.lr_scheduler.StepLR(o, 2, v),
            lambda keras, v: keras.optimizers.schedules.ExponentialDecay(
                0.1, 2, v, staircase=True
            ),
            meant={key: ["1.5", "0"] for key in ("torch", "keras")},
        ),
        *rows(
            "StepDecay(every)", "every", 2, COUNT,
            lambda nx, v: nx.StepDecay(0.1, 0.5, v),
            lambda torch, o, v: torch.optim.lr_scheduler.StepLR(o, v, 0.5),
            lambda keras, v: keras.optimizers.schedules.ExponentialDecay(
                0.1, v, 0.5, staircase=True
            ),
        ),
        *rows(
            "CosineDecay(steps)", "steps", 5, COUNT,
            lambda nx, v: nx.CosineDecay(0.1, v),
            lambda torch, o, v: torch.optim.lr_scheduler.CosineAnnealingLR(o, v),
            lambda keras, v: keras.optimizers.schedules.CosineDecay(0.1, v),
        ),
        *rows(
            "CosineDecay(final)", "final", 0.01, RATE,
            lambda nx, v: nx.CosineDecay(0.1, 5, final=v),
            lambda torch, o, v: torch.optim.lr_scheduler.CosineAnnealingLR(o, 5, v),
            lambda keras, v: keras.optimizers.schedules.CosineDecay(0.1, 5, v),
        ),
        *rows(
            "WarmUp(steps)", "steps", 5, COUNT, lambda nx, v: nx.WarmUp(v, 0.1),
            lambda torch, o, v: torch.optim.lr_scheduler.LinearLR(o, total_iters=v),
            lambda keras, v: keras.optimizers.schedules.CosineDecay(
                0.0, 5, warmup_target=0.1, warmup_steps=v
            ),
        ),
    ]  # fmt: skip


def metrics() -> list[Case]:
    """Return the cases of metrics."""

    def rows(call, argument, good, bad, ours, arrays, keras=None, sklearn=None):
        y_pred, y_true = arrays
        return cases_of(
            "Metrics", call, argument, good, bad,
            nnfs_xp=lambda nx, t, v: ours(nx, v, t.be).calculate(
                t.be.asarray(y_pred, t.be.dtype), t.be.asarray(y_true)
            ),
            keras=keras and keras_metric(keras, y_true, y_pred),
            sklearn=sklearn,
        )  # fmt: skip

    classes, bits, numbers = (PROBABILITIES, LABELS), (BITS, BITS), (X, X + 0.5)
    guesses = PROBABILITIES.argmax(1)
    return [
        *rows(
            "TopKAccuracy(k)", r"\bk\b", 2, COUNT,
            lambda nx, v, be: nx.TopKAccuracy(v, backend=be), classes,
            lambda keras, v: keras.metrics.SparseTopKCategoricalAccuracy(k=v),
            lambda sklearn, t, v: sklearn.metrics.top_k_accuracy_score(
                LABELS, PROBABILITIES, k=v
            ),
        ),
        *rows(
            "F1(average)", "average", "macro", WORD,
            lambda nx, v, be: nx.F1(average=v, backend=be), classes,
            sklearn=lambda sklearn, t, v: sklearn.metrics.f1_score(
                LABELS, guesses, average=v
            ),
        ),
        *rows(
            "BinaryAccuracy(threshold)", "threshold", 0.5, NUMBER,
            lambda nx, v, be: nx.BinaryAccuracy(v, backend=be), bits,
            lambda keras, v: keras.metrics.BinaryAccuracy(threshold=v),
        ),
        *rows(
            "R2(average)", "average", "uniform", WORD,
            lambda nx, v, be: nx.R2(average=v, backend=be), numbers,
            sklearn=lambda sklearn, t, v: sklearn.metrics.r2_score(
                X, X + 0.5, multioutput="uniform_average" if v == "uniform" else v
            ),
        ),
        *rows(
            "RegressionAccuracy(tolerance)", "tolerance", 0.1,
            [v for v in RATE if v is not None],
            lambda nx, v, be: nx.RegressionAccuracy(v, backend=be), numbers,
        ),
        *rows(
            "ConfusionMatrix(classes)", "classes", 3,
            [v for v in COUNT if v is not None],
            lambda nx, v, be: nx.ConfusionMatrix(v, backend=be), classes,
        ),
    ]  # fmt: skip
