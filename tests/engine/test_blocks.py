"""Blocks of a reader's own: branches, shared units, several inputs, and mistakes."""

import numpy as np
import pytest

import nnfs_xp as nx
from nnfs_xp.random import Stream
from nnfs_xp.testing import check_layer_gradients
from tests.engine.variants import every_variant, host, where

random = np.random.default_rng(5)
X = random.standard_normal((12, 4))
Y = random.standard_normal((12, 3))


class TwoBranches(nx.Layer):
    """The sum of two units, with the chain rule by hand and nothing else."""

    def __init__(self, left, right):
        super().__init__()
        self.children = {"left": left, "right": right}

    def fwd(self, cx, x):
        left, kept_left = cx["left"].fwd(x)
        right, kept_right = cx["right"].fwd(x)
        return left + right, (kept_left, kept_right)

    def bwd(self, cx, kept, dy):
        return cx["left"].bwd(kept[0], dy) + cx["right"].bwd(kept[1], dy)

    def output_shape(self, shape):
        return self.children["left"].output_shape(shape)


class Twice(nx.Layer):
    """A unit applied to its own output."""

    def __init__(self, inner):
        super().__init__()
        self.children = {"inner": inner}

    def fwd(self, cx, x):
        middle, first = cx["inner"].fwd(x)
        y, second = cx["inner"].fwd(middle)
        return y, (first, second)

    def bwd(self, cx, kept, dy):
        return cx["inner"].bwd(kept[0], cx["inner"].bwd(kept[1], dy))


class Product(nx.Layer):
    """Two inputs, each through a unit of its own, multiplied."""

    def __init__(self, one, other):
        super().__init__()
        self.children = {"one": one, "other": other}

    def fwd(self, cx, x):
        one, kept_one = cx["one"].fwd(x[0])
        other, kept_other = cx["other"].fwd(x[1])
        return one * other, (one, kept_one, other, kept_other)

    def bwd(self, cx, kept, dy):
        one, kept_one, other, kept_other = kept
        done = cx["one"].bwd(kept_one, dy * other)
        return done, cx["other"].bwd(kept_other, dy * one)

    def output_shape(self, shape):
        return self.children["one"].output_shape(shape and shape[0])


def regression(layers, variant, optimizer=None):
    return nx.Model(
        layers,
        loss="mean_squared_error",
        optimizer=optimizer or nx.SGD(0.05, momentum=0.9),
        metrics=None,
        **where(variant),
    )


def assert_same(found, expected, rtol=1e-10):
    for one, other in zip(found.values(), expected.values(), strict=True):
        np.testing.assert_allclose(one, other, rtol=rtol, atol=rtol)


# Branches.


def branch(seed):
    return nx.Sequential([nx.Dense(4, 3, seed=seed), nx.Dropout(0.5, seed=seed)])


@every_variant
def test_two_branches_of_a_readers_own(variant):
    """They train as the library's own block does, dropout inside included."""
    own = regression([TwoBranches(branch(1), branch(2))], variant)
    ours = regression([nx.Parallel([branch(1), branch(2)]), nx.Add()], "numpy")
    assert list(own.parameters) == [
        "0.left.0.weights", "0.left.0.biases", "0.right.0.weights", "0.right.0.biases"
    ]  # fmt: skip
    found = own.fit(X, Y, epochs=4, batch_size=4)
    expected = ours.fit(X, Y, epochs=4, batch_size=4)
    np.testing.assert_allclose(found["loss"], expected["loss"], rtol=1e-12)
    assert_same(host(own), host(ours))
    without = regression(
        [TwoBranches(nx.Dense(4, 3, seed=1), nx.Dense(4, 3, seed=2))], "numpy"
    ).fit(X, Y, epochs=4, batch_size=4)
    assert abs(found["loss"][0] - without["loss"][0]) > 1e-2


def test_gradients_of_own_blocks():
    dense = [nx.Dense(4, 4), nx.Tanh()]
    check_layer_gradients(TwoBranches(branch(1), branch(2)), X)
    check_layer_gradients(Twice(nx.Sequential([*dense, nx.Dropout(0.5)])), X)
    check_layer_gradients(
        Product(nx.Dense(4, 2), nx.Dense(3, 2)), (X, random.standard_normal((12, 3)))
    )


