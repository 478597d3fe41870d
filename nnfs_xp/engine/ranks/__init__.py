"""Training on several ranks: each takes a part of every batch, and all learn the same.

A rank computes the gradient of its part. The gradients are added up over all ranks,
with the statistics of the batch, and every rank then takes the same step.
"""

from nnfs_xp.engine.ranks.run import RanksRun
from nnfs_xp.engine.ranks.shares import RanksPlan, Share, check_split
from nnfs_xp.engine.ranks.trainer import RanksTrainer

__all__ = ["RanksPlan", "RanksRun", "RanksTrainer", "Share", "check_split"]
