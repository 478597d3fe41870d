"""How the arrays of a unit lie in another library."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

Arrays = dict[str, np.ndarray]


class Part(NamedTuple):
    """An array of a unit and its counterpart.

    Attributes
    ----------
    own, theirs : str
        Their names.
    axes : tuple of int, optional
        The order of the unit's axes there.
    """

    own: str
    theirs: str
    axes: tuple[int, ...] | None = None

    def out(self, array: np.ndarray) -> np.ndarray:
        """Return the array of a unit as the other library has it."""
        if self.axes is not None:
            return array.transpose(self.axes)
        # Biases are rows here, and have one axis everywhere else.
        return array[0] if array.ndim == 2 and self.own.endswith("biases") else array

    def into(self, array: np.ndarray) -> np.ndarray:
        """Return the array of the other library as a unit has it."""
        if self.axes is not None:
            return array.transpose(np.argsort(self.axes))
        return array[None, :] if self.own.endswith("biases") else array


class Form:
    """One array for each array of a unit.

    Parameters
    ----------
    *parts : Part
    **ignored : number
        What the other library keeps besides; it is written, and not read.
    """

    def __init__(self, *parts: Part, **ignored: float) -> None:
        self.parts, self.ignored = parts, ignored

    def out(self, unit: Any, own: Arrays) -> Arrays:
        """Return the arrays of a unit as the other library has them.

        They are given by path within the unit. What it does not have, such as biases,
        is left out.
        """
        found = {
            part.theirs: part.out(own[part.own])
            for part in self.parts
            if part.own in own
        }
        return {**found, **{name: np.asarray(n) for name, n in self.ignored.items()}}

    def into(self, unit: Any, theirs: Arrays) -> Arrays:
        """Return arrays of the other library, in the shapes of `out`, as a unit's."""
        return {
            part.own: part.into(theirs[part.theirs])
            for part in self.parts
            if part.theirs in theirs
        }


class TwoBiases(Form):
    """A recurrent layer with one array of biases, where the other library has two."""

    def out(self, unit: Any, own: Arrays) -> Arrays:
        """Return 0 for the second biases."""
        found = super().out(unit, own)
        return {**found, "bias_hh_l0": np.zeros_like(found["bias_ih_l0"])}

    def into(self, unit: Any, theirs: Arrays) -> Arrays:
        """Return the sum of both for the biases."""
        total = theirs["bias_ih_l0"] + theirs["bias_hh_l0"]
        return super().into(unit, {**theirs, "bias_ih_l0": total})


class Reordered(Form):
    """A recurrent layer whose gates have another order there.

    Parameters
    ----------
    order : tuple of int
        Which gate of the unit stands at each place there. It is its own inverse.
    *parts : Part
    """

    def __init__(self, order: tuple[int, ...], *parts: Part) -> None:
        super().__init__(*parts)
        self.order = order

    def out(self, unit: Any, own: Arrays) -> Arrays:
        """Return arrays with their columns in the order of the other library."""
        return super().out(unit, {name: self._cut(a) for name, a in own.items()})

    def into(self, unit: Any, theirs: Arrays) -> Arrays:
        """Return arrays with their columns in the order of the unit."""
        found = super().into(unit, theirs)
        return {name: self._cut(array) for name, array in found.items()}

    def _cut(self, array: np.ndarray) -> np.ndarray:
        gates = np.split(array, len(self.order), axis=1)
        return np.concatenate([gates[place] for place in self.order], axis=1)


class Stacked(Form):
    """A recurrent layer whose two arrays of biases are one of two rows there."""

    def out(self, unit: Any, own: Arrays) -> Arrays:
        """Return both biases as one array."""
        both = np.concatenate([own["biases"], own["recurrent_biases"]])
        return {**super().out(unit, own), "bias": both}

    def into(self, unit: Any, theirs: Arrays) -> Arrays:
        """Return the rows of the biases."""
        first, second = theirs["bias"][:1], theirs["bias"][1:]
        found = super().into(unit, theirs)
        return {**found, "biases": first, "recurrent_biases": second}


