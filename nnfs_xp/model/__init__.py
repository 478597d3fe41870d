"""Models: layers, a loss and an optimizer, put together to be trained."""

from nnfs_xp.model.model import Model

__all__ = ["Model"]
