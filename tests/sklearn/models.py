"""Functions that build models, in a module, so that other processes find them."""

import nnfs_xp as nx


def classifier(n_inputs, n_outputs, width=100, seed=0):
    return nx.Model(
        [
            nx.Dense(n_inputs, width),
            nx.ReLU(),
            nx.Dense(width, n_outputs),
            nx.Softmax(),
        ],
        loss="categorical_crossentropy",
        optimizer=nx.Adam(0.002),
        dtype="float64",
        seed=seed,
    )


def regressor(n_inputs, n_outputs, width=100, seed=0):
    return nx.Model(
        [nx.Dense(n_inputs, width), nx.ReLU(), nx.Dense(width, n_outputs)],
        loss="mean_squared_error",
        optimizer=nx.Adam(0.002),
        dtype="float64",
        seed=seed,
    )
