"""What the book's code computes, in plain NumPy and float64, written once more.

Nothing here comes from the library, and nothing is clever: each function is
one formula of the book, in the order in which the book takes them. Random
numbers come from NumPy's global legacy generator, as there.
"""

import itertools

import numpy as np

# A layer is a dict of weights and biases; a network is a list of them, with a
# ReLU after each but the last. PENALTIES are the factors l1 and l2 of a
# layer's weights, then those of its biases.
NO_PENALTIES = (0.0, 0.0, 0.0, 0.0)


# Data and initial parameters.


def spiral(samples, classes):
    x = np.zeros((samples * classes, 2))
    y = np.zeros(samples * classes, dtype=np.uint8)
    for arm in range(classes):
        rows = slice(samples * arm, samples * (arm + 1))
        radius = np.linspace(0.0, 1, samples)
        angle = np.linspace(arm * 4, (arm + 1) * 4, samples)
        angle = angle + np.random.randn(samples) * 0.2  # noqa: NPY002
        x[rows, 0] = radius * np.sin(angle * 2.5)
        x[rows, 1] = radius * np.cos(angle * 2.5)
        y[rows] = arm
    return x, y


def sine(samples=1000):
    x = np.arange(samples).reshape(-1, 1) / samples
    return x, np.sin(2 * np.pi * x)


def network(*sizes):
    return [
        {
            "weights": 0.01 * np.random.randn(n_inputs, n_neurons),  # noqa: NPY002
            "biases": np.zeros((1, n_neurons)),
        }
        for n_inputs, n_neurons in itertools.pairwise(sizes)
    ]


# Forward: what each layer is given, and what the last one returns.


def forward(layers, x):
    given = []
    for layer in layers:
        given.append(x)
        x = np.dot(x, layer["weights"]) + layer["biases"]
        if layer is not layers[-1]:
            x = np.maximum(0, x)
    return given, x


def softmax(z):
    e = np.exp(z - np.max(z, axis=1, keepdims=True))
    return e / np.sum(e, axis=1, keepdims=True)


def sigmoid(z):
    return 1 / (1 + np.exp(-z))


# Losses: one number for each sample, and the gradient of their mean.


def clip(p):
    return np.clip(p, 1e-7, 1 - 1e-7)


def one_hot(y, classes):
    rows = np.zeros((len(y), classes))
    rows[np.arange(len(y)), y] = 1
    return rows


def categorical_cross_entropy(p, y):
    return -np.log(clip(p)[np.arange(len(p)), y])


def categorical_cross_entropy_gradient(p, y):
    return -one_hot(y, p.shape[1]) / p / len(p)


def softmax_cross_entropy_gradient(p, y):
    dz = p.copy()
    dz[np.arange(len(p)), y] -= 1
    return dz / len(p)


def binary_cross_entropy(p, y):
    p = clip(p)
    return np.mean(-(y * np.log(p) + (1 - y) * np.log(1 - p)), axis=-1)


def binary_cross_entropy_gradient(p, y):
    p = clip(p)
    return -(y / p - (1 - y) / (1 - p)) / p.shape[1] / len(p)


def mean_squared_error(p, y):
    return np.mean((y - p) ** 2, axis=-1)


def mean_squared_error_gradient(p, y):
    return -2 * (y - p) / p.shape[1] / len(p)


# Accuracies: how many comparisons are right, and how many there are.


def categorical_hits(p, y):
    return np.argmax(p, axis=1) == y


def binary_hits(p, y):
    return (p > 0.5) * 1 == y


def regression_hits(precision):
    return lambda p, y: np.absolute(p - y) < precision


# The three kinds of task: outputs of the last layer, losses of the samples,
# and the gradient of the last layer's scores.


def classify(z, y):
    p = softmax(z)
    dz = softmax_cross_entropy_gradient(p, y)
    return p, categorical_cross_entropy(p, y), dz


def decide(z, y):
    p = sigmoid(z)
    dz = binary_cross_entropy_gradient(p, y) * (1 - p) * p
    return p, binary_cross_entropy(p, y), dz


def regress(z, y):
    return z, mean_squared_error(z, y), mean_squared_error_gradient(z, y)


# Penalties, and their gradient; at 0 the book takes +1 for the sign.


def penalty(layers, penalties):
    total = 0.0
    for layer, (weights_l1, weights_l2, biases_l1, biases_l2) in zip(
        layers, penalties, strict=True
    ):
        total += weights_l1 * np.sum(np.abs(layer["weights"]))
        total += weights_l2 * np.sum(layer["weights"] * layer["weights"])
        total += biases_l1 * np.sum(np.abs(layer["biases"]))
        total += biases_l2 * np.sum(layer["biases"] * layer["biases"])
    return total


def penalty_gradient(values, l1, l2, sign_of_zero):
    sign = np.where(values == 0, sign_of_zero, np.sign(values))
    return l1 * sign + 2 * l2 * values