def test_a_wrong_gradient_of_an_own_block_is_found():
    class Wrong(Twice):
        def bwd(self, cx, kept, dy):
            return cx["inner"].bwd(kept[0], dy)

    with pytest.raises(AssertionError, match="the gradient of"):
        check_layer_gradients(Wrong(nx.Dense(4, 4)), X)


# One unit, used twice.


@every_variant
def test_gradients_of_a_unit_that_is_called_twice_add_up(variant):
    model = regression([Twice(nx.Dense(4, 4))], variant, nx.SGD(1.0))
    assert list(model.parameters) == ["0.inner.weights", "0.inner.biases"]
    before = host(model)
    target = np.zeros_like(X)
    model.fit(X, target, batch_size=None, shuffle=False)
    w, b = before.values()
    middle = X @ w + b
    y = middle @ w + b
    dy = 2 * y / y.size
    dmiddle = dy @ w.T
    dw = middle.T @ dy + X.T @ dmiddle
    db = dy.sum(axis=0) + dmiddle.sum(axis=0)
    after_w, after_b = host(model).values()
    np.testing.assert_allclose(w - after_w, dw, rtol=1e-10, atol=1e-13)
    np.testing.assert_allclose((b - after_b)[0], db, rtol=1e-10, atol=1e-13)


@every_variant
def test_a_dropout_that_is_called_twice_draws_two_masks(variant):
    model = regression([Twice(nx.Dropout(0.5)), nx.Dense(4, 3)], variant)
    w, b = host(model).values()
    history = model.fit(X, Y, batch_size=None, shuffle=False)
    masks = [
        2.0
        * Stream(model.seed, f"layers.0.inner.noise{call}", 0).bernoulli(X.shape, 0.5)
        for call in ("", "#1")
    ]
    assert (masks[0] != masks[1]).any()
    expected = ((X * masks[0] * masks[1] @ w + b - Y) ** 2).mean()
    assert history["loss"][0] == pytest.approx(expected, rel=1e-12)


def test_a_unit_in_two_places():
    """A model could not save that both are one, so it refuses it."""
    shared = nx.Dense(4, 3, dtype="float64")
    block = TwoBranches(shared, shared)
    block.forward(X)
    block.backward(Y)
    assert list(block.params) == ["left.weights", "left.biases"]
    np.testing.assert_allclose(shared.dweights, 2 * X.T @ Y, rtol=1e-12)
    with pytest.raises(nx.InputError, match="must contain each layer only once"):
        nx.Model([block])


# Several inputs.

PAIR = X, random.standard_normal((12, 3))


@every_variant
def test_a_block_with_two_inputs(variant):
    model = regression([Product(nx.Dense(4, 3), nx.Dense(3, 3))], variant, nx.SGD(0.5))
    w, b, v, c = host(model).values()
    one, other = PAIR[0] @ w + b, PAIR[1] @ v + c
    expected = one * other
    np.testing.assert_allclose(nx.to_numpy(model.predict(PAIR)), expected, atol=1e-12)
    loss = ((expected - Y) ** 2).mean()
    assert model.evaluate(PAIR, Y, batch_size=4)["loss"] == pytest.approx(loss)
    history = model.fit(PAIR, Y, batch_size=None, shuffle=False)
    assert history["loss"][0] == pytest.approx(loss, rel=1e-12)
    dy = 2 * (expected - Y) / Y.size
    after = list(host(model).values())
    np.testing.assert_allclose(after[0], w - 0.5 * PAIR[0].T @ (dy * other), atol=1e-12)
    np.testing.assert_allclose(after[2], v - 0.5 * PAIR[1].T @ (dy * one), atol=1e-12)
    model.fit(PAIR, Y, epochs=2, batch_size=4, validation_data=(PAIR, Y))


