"""The command ``nnfs-xp``."""

from nnfs_xp.cli.main import main

__all__ = ["main"]
