"""A look inside a model: what its layers put out, and the gradients."""

from __future__ import annotations

from typing import Any

from nnfs_xp.backends import Array
from nnfs_xp.errors import InputError
from nnfs_xp.layout import parameter_name
from nnfs_xp.model.learning import Learning
from nnfs_xp.step import add_penalties, backward


class Inspection(Learning):
    """The part of `Model` that shows what happens on the way."""

    def activations(self, x: Any) -> list[Array]:
        """Return the output of every layer, as ``predict`` computes them.

        Parameters
        ----------
        x : array or array_like, shape (n, ...)
            As in `fit`. All rows are computed at once, and everything is kept.

        Returns
        -------
        list of array
            On the model's backend, one for each of the `leaves`.

        Raises
        ------
        InputError
            If `x` does not fit the model.

        Examples
        --------
        >>> from nnfs_xp import Dense, Model, ReLU
        >>> model = Model([Dense(2, 3), ReLU()])
        >>> [output.shape for output in model.activations([[1.0, 2.0]])]
        [(1, 3), (1, 3)]
        """
        be, state = self.backend, self._ready
        with be.context():
            checked, _ = self._check_samples(self._place_of(x), x, "x")
            output = be.asarray(checked, be.dtype)
            outputs = []
            for index, layer in enumerate(self.leaves):
                own = state.layer_parameters(index)
                output, _ = layer.fwd(be, own, output)
                outputs.append(output)
        return outputs

    def gradients(self, x: Any, y: Any) -> dict[str, Array]:
        """Return the gradient of the loss for every parameter.

        It is the one that a step of ``fit`` on these samples would give to the
        optimizer, penalties included, but without dropout. Nothing changes.

        Parameters
        ----------
        x, y : array or array_like
            As in `fit`. All rows are computed at once.

        Returns
        -------
        dict of str to array
            On the model's backend, under the names of `parameters`.

        Raises
        ------
        InputError
            If the model has no loss, or the data does not fit.

        Examples
        --------
        >>> from nnfs_xp import Dense, Model
        >>> model = Model([Dense(1, 1)], loss="mean_squared_error", dtype="float64")
        >>> model.layers[0].weights = [[2.0]]
        >>> gradients = model.gradients([[3.0]], [[5.0]])  # 2 (2 * 3 - 5) * 3
        >>> print(gradients["layers.0.weights"])
        [[6.]]
        """
        if self.loss is None:
            raise InputError("gradients needs a model with a loss")
        network, be = self._ready.network, self.backend
        # That of the logits, where the model ends in a softmax or sigmoid.
        loss = network.loss
        assert loss is not None
        with be.context():
            data = self._check_data(x, y).moved(be)
            output = be.asarray(data.x, be.dtype)
            params = network.layout.views(self._ready.tree["parameters"])
            slots = network.layout.views(network.layout.zeros())
            residuals = []
            for layer, own in zip(network.layers, params, strict=False):
                output, kept = layer.fwd(be, own, output)
                residuals.append(kept)
            _, weights = loss.factors(be, data.samples, data.y, None)
            _, dy = loss.value_and_gradient(be, output, data.y, weights)
            backward(network, params, residuals, dy, slots)
            if network.regularized:
                add_penalties(network, params, slots)
        return {
            parameter_name(index, name): gradient
            for index, own in enumerate(slots)
            for name, gradient in own.items()
        }