@every_variant
@pytest.mark.parametrize("join", [nx.Add, nx.Concatenate])
def test_several_inputs_are_one_wide_input(variant, join):
    """Two products added, or side by side, are one with all columns."""
    count = 2 if join is nx.Add else 1
    make = [nx.Dense(4, 3, seed=1), nx.Dense(3, 3, seed=2)]
    layers = [nx.Parallel(make), join()]
    if join is nx.Concatenate:
        layers.append(nx.Dense(6, 3, seed=3))
    several = regression(layers, variant)
    w, b, v, c = list(host(several).values())[:4]
    if join is nx.Add:
        wide = [nx.Dense(7, 3)]
        start = {"0.weights": np.vstack([w, v]), "0.biases": b + c}
    else:
        zeros = np.zeros((4, 3)), np.zeros((3, 3))
        wide = [nx.Dense(7, 6), nx.Dense(6, 3, seed=3)]
        start = {
            "0.weights": np.block([[w, zeros[0]], [zeros[1], v]]),
            "0.biases": np.hstack([b, c]),
        }
    one = regression(wide, "numpy", nx.SGD(0.05))
    for path, value in start.items():
        one.parameters[path][...] = value
    joined = np.hstack(PAIR)
    np.testing.assert_allclose(
        nx.to_numpy(several.predict(PAIR)), one.predict(joined), atol=1e-12
    )
    several.set(optimizer=nx.SGD(0.05))
    several.fit(PAIR, Y, batch_size=None, shuffle=False)
    one.fit(joined, Y, batch_size=None, shuffle=False)
    found, expected = list(host(several).values()), list(host(one).values())
    np.testing.assert_allclose(found[0], expected[0][:4, :3], atol=1e-12)
    np.testing.assert_allclose(found[2], expected[0][4:, -3:], atol=1e-12)
    moved = (found[1] - b) + (found[3] - c) if join is nx.Add else None
    if moved is not None:
        np.testing.assert_allclose(moved, count * (expected[1] - b - c), atol=1e-12)


@every_variant
def test_ids_beside_numbers(variant):
    """Each input keeps its kind: large ids would be rounded as float32."""
    ids = np.array([0, 2**24 + 1, 2**24, 2] * 3)

    class LastBit(nx.Layer):
        integer_inputs = True

        def fwd(self, cx, ids):
            return cx.xp.astype(ids % 2, cx.be.dtype)[:, None], None

        def bwd(self, cx, kept, dy):
            return None

        def output_shape(self, shape):
            return (1,)

    layers = [
        nx.Parallel([LastBit(), nx.Dense(4, 1)]),
        nx.Concatenate(),
        nx.Dense(2, 3),
    ]
    arguments = where(variant, "float32")
    model = nx.Model(
        layers, loss="mean_squared_error", optimizer=nx.SGD(0.1), **arguments
    )
    v, c, w, b = host(model).values()
    expected = np.hstack([(ids % 2)[:, None], X @ v + c]) @ w + b
    found = nx.to_numpy(model.predict((ids, X.astype("float32"))))
    np.testing.assert_allclose(found, expected, atol=1e-5)
    model.fit((ids, X.astype("float32")), Y.astype("float32"), epochs=2, batch_size=4)


def test_branches_whose_inputs_have_different_shapes():
    """How many inputs there are is known only when they come."""
    words, images = X.argmax(axis=1), random.standard_normal((12, 2, 3))
    branches = [
        nx.Embedding(4, 3),
        nx.Dense(4, 3),
        nx.Sequential([nx.Flatten(), nx.Dense(6, 3)]),
    ]
    model = regression([nx.Parallel(branches), nx.Add()], "numpy")
    rows, w, b, v, c = host(model).values()
    expected = rows[words] + X @ w + b + images.reshape(12, 6) @ v + c
    np.testing.assert_allclose(model.predict((words, X, images)), expected)
    model.fit((words, X, images), Y)
    model = regression([nx.Parallel([nx.Linear(), nx.Dense(4, 3)]), nx.Add()], "numpy")
    np.testing.assert_allclose(
        model.predict((Y, X)), Y + X @ model.layers[0].branches[1].weights
    )
    with pytest.raises(nx.InputError, match="needs inputs of the same shape"):
        model.predict((X, X))