class Heads(Form):
    """Attention with an array for each product, and in them an axis of heads."""

    def out(self, unit: Any, own: Arrays) -> Arrays:
        """Return kernels (features, heads, e), and biases (heads, e)."""
        found = {}
        for name, path, place, count in self._products(unit):
            kernel = np.split(own[f"{path}.weights"], count, axis=1)[place]
            found[f"{name}.kernel"] = kernel.reshape(self._kernel_shape(unit, kernel))
            if unit.use_bias:
                bias = np.split(own[f"{path}.biases"][0], count)[place]
                found[f"{name}.bias"] = bias.reshape(unit.n_heads, -1)
        d = unit.n_features
        found["output.kernel"] = own["out.weights"].reshape(unit.n_heads, -1, d)
        if unit.use_bias:
            found["output.bias"] = own["out.biases"][0]
        return found

    def into(self, unit: Any, theirs: Arrays) -> Arrays:
        """Return the products of the unit, side by side."""
        d, parts = unit.n_features, dict[str, list[np.ndarray]]()
        for name, path, *_ in self._products(unit):
            kernel = theirs[f"{name}.kernel"]
            parts.setdefault(f"{path}.weights", []).append(kernel.reshape(-1, d))
            if unit.use_bias:
                bias = theirs[f"{name}.bias"].reshape(1, d)
                parts.setdefault(f"{path}.biases", []).append(bias)
        found = {name: np.concatenate(own, axis=1) for name, own in parts.items()}
        found["out.weights"] = theirs["output.kernel"].reshape(d, d)
        if unit.use_bias:
            found["out.biases"] = theirs["output.bias"][None, :]
        return found

    def _products(self, unit: Any) -> list[tuple[str, str, int, int]]:
        """Return name there, path here, and which part of how many it is."""
        if "qkv" in unit.children:
            return [
                (name, "qkv", place, 3)
                for place, name in enumerate(("query", "key", "value"))
            ]
        return [("query", "q", 0, 1), ("key", "kv", 0, 2), ("value", "kv", 1, 2)]

    def _kernel_shape(self, unit: Any, kernel: np.ndarray) -> tuple[int, ...]:
        return kernel.shape[0], unit.n_heads, kernel.shape[1] // unit.n_heads


class Cross(Form):
    """Attention to a context: in PyTorch one array, or three if it has other features.

    Its biases are one array in both cases.
    """

    _OUT = (
        Part("out.weights", "out_proj.weight", (1, 0)),
        Part("out.biases", "out_proj.bias"),
    )

    def __init__(self) -> None:
        super().__init__(*self._OUT)

    def out(self, unit: Any, own: Arrays) -> Arrays:
        """Return the weights of queries, keys and values, and the rest."""
        q, (k, v) = own["q.weights"].T, np.split(own["kv.weights"].T, 2)
        if unit.n_context == unit.n_features:
            found = {"in_proj_weight": np.concatenate([q, k, v])}
        else:
            found = {"q_proj_weight": q, "k_proj_weight": k, "v_proj_weight": v}
        if unit.use_bias:
            biases = [own["q.biases"][0], own["kv.biases"][0]]
            found["in_proj_bias"] = np.concatenate(biases)
        return {**found, **super().out(unit, own)}

    def into(self, unit: Any, theirs: Arrays) -> Arrays:
        """Return the weights of queries, and of keys and values, and the rest."""
        d = unit.n_features
        if "in_proj_weight" in theirs:
            q, k, v = np.split(theirs["in_proj_weight"], 3)
        else:
            q, k, v = (theirs[f"{name}_proj_weight"] for name in "qkv")
        found = {"q.weights": q.T, "kv.weights": np.concatenate([k, v]).T}
        if unit.use_bias:
            biases = theirs["in_proj_bias"][None, :]
            found |= {"q.biases": biases[:, :d], "kv.biases": biases[:, d:]}
        return {**found, **super().into(unit, theirs)}
