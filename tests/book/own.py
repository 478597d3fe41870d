"""Units that a reader of the book may write, derived or from nothing."""

import numpy as np

import nnfs_xp as nx
import nnfs_xp.book as nnfs


class Activation_Tanh:
    """Inherits nothing, returns nothing."""

    def forward(self, inputs, training):
        self.inputs, self.output = inputs, np.tanh(inputs)

    def backward(self, dvalues):
        self.dinputs = dvalues * (1 - self.output**2)

    def predictions(self, outputs):
        return outputs


class Layer_Affine:
    """A dense layer from nothing, with the book's attributes."""

    def __init__(self, n_inputs, n_neurons, penalty=1e-2):
        draw = np.random.RandomState(n_inputs)
        self.weights = draw.normal(size=(n_inputs, n_neurons))
        self.biases = np.zeros((1, n_neurons))
        self.weight_regularizer_l2 = penalty

    def forward(self, inputs, training):
        self.inputs = inputs
        self.output = np.dot(inputs, self.weights) + self.biases

    def backward(self, dvalues):
        self.dweights = np.dot(self.inputs.T, dvalues)
        self.dweights += 2 * self.weight_regularizer_l2 * self.weights
        self.dbiases = np.sum(dvalues, axis=0, keepdims=True)
        self.dinputs = np.dot(dvalues, self.weights.T)


class Activation_Leaky(nnfs.Activation_ReLU):
    def forward(self, inputs, training):
        super().forward(inputs, training)
        self.output = np.where(inputs > 0, inputs, 0.5 * inputs)

    def backward(self, dvalues):
        self.dinputs = np.where(self.inputs > 0, dvalues, 0.5 * dvalues)


class Layer_Counting(nnfs.Layer_Dropout):
    """Counts its calls, and drops what the library's does."""

    def __init__(self, rate):
        super().__init__(rate)
        self.trained = self.used = 0

    def forward(self, inputs, training):
        if training:
            self.trained += 1
        else:
            self.used += 1
        super().forward(inputs, training)


class Layer_Alternating(nnfs.Layer_Dropout):
    """Its own mask, and the book's backward pass."""

    def forward(self, inputs, training):
        self.inputs = inputs
        if not training:
            self.output = inputs.copy()
            return
        self.binary_mask = (np.arange(inputs.shape[1]) % 2) / 0.5
        self.output = inputs * self.binary_mask


class Layer_Typed(nnfs.Layer_Dense):
    """The book's forward pass typed out; the backward pass is inherited."""

    def forward(self, inputs, training):
        self.inputs = inputs
        self.output = np.dot(inputs, self.weights) + 2 * self.biases


class Layer_Gain:
    """Has a parameter that the book does not know of."""

    def __init__(self, n=4):
        self.weights, self.biases = np.ones((1, n)), np.zeros((1, n))
        self.power = np.ones((1, 1))

    def forward(self, inputs, training):
        self.inputs = inputs
        self.output = self.power * (inputs * self.weights + self.biases)

    def backward(self, dvalues):
        inner = self.inputs * self.weights + self.biases
        self.dpower = np.sum(dvalues * inner, keepdims=True)
        self.dweights = np.sum(dvalues * self.power * self.inputs, 0, keepdims=True)
        self.dbiases = np.sum(dvalues * self.power, 0, keepdims=True)
        self.dinputs = dvalues * self.power * self.weights


class Layer_Doubling(nnfs.Layer_Input):
    def forward(self, inputs, training):
        self.output = 2 * inputs


class Activation_Sharp(nnfs.Activation_Softmax):
    """Another softmax: no one may combine it with the loss."""

    def forward(self, inputs, training):
        return super().forward(2 * inputs, training)

    def backward(self, dvalues):
        self.dinputs = 2 * super().backward(dvalues)


class Activation_Second(nnfs.Activation_Softmax):
    """Predicts the second best class."""

    def predictions(self, outputs):
        return np.argsort(outputs, axis=1)[:, -2]


class Loss_Quartic(nnfs.Loss):
    def forward(self, y_pred, y_true):
        return np.mean((y_pred - y_true) ** 4, axis=-1)

    def backward(self, dvalues, y_true):
        samples, outputs = dvalues.shape
        self.dinputs = 4 * (dvalues - y_true) ** 3 / outputs / samples


class Loss_Hundred(nnfs.Loss_MeanSquaredError):
    """Keeps a counter, as subclasses of the book's classes may."""

    def __init__(self):
        super().__init__()
        self.calls = 0

    def forward(self, y_pred, y_true):
        self.calls += 1
        return 100 * super().forward(y_pred, y_true)


class Loss_Weighty(nnfs.Loss_MeanSquaredError):
    """Its own penalty, of one layer as in chapter 14."""

    def regularization_loss(self, layer):
        return 0.01 * np.sum(np.abs(layer.weights))


class Optimizer_Momentum:
    """Inherits nothing, and keeps its arrays on the layers."""

    def __init__(self, learning_rate=0.05, momentum=0.5):
        self.learning_rate = self.current_learning_rate = learning_rate
        self.momentum, self.iterations = momentum, 0

    def pre_update_params(self):
        self.current_learning_rate = self.learning_rate / (1 + 0.1 * self.iterations)

    def update_params(self, layer):
        for name in ("weights", "biases", "power"):
            if not hasattr(layer, f"d{name}"):
                continue
            kept = f"{name}_momentums"
            if not hasattr(layer, kept):
                setattr(layer, kept, np.zeros_like(getattr(layer, name)))
            change = self.momentum * getattr(layer, kept)
            change = change - self.current_learning_rate * getattr(layer, f"d{name}")
            setattr(layer, kept, change)
            setattr(layer, name, getattr(layer, name) + change)

    def post_update_params(self):
        self.iterations += 1


class Optimizer_WarmUp(nnfs.Optimizer_Adam):
    def pre_update_params(self):
        super().pre_update_params()
        self.current_learning_rate *= min(1.0, (self.iterations + 1) / 4)


class Optimizer_Seven(nnfs.Optimizer_SGD):
    def update_params(self, layer):
        layer.weights = layer.weights * 0 + 7.0


class Accuracy_Near(nnfs.Accuracy):
    def init(self, y):
        self.precision = np.std(y)

    def compare(self, predictions, y):
        return np.abs(predictions - y) < self.precision


class Accuracy_Wrong(nnfs.Accuracy_Categorical):
    def compare(self, predictions, y):
        return predictions != y


class Cube(nx.Layer):
    """Written for the new contract."""

    def fwd(self, cx, x):
        return x**3, x

    def bwd(self, cx, x, dy):
        return 3 * x**2 * dy