# Which gradients of inputs are needed.


@every_variant
def test_a_block_need_not_say_which_gradients_it_uses(variant):
    """As the first unit of a model, where nobody needs that of the inputs."""
    model = regression([TwoBranches(nx.Dense(4, 4), nx.Linear())], variant)
    model.fit(X, X, epochs=2)


class SaysTooLittle(TwoBranches):
    def children_need_dx(self, needs_dx, learns):
        return {"left": True}


class SaysNoMapping(TwoBranches):
    def children_need_dx(self, needs_dx, learns):
        return needs_dx


class SaysNo(TwoBranches):
    """It is asked for a gradient that it has called useless."""

    def children_need_dx(self, needs_dx, learns):
        return dict.fromkeys(learns, False)


@pytest.mark.parametrize("block", [SaysTooLittle, SaysNoMapping])
def test_a_wrong_answer_to_which_gradients_are_needed(backend64, block):
    layers = [block(nx.Dense(4, 3), nx.Dense(4, 3))]
    with pytest.raises(nx.InputError, match=f"children_need_dx of {block.__name__}"):
        nx.Model(layers, backend=backend64)


@every_variant
def test_a_gradient_that_was_called_useless_is_missed(variant):
    """The first unit learns: only `SaysNo` stands between it and the loss."""
    layers = [nx.Dense(4, 4), SaysNo(nx.Dense(4, 3), nx.Dense(4, 3))]
    model = regression(layers, variant)
    before = host(model)
    with pytest.raises(TypeError, match="NoneType"):
        model.fit(X, Y)
    assert_unchanged(model, before)


# A backward pass with a mistake.


class Gain(nx.Layer):
    def __init__(self, n):
        super().__init__()
        self.n = n

    def parameters(self):
        return {"gain": ("ones", (self.n,)), "shift": ("zeros", (self.n,))}

    def state(self):
        return {"calls": (0.0, ())}

    def fwd(self, cx, x):
        if cx.training:
            cx.buffers["calls"] = cx.buffers["calls"] + 1
        return x * cx.params["gain"] + cx.params["shift"], x

    def bwd(self, cx, x, dy):
        cx.grads["gain"] = cx.xp.sum(x * dy, axis=0)
        cx.grads["shift"] = cx.xp.sum(dy, axis=0)
        return dy * cx.params["gain"]


class Forgets(Gain):
    message = "bwd has written no gradient of 1.inner.shift"

    def bwd(self, cx, x, dy):
        cx.grads["gain"] = cx.xp.sum(x * dy, axis=0)
        return dy * cx.params["gain"]


class WrongShape(Gain):
    message = r"the gradient of 1.inner.gain must have shape \(4,\), got \(1, 4\)"

    def bwd(self, cx, x, dy):
        cx.grads["gain"] = cx.xp.sum(x * dy, axis=0, keepdims=True)
        cx.grads["shift"] = cx.xp.sum(dy, axis=0)
        return dy * cx.params["gain"]


class Unknown(Gain):
    message = "bwd writes a gradient of 'gian', which is not a parameter"

    def bwd(self, cx, x, dy):
        cx.grads["gian"] = cx.xp.sum(x * dy, axis=0)
        return dy


class WrongBuffer(Gain):
    message = r"1.inner.calls must have shape \(\), got \(4,\)"

    def fwd(self, cx, x):
        if cx.training:
            cx.buffers["calls"] = cx.buffers["calls"] + cx.params["gain"]
        return x, None

    def bwd(self, cx, x, dy):
        return dy


def assert_unchanged(model, before):
    for path, value in host(model).items():
        np.testing.assert_array_equal(value, before[path], err_msg=path)
    assert model.steps_trained == 0 and model.epochs_trained == 0


