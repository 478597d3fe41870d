"""The arrays of a model: its parameters and everything that learns with them."""

from __future__ import annotations

from typing import Any

from nnfs_xp.arguments import check_count
from nnfs_xp.backends import Array
from nnfs_xp.errors import InputError
from nnfs_xp.step import Network, State, empty_statistics, initial_state
from nnfs_xp.trees import leaves, map_leaves

Named = dict[str, Any]
# How the names begin of what is saved beside the parameters, to go on learning.
LEARNING_STATE = ("optimizer.", "scaling.")


class ModelState:
    """State tree of a network, as its layers and files know it.

    Parameters
    ----------
    network : Network
        What the tree belongs to.
    parameters : dict
        Initial values by name, on the host or on the network's backend.
    """

    def __init__(self, network: Network, parameters: Named) -> None:
        self.network = network
        # How often the optimizer has been called, known without reading it back.
        self.steps = 0
        self.last_rate: float | None = None
        self._rate_written: float | None = None
        with network.backend.context():
            blocks = network.layout.pack(parameters)
            self.tree: State = initial_state(network, blocks)

    def layer_parameters(self, index: int) -> dict[str, Array]:
        """Return the parameters of one layer, as they are now.

        Where arrays can be written to they are views, which follow training.
        Elsewhere they are copies: a compiled step takes the memory of its
        inputs, and whoever reads a parameter must be able to keep it.
        """
        views = self.network.layout.views(self.tree["parameters"])[index]
        return {name: self._readable(array) for name, array in views.items()}

    def _readable(self, array: Array) -> Array:
        be = self.network.backend
        return array if be.in_place else be.xp.asarray(array, copy=True)

    def assign_parameter(self, index: int, name: str, value: Array) -> None:
        """Replace the values of one parameter."""
        be, layout = self.network.backend, self.network.layout
        views = layout.views(self.tree["parameters"])
        with be.context():
            if be.in_place:
                views[index][name][...] = value
            else:
                views[index][name] = value
                layout.write(self.tree["parameters"], views)

    def parameters(self) -> Named:
        """Return every parameter by name, such as ``layers.0.weights``."""
        named = self.network.layout.unpack(self.tree["parameters"])
        return {name: self._readable(array) for name, array in named.items()}

    def detach(self) -> None:
        """Copy all arrays, so that a step may give up the memory of the old.

        A compiled step on JAX reuses the memory of its input. Whoever still
        holds an array from before a call of ``fit`` must find it intact.
        """
        copy = self.network.backend.xp.asarray
        self.tree.pop("batch", None)
        self.tree = map_leaves(lambda leaf: copy(leaf, copy=True), self.tree)

    def reset_totals(self, outputs: tuple[int, ...]) -> None:
        """Begin new statistics, for outputs of a shape."""
        self.tree.pop("clock", None)
        self.tree.pop("batch", None)
        self.tree["totals"] = empty_statistics(self.network, outputs)

    def start_clock(self, step: int, outputs: tuple[int, ...]) -> None:
        """Count steps and rows on the device, beginning with this step.

        Statistics get places of their own too, which they keep: whoever has
        captured a step goes on writing to them.
        """
        be = self.network.backend
        count = be.xp.full((), step, dtype=be.xp.int32, device=be.device)
        self.tree["clock"] = {"row": be.zeros((), be.xp.int32), "step": count}
        for name in ("totals", "batch"):
            self.tree[name] = empty_statistics(self.network, outputs)

    def restart_clock(self) -> None:
        """Begin an epoch: no row was seen yet, and no statistics are known."""
        clock = self.tree["clock"]
        for leaf in (clock["row"], *leaves(self.tree["totals"])):
            leaf[...] = 0

    def begin_step(self) -> None:
        """Count a step, and let it have its learning rate."""
        self.write_rate()
        self.last_rate = self._rate_written
        self.steps += 1

    def write_rate(self) -> None:
        """Let the next step have the learning rate that the optimizer says."""
        optimizer = self.network.optimizer
        if optimizer is not None:
            self._rate_written = optimizer.write_rate(
                self.network.backend,
                self.tree["optimizer"],
                self.steps,
                self._rate_written,
            )

    def export(self) -> Named:
        """Return host copies of parameters and of the state of learning, by name."""
        self.write_rate()
        be = self.network.backend
        named = self.parameters()
        for key, value in self.tree.get("optimizer", {}).items():
            if isinstance(value, dict):
                for name, array in self.network.layout.unpack(value).items():
                    named[f"optimizer.{key}.{name}"] = array
            else:
                named[f"optimizer.{key}"] = value
        for key, value in self.tree.get("scaling", {}).items():
            named[f"scaling.{key}"] = value
        return {name: be.to_numpy(array) for name, array in named.items()}

    def restore_optimizer(self, named: Named) -> None:
        """Take over the state of learning that `export` returned, if it is there.

        Without loss scaling here, or there, the one of this network stays as it is.

        Raises
        ------
        InputError
            If it is that of another optimizer or network.
        """
        be, optimizer = self.network.backend, self.tree.get("optimizer", {})
        scaling = self.tree.get("scaling", {})
        for key, value in scaling.items():
            number = named.get(f"scaling.{key}", value)
            if number.shape != ():
                raise InputError(f"there is no number scaling.{key}")
            scaling[key] = be.asarray(number, value.dtype)
        saved = {
            name.removeprefix("optimizer."): value
            for name, value in named.items()
            if name.startswith("optimizer.")
        }
        if not saved:
            return
        for key, value in optimizer.items():
            if isinstance(value, dict):
                moments = {
                    name.removeprefix(f"{key}."): array for name, array in saved.items()
                }
                optimizer[key] = self.network.layout.pack(moments)
            elif key in saved and saved[key].shape == ():
                optimizer[key] = be.asarray(saved[key], value.dtype)
            else:
                raise InputError(f"there is no number optimizer.{key}")
        self.steps = check_count(saved["step"].item(), "optimizer.step", least=0)
