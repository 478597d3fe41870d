"""Histograms of any arrays

The function accepts any arrays. Here, it compares three initializers for the same
layer.
"""

from nnfs_xp import Dense
from nnfs_xp.plots import layer_histograms

names = ["glorot_uniform", "he_normal", "orthogonal"]
weights = {name: Dense(64, 64, weight_initializer=name).weights for name in names}
figure = layer_histograms(weights, "weight")
