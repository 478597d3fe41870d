"""Computation graph

This graph shows the forward values and the gradients of a neuron with two inputs and a
ReLU, as in the chapters.
"""

from nnfs_xp.plots import computation_graph

places = {
    "$x_0 w_0$": (0, 0),
    "$x_1 w_1$": (0, 1),
    "$b$": (0, 2),
    "sum $z$": (1.4, 1),
    "ReLU $y$": (2.8, 1),
}
edges = [
    ("$x_0 w_0$", "sum $z$", "-3", "1"),
    ("$x_1 w_1$", "sum $z$", "8", "1"),
    ("$b$", "sum $z$", "1", "1"),
    ("sum $z$", "ReLU $y$", "6", "1"),
]
figure = computation_graph(places, edges, "A neuron, forward and backward")
