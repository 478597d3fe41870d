"""What a training run leaves behind: one record for each epoch."""

from __future__ import annotations

from typing import Any


class History:
    """Figures of every epoch of a call of `Model.fit`.

    Attributes
    ----------
    epochs : list of dict
        One record for each epoch: ``epoch`` (counted from 1 over the life of
        the model), ``loss``, ``accuracy``, ``seconds``,
        ``samples_per_second``, ``learning_rate``, and with validation data
        ``validation_loss`` and ``validation_accuracy``. Loss and accuracy are
        means over the batches as they were seen, while the network was
        learning.

    Examples
    --------
    >>> from nnfs_xp.history import History
    >>> history = History()
    >>> history.epochs.append({"epoch": 1, "loss": 0.7})
    >>> history["loss"]
    [0.7]
    """

    def __init__(self) -> None:
        self.epochs: list[dict[str, Any]] = []

    def __getitem__(self, name: str) -> list[Any]:
        """Return one figure of every epoch."""
        return [record[name] for record in self.epochs]

    @property
    def history(self) -> dict[str, list[Any]]:
        """Lists by the name of the figure, as Keras gives them."""
        names = self.epochs[0] if self.epochs else {}
        return {name: self[name] for name in names}

    def __len__(self) -> int:
        return len(self.epochs)

    def __repr__(self) -> str:
        return f"History({len(self)} epochs: {', '.join(self.history) or 'none'})"
