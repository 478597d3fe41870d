"""Initial values of parameters.

All of them draw from a host stream in float64, so a seed gives the same
values on every backend, bit for bit.
"""

from nnfs_xp.initializers.base import Initializer
from nnfs_xp.initializers.constant import Constant, Ones, Zeros
from nnfs_xp.initializers.normal import GlorotNormal, HeNormal, Normal
from nnfs_xp.initializers.orthogonal import Orthogonal
from nnfs_xp.initializers.uniform import GlorotUniform, HeUniform, Uniform

__all__ = [
    "Constant",
    "GlorotNormal",
    "GlorotUniform",
    "HeNormal",
    "HeUniform",
    "Initializer",
    "Normal",
    "Ones",
    "Orthogonal",
    "Uniform",
    "Zeros",
]