@every_variant
@pytest.mark.parametrize("unit", [Forgets, WrongShape, Unknown, WrongBuffer])
def test_a_mistake_in_a_backward_pass_is_said_before_anything_changes(variant, unit):
    model = regression(
        [nx.Dense(4, 4), nx.Residual(unit(4)), nx.Dense(4, 3)],
        variant, nx.Adam(0.1),
    )  # fmt: skip
    before = host(model)
    for _ in range(2):
        with pytest.raises(nx.InputError, match=unit.message):
            model.fit(X, Y, batch_size=4)
        assert_unchanged(model, before)
    step = nx.to_numpy(model._state.tree["optimizer"]["step"])
    assert int(step) == 0
    assert np.isfinite(model.evaluate(X, Y)["loss"])


@every_variant
def test_the_same_unit_without_a_mistake_counts_its_calls(variant):
    model = regression([nx.Residual(Gain(4)), nx.Dense(4, 3)], variant)
    model.fit(X, Y, epochs=2, batch_size=4)
    assert int(nx.to_numpy(model.buffers["0.inner.calls"])) == 6
    model.predict(X)
    assert int(nx.to_numpy(model.layers[0].inner.calls)) == 6


# What cannot be named, or called.


def with_names(parameters=(), state=(), children=()):
    class Named(nx.Layer):
        def __init__(self):
            super().__init__()
            self.children = {name: nx.Dense(2, 2) for name in children}

        def parameters(self):
            return {name: ("zeros", (2,)) for name in parameters}

        def state(self):
            return {name: (0.0, ()) for name in state}

        def fwd(self, cx, x):
            return x, None

        def bwd(self, cx, residuals, dy):
            return dy

    return Named()


@pytest.mark.parametrize("part", ["parameters", "state", "children"])
@pytest.mark.parametrize("name", ["a.b", "", 3])
def test_names_that_would_not_be_paths(part, name):
    unit = with_names(**{part: (name,)})
    with pytest.raises(nx.InputError, match="cannot name a part of a unit"):
        nx.Model([unit])
    with pytest.raises(nx.InputError, match="cannot name a part of a unit"):
        nx.Sequential([unit]).forward(np.ones((1, 2)))


@pytest.mark.parametrize(
    "parts",
    [
        {"parameters": ("a",), "state": ("a",)},
        {"parameters": ("a",), "children": ("a",)},
        {"state": ("a",), "children": ("a",)},
    ],
)
def test_names_that_clash(parts):
    with pytest.raises(nx.InputError, match="must have different names"):
        nx.Model([nx.Residual(with_names(**parts))])


class OldForward(nx.Layer):
    def fwd(self, be, params, x):
        return x, None

    def bwd(self, cx, residuals, dy):
        return dy


class OldBackward(nx.Layer):
    def fwd(self, cx, x):
        return x, None

    def bwd(self, be, params, residuals, dy):
        return dy, {}


class OldReLU(nx.ReLU):
    def fwd(self, x):
        return x, None


@pytest.mark.parametrize("unit", [OldForward, OldBackward, OldReLU])
def test_a_unit_with_other_arguments(unit):
    wanted = r"fwd of .* \(cx, x\)"
    if unit is OldBackward:
        wanted = r"bwd of .* \(cx, residuals, dy\)"
    for make in (unit, lambda: nx.Residual(nx.Sequential([nx.Linear(), unit()]))):
        with pytest.raises(nx.InputError, match=wanted):
            nx.Model([make()])
        with pytest.raises(nx.InputError, match=wanted):
            make().forward(X)


def test_a_model_has_one_output():
    branches = [nx.Dense(4, 3), nx.Dense(4, 3)]
    with pytest.raises(nx.InputError, match="gives several outputs.*Add.*Concatenate"):
        nx.Model([nx.Parallel(branches)])
    with pytest.raises(nx.InputError, match="gives several outputs"):
        nx.Model([nx.Dense(4, 4), nx.Sequential([nx.Parallel(branches)])])
    nx.Model([nx.Parallel(branches), nx.Add()])


# By hand.


