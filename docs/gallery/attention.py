"""Attention weights

This figure shows the attention weights for a sequence of letters. The task is to
predict the letter that followed an earlier occurrence of the last letter, and the
network has learned to attend to that position.
"""

import numpy as np

from nnfs_xp import (
    Adam,
    Dense,
    Embedding,
    Model,
    MultiHeadAttention,
    Reshape,
    SoftmaxCrossEntropy,
    to_numpy,
)
from nnfs_xp.plots import style

# Each row has six letters in random order, followed by one of the first five.
random = np.random.default_rng(0)
order = np.argsort(random.random((1200, 6)), axis=1)
place = random.integers(0, 5, 1200)
rows = np.arange(1200)
ids = np.column_stack([order, order[rows, place]])
answers = order[rows, place + 1]
# The inputs at each position are its letter and the previous letter.
pairs = np.stack([ids, np.roll(ids, 1, axis=1)], axis=-1)
pairs[:, 0, 1] = ids[:, 0]

model = Model(
    [
        Embedding(6, 8),
        Reshape((7, 16)),
        MultiHeadAttention(16, 1),
        Reshape((7 * 16,)),
        Dense(7 * 16, 6),
    ],
    loss=SoftmaxCrossEntropy(),
    optimizer=Adam(0.01),
)
model.fit(pairs[1:], answers[1:], epochs=12, batch_size=50)

# The weights for the first row, which was not used in training.
embedding, reshape, attention = model.layers[:3]
inputs = reshape.forward(embedding.forward(pairs[:1]))
projected = to_numpy(attention.children["qkv"].forward(inputs))[0]
queries, keys, _ = np.split(projected, 3, axis=1)
scores = np.exp(queries @ keys.T / 4)
weights = scores / scores.sum(axis=1, keepdims=True)

figure = style.new_figure(4.6, 4.2)
ax = figure.subplots()
ax.imshow(weights, cmap="Blues", vmin=0, vmax=1)
letters = ["abcdef"[number] for number in ids[0]]
ax.set_xticks(range(7), letters)
ax.set_yticks(range(7), letters)
style.set_title(ax, "Weights of attention")
style.set_labels(ax, "key: which letter is looked at", "query: which letter looks")
