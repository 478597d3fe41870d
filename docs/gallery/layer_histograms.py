"""Histograms of any arrays

``layer_histograms`` accepts any arrays. Here, it compares the weights from three
initializers for the same layer.
"""

from nnfs_xp import Dense
from nnfs_xp.plots import layer_histograms

names = ["glorot_uniform", "he_normal", "orthogonal"]
weights = {name: Dense(64, 64, weight_initializer=name).weights for name in names}
figure = layer_histograms(weights, "weight")