def test_units_inside_have_what_passed_through_them(backend64):
    be = backend64
    dense, relu, last = nx.Dense(4, 4), nx.ReLU(), nx.Dense(4, 3)
    model = nx.Model(
        [TwoBranches(nx.Sequential([dense, relu]), nx.Linear()), last], backend=be
    )
    block, _ = model.layers
    x, dy = be.asarray(X), be.asarray(Y)
    middle = block.forward(x)
    last.forward(middle)
    dmiddle = last.backward(dy)
    dx = block.backward(dmiddle)
    values = {path: be.to_numpy(value) for path, value in model.parameters.items()}
    w, b, v, _ = values.values()
    z = X @ w + b
    dh = Y @ v.T
    dz = dh * (z > 0)
    for found, expected in (
        (dense.inputs, X),
        (dense.output, z),
        (relu.inputs, z),
        (relu.output, np.maximum(z, 0)),
        (block.output, np.maximum(z, 0) + X),
        (last.inputs, np.maximum(z, 0) + X),
        (last.dweights, (np.maximum(z, 0) + X).T @ Y),
        (last.dinputs, dh),
        (relu.dinputs, dz),
        (dense.dweights, X.T @ dz),
        (dense.dbiases, dz.sum(axis=0, keepdims=True)),
        (dense.dinputs, dz @ w.T),
        (block.dinputs, dz @ w.T + dh),
        (dx, dz @ w.T + dh),
    ):
        assert isinstance(found, be.array_type())
        np.testing.assert_allclose(be.to_numpy(found), expected, atol=1e-12)


# Subclasses of the library's units.


class Softer(nx.Softmax):
    """Probabilities of halved logits."""

    def fwd(self, cx, x):
        return super().fwd(cx, 0.5 * x)

    def bwd(self, cx, residuals, dy):
        return 0.5 * super().bwd(cx, residuals, dy)


class Steeper(nx.CategoricalCrossEntropy):
    def fwd(self, be, p, y_true):
        losses, residuals = super().fwd(be, p, y_true)
        return 3.0 * losses, residuals

    def bwd(self, be, residuals, dlosses):
        return 3.0 * super().bwd(be, residuals, dlosses)


class Doubled(nx.Dense):
    def fwd(self, cx, x):
        y, residuals = super().fwd(cx, x)
        return 2.0 * y, residuals

    def bwd(self, cx, residuals, dy):
        return super().bwd(cx, residuals, 2.0 * dy)


class LeftOpen(nx.ReLU):
    """It lets every gradient through."""

    def fwd(self, cx, x):
        y, residuals = super().fwd(cx, x)
        return y + 0.25, residuals

    def bwd(self, cx, residuals, dy):
        return dy


class Negated(nx.Sequential):
    def fwd(self, cx, x):
        y, residuals = super().fwd(cx, x)
        return -y, residuals

    def bwd(self, cx, residuals, dy):
        return super().bwd(cx, residuals, -dy)


class BackwardOnly(nx.ReLU):
    def bwd(self, cx, residuals, dy):
        return 0.5 * super().bwd(cx, residuals, dy)


class SoftmaxBackwardOnly(nx.Softmax):
    def bwd(self, cx, residuals, dy):
        return 4.0 * super().bwd(cx, residuals, dy)


class LossBackwardOnly(nx.CategoricalCrossEntropy):
    def bwd(self, be, residuals, dlosses):
        return 4.0 * super().bwd(be, residuals, dlosses)


class DenseBackwardOnly(nx.Dense):
    def bwd(self, cx, residuals, dy):
        dx = super().bwd(cx, residuals, dy)
        return None if dx is None else 4.0 * dx


class SequentialBackwardOnly(nx.Sequential):
    def bwd(self, cx, residuals, dy):
        return super().bwd(cx, residuals, 4.0 * dy)


USUAL = {
    "dense": nx.Dense,
    "relu": nx.ReLU,
    "chain": nx.Sequential,
    "softmax": nx.Softmax,
    "loss": nx.CategoricalCrossEntropy,
}
FORWARD = {
    "dense": Doubled,
    "relu": LeftOpen,
    "chain": Negated,
    "softmax": Softer,
    "loss": Steeper,
}
BACKWARD = {
    "dense": DenseBackwardOnly,
    "relu": BackwardOnly,
    "chain": SequentialBackwardOnly,
    "softmax": SoftmaxBackwardOnly,
    "loss": LossBackwardOnly,
}
CHANGES = {
    **{kind: {kind: cls} for kind, cls in FORWARD.items()},
    **{f"{kind}-bwd": {kind: cls} for kind, cls in BACKWARD.items()},
    "all": FORWARD,
    "all-bwd": BACKWARD,
}
LABELS = np.arange(12) % 3


