"""Activations: layers without parameters."""

from nnfs_xp.activations.elu import ELU
from nnfs_xp.activations.gelu import GELU
from nnfs_xp.activations.leaky_relu import LeakyReLU
from nnfs_xp.activations.linear import Linear
from nnfs_xp.activations.log_softmax import LogSoftmax
from nnfs_xp.activations.relu import ReLU
from nnfs_xp.activations.sigmoid import Sigmoid
from nnfs_xp.activations.silu import SiLU
from nnfs_xp.activations.softmax import Softmax
from nnfs_xp.activations.softplus import Softplus
from nnfs_xp.activations.tanh import Tanh

__all__ = [
    "ELU",
    "GELU",
    "LeakyReLU",
    "Linear",
    "LogSoftmax",
    "ReLU",
    "SiLU",
    "Sigmoid",
    "Softmax",
    "Softplus",
    "Tanh",
]
