"""Any arrays

Three initializers for the same layer, side by side.
"""

from nnfs_xp import Dense
from nnfs_xp.plots import layer_histograms

names = ["glorot_uniform", "he_normal", "orthogonal"]
weights = {name: Dense(64, 64, weight_initializer=name).weights for name in names}
figure = layer_histograms(weights, "weight")
