"""Text generation with a trained network."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from nnfs_xp.arguments import check_count, check_rate, check_seed
from nnfs_xp.backends import to_numpy
from nnfs_xp.data.vocabulary import Vocabulary
from nnfs_xp.errors import InputError
from nnfs_xp.random import Stream

if TYPE_CHECKING:
    from nnfs_xp.model import Model


def sample_text(
    model: Model,
    prompt: str = "\n",
    length: int = 200,
    *,
    temperature: float = 1.0,
    seed: int = 0,
) -> str:
    """Generate text with a network, one character after another.

    The logits ``z`` of what comes next give the probabilities ``softmax(z /
    temperature)``, and a number ``u`` from the stream of the seed chooses the first
    character whose cumulated probability exceeds it. The text is the same on every
    backend, as long as rounding moves no probability past a ``u``.

    Parameters
    ----------
    model : Model
        Maps ids (n, t) to logits (n, t, k), each from those before it only, as a
        causal transformer does. Its ``metadata`` hold ``"vocabulary"``, as a
        `Vocabulary` writes it, and ``"context"``, the length of its windows.
    prompt : str, default newline
        The text to continue. The network sees as much of its end as fits.
    length : int, default 200
        Number of characters, or bytes, to generate.
    temperature : float, default 1.0
        Values below 1 favour the most probable characters; 0 always picks the most
        probable one.
    seed : int, default 0
        Seed of the draws.

    Returns
    -------
    str
        What follows the prompt.

    Raises
    ------
    InputError
        If the model has no vocabulary, the prompt is empty or has characters that are
        unknown to it, or an argument does not fit.

    References
    ----------
    Graves, "Generating Sequences With Recurrent Neural Networks", arXiv:1308.0850
    (2013).

    Examples
    --------
    >>> import numpy as np
    >>> from nnfs_xp import Embedding, Model
    >>> from nnfs_xp.data import Vocabulary, sample_text
    >>> model = Model([Embedding(2, 2)])
    >>> model.layers[0].weights = np.array([[-9, 9], [9, -9]], "float32")
    >>> model.metadata = {"vocabulary": Vocabulary.of("ab").to_dict(), "context": 4}
    >>> sample_text(model, "a", 5)
    'babab'
    """
    vocabulary, context = vocabulary_of(model)
    try:
        ids = vocabulary.encode(prompt)
    except InputError as error:
        raise InputError(f"prompt: {error}") from error
    if not len(ids):
        raise InputError("prompt must hold at least one character")
    count = check_count(length, "length")
    check_rate(temperature, "temperature")
    draws = Stream(check_seed(seed), "text").uniform((count,))
    written = ids.tolist()
    for u in draws:
        last = written[-context:]
        # Always of one length, because JAX compiles for each; the padding is not seen.
        row = np.zeros((1, context), np.int32)
        row[0, : len(last)] = last
        logits = to_numpy(model.predict(row))
        if logits.shape != (*row.shape, vocabulary.n_ids):
            raise InputError(
                f"model must give logits {(*row.shape, vocabulary.n_ids)}, of what "
                f"comes next at each place, got {logits.shape}"
            )
        of_last = logits[0, len(last) - 1].astype(np.float64)
        written.append(_chosen(of_last, temperature, u))
    return vocabulary.decode(written[len(ids) :])


def vocabulary_of(model: Model) -> tuple[Vocabulary, int]:
    """Return the vocabulary and the window length that a model was trained with.

    Raises
    ------
    InputError
        If it does not say so.
    """
    known = getattr(model, "metadata", None)
    if known is None:
        raise InputError(f"model must be a Model, got {model!r}")
    if "vocabulary" not in known or "context" not in known:
        raise InputError(
            "model: it does not say which characters its ids are; set "
            "model.metadata['vocabulary'] = text.vocabulary.to_dict() and "
            "model.metadata['context'] = text.context"
        )
    context = check_count(known["context"], "model.metadata['context']")
    return Vocabulary.from_dict(known["vocabulary"]), context


def _chosen(logits: np.ndarray, temperature: float, u: float) -> int:
    """Return the place that a number of [0, 1) chooses."""
    if not np.isfinite(logits).all():
        raise InputError("model: its logits are not finite, so nothing can be drawn")
    if temperature == 0:
        return int(np.argmax(logits))
    cumulated = np.cumsum(np.exp((logits - logits.max()) / temperature))
    place = np.searchsorted(cumulated, u * cumulated[-1], side="right")
    return int(min(place, len(logits) - 1))
