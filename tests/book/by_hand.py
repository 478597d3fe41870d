"""The training loop of the book's chapters 18 to 22, typed by hand around any units.

The same calls in the same order, without anything of the library's model. `Combined` is
the object that the book puts in the place of a softmax and its cross-entropy.
"""

import numpy as np


class ByHand:
    def __init__(self, layers, loss, optimizer, accuracy, combined=None, first=None):
        self.layers, self.loss, self.combined = layers, loss, combined
        self.optimizer, self.accuracy, self.first = optimizer, accuracy, first
        self.trainable = [layer for layer in layers if hasattr(layer, "weights")]
        loss.remember_trainable_layers(self.trainable)

    def forward(self, X, training):
        output = X
        if self.first is not None:
            self.first.forward(X, training)
            output = self.first.output
        for layer in self.layers:
            layer.forward(output, training)
            output = layer.output
        return output

    def backward(self, output, y):
        layers = list(self.layers)
        if self.combined is not None:
            self.combined.backward(output, y)
            dvalues = self.combined.dinputs
            layers.pop()
        else:
            self.loss.backward(output, y)
            dvalues = self.loss.dinputs
        for layer in reversed(layers):
            layer.backward(dvalues)
            dvalues = layer.dinputs

    def train(self, X, y, *, epochs, batch_size, print_every, validation_data):
        self.accuracy.init(y)
        steps = -(-len(X) // batch_size)
        for epoch in range(1, epochs + 1):
            print(f"epoch: {epoch}")
            self.loss.new_pass()
            self.accuracy.new_pass()
            for step in range(steps):
                rows = slice(step * batch_size, (step + 1) * batch_size)
                output = self.forward(X[rows], True)
                data_loss, penalty = self.loss.calculate(
                    output, y[rows], include_regularization=True
                )
                predictions = self.layers[-1].predictions(output)
                accuracy = self.accuracy.calculate(predictions, y[rows])
                self.backward(output, y[rows])
                self.optimizer.pre_update_params()
                for layer in self.trainable:
                    self.optimizer.update_params(layer)
                self.optimizer.post_update_params()
                if not step % print_every or step == steps - 1:
                    self.show(f"step: {step}", accuracy, data_loss, penalty)
            data_loss, penalty = self.loss.calculate_accumulated(
                include_regularization=True
            )
            self.show(
                "training", self.accuracy.calculate_accumulated(), data_loss, penalty
            )
            self.evaluate(*validation_data, batch_size)

    def show(self, what, accuracy, data_loss, penalty):
        print(
            f"{what}, acc: {accuracy:.3f}, loss: {data_loss + penalty:.3f} "
            f"(data_loss: {data_loss:.3f}, reg_loss: {penalty:.3f}), "
            f"lr: {self.optimizer.current_learning_rate}"
        )

    def evaluate(self, X, y, batch_size):
        self.loss.new_pass()
        self.accuracy.new_pass()
        for start in range(0, len(X), batch_size):
            rows = slice(start, start + batch_size)
            output = self.forward(X[rows], False)
            self.loss.calculate(output, y[rows])
            predictions = self.layers[-1].predictions(output)
            self.accuracy.calculate(predictions, y[rows])
        loss = self.loss.calculate_accumulated()
        accuracy = self.accuracy.calculate_accumulated()
        print(f"validation, acc: {accuracy:.3f}, loss: {loss:.3f}")
        return {"loss": float(loss), "accuracy": float(accuracy)}

    def predict(self, X, batch_size):
        return np.vstack(
            [
                self.forward(X[start : start + batch_size], False)
                for start in range(0, len(X), batch_size)
            ]
        )