def classifier(change, **arguments):
    kinds = {**USUAL, **change}
    dense = kinds["dense"]
    return nx.Model(
        [
            kinds["chain"]([dense(4, 6, seed=1), kinds["relu"]()]),
            dense(6, 6, seed=2),
            kinds["relu"](),
            dense(6, 3, seed=3),
            kinds["softmax"](),
        ],
        loss=kinds["loss"](),
        optimizer=nx.SGD(0.5),
        **arguments,
    )


def by_hand(change):
    """Return probabilities, loss, and the parameters after a step, as the book does."""
    model = classifier(change, dtype="float64")
    layers, loss = model.layers, type(model.loss)(dtype="float64")
    y = X
    for layer in layers:
        y = layer.forward(y)
    value = float(loss.calculate(y, LABELS))
    dy = loss.backward(y, LABELS)
    for layer in reversed(layers):
        dy = layer.backward(dy)
    nx.SGD(0.5).step(*layers)
    return y, value, host(model)


def assert_as_by_hand(change, arguments):
    expected, loss, after = by_hand(change)
    model = classifier(change, **arguments)
    np.testing.assert_allclose(nx.to_numpy(model.predict(X)), expected, atol=1e-12)
    outputs = model.activations(X)
    np.testing.assert_allclose(nx.to_numpy(outputs[-1]), expected, atol=1e-12)
    assert model.evaluate(X, LABELS)["loss"] == pytest.approx(loss, rel=1e-10)
    before = host(model)
    gradients = model.gradients(X, LABELS)
    history = model.fit(X, LABELS, batch_size=None, shuffle=False)
    assert history["loss"][0] == pytest.approx(loss, rel=1e-10)
    assert history["accuracy"][0] == (expected.argmax(axis=1) == LABELS).mean()
    found = host(model)
    for path, value in after.items():
        np.testing.assert_allclose(found[path], value, atol=1e-12, err_msg=path)
        moved = before[path] - 0.5 * nx.to_numpy(gradients[path])
        np.testing.assert_allclose(moved, value, atol=1e-12, err_msg=path)


@pytest.mark.parametrize("change", CHANGES)
def test_a_subclass_computes_something_else(change):
    """Without this the tests below would show nothing."""
    usual, changed = by_hand({}), by_hand(CHANGES[change])
    moved = [abs(usual[2][path] - changed[2][path]).max() for path in usual[2]]
    assert max(moved) > 1e-3
    assert (usual[1] == changed[1]) == change.endswith("-bwd")


@pytest.mark.parametrize("variant", ["numpy", "strict-device1", "torch", "cupy"])
@pytest.mark.parametrize("change", CHANGES)
def test_a_subclass_is_used_as_it_is_written(variant, change):
    assert_as_by_hand(CHANGES[change], where(variant))


@pytest.mark.parametrize("variant", ["strict", "jax", "jax-off"])
@pytest.mark.parametrize("change", ["all", "all-bwd"])
def test_subclasses_together_are_used_as_they_are_written(variant, change):
    assert_as_by_hand(CHANGES[change], where(variant))


@every_variant
def test_the_usual_units_agree_with_the_same_by_hand(variant):
    assert_as_by_hand({}, where(variant))


@pytest.mark.parametrize("used", [False, True], ids=["new", "used"])
def test_values_of_a_unit_inside_have_the_precision_of_its_block(used):
    block = nx.MultiHeadAttention(2, 1, dtype="float64")
    x = np.ones((1, 3, 2))
    if used:
        block.forward(x)
    third = np.full((2, 2), 1 / 3)
    block.children["out"].weights = third
    block.forward(x)
    np.testing.assert_array_equal(block.children["out"].weights, third)