# Backward: the gradients of the parameters of each layer.


def backward(layers, given, dz, penalties, sign_of_zero):
    gradients = [{} for _ in layers]
    for index in reversed(range(len(layers))):
        layer, x = layers[index], given[index]
        weights_l1, weights_l2, biases_l1, biases_l2 = penalties[index]
        gradients[index]["weights"] = np.dot(x.T, dz) + penalty_gradient(
            layer["weights"], weights_l1, weights_l2, sign_of_zero
        )
        gradients[index]["biases"] = np.sum(
            dz, axis=0, keepdims=True
        ) + penalty_gradient(layer["biases"], biases_l1, biases_l2, sign_of_zero)
        # What a ReLU was given is above 0 where what it returned is.
        dz = np.dot(dz, layer["weights"].T) * (x > 0)
    return gradients


# Optimizers: new values of one parameter `w` with the gradient `g`, at the step
# `t` counted from 0. `kept` is a dict that belongs to this parameter.


def sgd(w, g, kept, rate, t, momentum=0.0):
    if not momentum:
        return w + -rate * g
    kept["momentum"] = momentum * kept.get("momentum", 0.0) - rate * g
    return w + kept["momentum"]


def adagrad(w, g, kept, rate, t, epsilon=1e-7):
    kept["cache"] = kept.get("cache", 0.0) + g**2
    return w + -rate * g / (np.sqrt(kept["cache"]) + epsilon)


def rmsprop(w, g, kept, rate, t, epsilon=1e-7, rho=0.9):
    kept["cache"] = rho * kept.get("cache", 0.0) + (1 - rho) * g**2
    return w + -rate * g / (np.sqrt(kept["cache"]) + epsilon)


def adam(w, g, kept, rate, t, epsilon=1e-7, beta_1=0.9, beta_2=0.999):
    kept["momentum"] = beta_1 * kept.get("momentum", 0.0) + (1 - beta_1) * g
    kept["cache"] = beta_2 * kept.get("cache", 0.0) + (1 - beta_2) * g**2
    momentum = kept["momentum"] / (1 - beta_1 ** (t + 1))
    cache = kept["cache"] / (1 - beta_2 ** (t + 1))
    return w + -rate * momentum / (np.sqrt(cache) + epsilon)


# The training: steps, and the figures of each epoch as the book adds them up.


def train(
    layers,
    x,
    y,
    task,
    hits,
    optimizer,
    *,
    learning_rate,
    decay=0.0,
    settings=None,
    penalties=None,
    sign_of_zero=1.0,
    epochs=1,
    batch_size=None,
):
    """Change the layers, and return the figures of all steps and all epochs."""
    penalties = penalties or [NO_PENALTIES] * len(layers)
    kept = [{"weights": {}, "biases": {}} for _ in layers]
    steps, records, t = [], [], 0
    for _ in range(epochs):
        loss_sum = hit_sum = count = 0
        for start in range(0, len(x), batch_size or len(x)):
            rows = slice(start, start + (batch_size or len(x)))
            given, z = forward(layers, x[rows])
            outputs, losses, dz = task(z, y[rows])
            right = hits(outputs, y[rows])
            data_loss, added = np.mean(losses), penalty(layers, penalties)
            loss_sum, count = loss_sum + np.sum(losses), count + len(losses)
            hit_sum = hit_sum + np.sum(right)

            gradients = backward(layers, given, dz, penalties, sign_of_zero)
            rate = learning_rate
            if decay:
                rate = learning_rate * (1.0 / (1.0 + decay * t))
            for layer, own, gradient in zip(layers, kept, gradients, strict=True):
                for name in ("weights", "biases"):
                    layer[name] = optimizer(
                        layer[name],
                        gradient[name],
                        own[name],
                        rate,
                        t,
                        **(settings or {}),
                    )
            t += 1
            steps.append(
                {
                    "loss": data_loss + added,
                    "data_loss": data_loss,
                    "regularization_loss": added,
                    "accuracy": np.mean(right),
                    "learning_rate": rate,
                }
            )
        data_loss, added = loss_sum / count, penalty(layers, penalties)
        records.append(
            {
                "loss": data_loss + added,
                "data_loss": data_loss,
                "regularization_loss": added,
                "accuracy": hit_sum / count,
                "learning_rate": rate,
            }
        )
    return steps, records


def evaluate(layers, x, y, task, hits, batch_size=None):
    """Return the loss without penalties, and the accuracy, added up in batches."""
    loss_sum = hit_sum = count = 0
    for start in range(0, len(x), batch_size or len(x)):
        rows = slice(start, start + (batch_size or len(x)))
        outputs, losses, _ = task(forward(layers, x[rows])[1], y[rows])
        loss_sum, count = loss_sum + np.sum(losses), count + len(losses)
        hit_sum = hit_sum + np.sum(hits(outputs, y[rows]))
    return {"loss": loss_sum / count, "accuracy": hit_sum / count}
