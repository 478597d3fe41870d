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
    "LeCunNormal": [(nx.LeCunNormal, 0.0, (1 / 300) ** 0.5)],
    "LeCunUniform": [(nx.LeCunUniform, 0.0, (1 / 300) ** 0.5)],
    "VarianceScaling": [
        (nx.VarianceScaling, 0.0, (1 / 300) ** 0.5),
        (lambda: nx.VarianceScaling(4.0, "fan_out"), 0.0, (4 / 200) ** 0.5),
        (
            lambda: nx.VarianceScaling(0.5, "fan_average", "truncated_normal"),
            0.0,
            (0.5 / 250) ** 0.5,
        ),
        (lambda: nx.VarianceScaling(2.0, "fan_in", "uniform"), 0.0, (2 / 300) ** 0.5),
    ],
    "TruncatedNormal": [
        # 0.8796 is the root of 1 - 4 phi(2) / (Phi(2) - Phi(-2)).
        (nx.TruncatedNormal, 0.0, 0.05 * 0.8796256610342398),
        (lambda: nx.TruncatedNormal(0.1), 0.0, 0.1 * 0.8796256610342398),
    ],
    "Identity": [
        (nx.Identity, 1 / 300, (1 / 300 - 1 / 300**2) ** 0.5),
        (lambda: nx.Identity(2.0), 2 / 300, 2 * (1 / 300 - 1 / 300**2) ** 0.5),
    ],
    "HeNormal": [(nx.HeNormal, 0.0, (2 / 300) ** 0.5)],
    "HeUniform": [(nx.HeUniform, 0.0, (2 / 300) ** 0.5)],
    "Orthogonal": [
        (nx.Orthogonal, 0.0, (1 / 300) ** 0.5),
        (lambda: nx.Orthogonal(gain=2.0), 0.0, 2 * (1 / 300) ** 0.5),
    ],
}
