"""Cases of every initializer."""

import nnfs_xp as nx

INITIALIZERS = {
    # Each with its expected mean and standard deviation for shape (300, 200).
    "Constant": [(lambda: nx.Constant(0.5), 0.5, 0.0)],
    "Zeros": [(nx.Zeros, 0.0, 0.0)],
    "Ones": [(nx.Ones, 1.0, 0.0)],
    "Normal": [(nx.Normal, 0.0, 0.01), (lambda: nx.Normal(0.1), 0.0, 0.1)],
    "Uniform": [(lambda: nx.Uniform(0.3), 0.0, 0.3 / 3**0.5)],
    "GlorotUniform": [(nx.GlorotUniform, 0.0, (2 / 500) ** 0.5)],
    "GlorotNormal": [(nx.GlorotNormal, 0.0, (2 / 500) ** 0.5)],
    "HeNormal": [(nx.HeNormal, 0.0, (2 / 300) ** 0.5)],
    "HeUniform": [(nx.HeUniform, 0.0, (2 / 300) ** 0.5)],
    "Orthogonal": [
        (nx.Orthogonal, 0.0, (1 / 300) ** 0.5),
        (lambda: nx.Orthogonal(gain=2.0), 0.0, 2 * (1 / 300) ** 0.5),
    ],
}
