"""Texts: ids by characters and bytes, windows, and what a network writes."""

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import nnfs_xp as nx
from nnfs_xp.data import Vocabulary, load_dataset, load_text, sample_text
from nnfs_xp.random import Stream
from tests.conftest import backend_or_skip

VERSE = "Du, dû; 猫 and 🙂:\n" * 40


@pytest.fixture
def verse(tmp_path):
    path = tmp_path / "verse.txt"
    path.write_text(VERSE, encoding="utf-8")
    return path


def test_the_packaged_text():
    text = load_text()
    assert text.name == "text" and "Shakespeare" in text.note
    assert (len(text.ids_train), len(text.ids_test)) == (285_323, 31_703)
    whole = text.vocabulary.decode(np.concatenate([text.ids_train, text.ids_test]))
    assert whole.startswith("First Citizen:\nBefore we proceed")
    assert whole.endswith("God say amen!\n")
    for word in ("Gutenberg", "\r", "http"):
        assert word not in whole


@settings(max_examples=50, deadline=None)
@given(st.text(st.characters(exclude_categories=["Cs"]), min_size=1))
def test_ids_and_back(content):
    for by in ("characters", "bytes"):
        vocabulary = Vocabulary.of(content, by)
        ids = vocabulary.encode(content)
        assert ids.dtype == np.int32 and ids.max() < vocabulary.n_ids
        assert vocabulary.decode(ids) == content
        again = Vocabulary.from_dict(json.loads(json.dumps(vocabulary.to_dict())))
        assert again == vocabulary
    assert Vocabulary.of(content).n_ids == len(set(content))


def test_unknown_characters_are_named():
    vocabulary = Vocabulary.of("abc")
    with pytest.raises(
        nx.InputError, match=r"'é' \(U\+00E9\), '猫' \(U\+732B\); .* 1 "
    ):
        vocabulary.encode("aé猫é")
    with pytest.raises(nx.InputError, match=r"of 3: .* and 2 more; the first"):
        vocabulary.encode("ABCDEFG")
    assert vocabulary.encode("").shape == (0,)


def test_bytes_that_are_no_text():
    assert Vocabulary("bytes").decode([104, 195]) == "h�"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("words",), "by must be"),
        (("characters",), "at least one character"),
        (("characters", "aba"), "'a' is twice"),
        (("characters", 3), "must be a string"),
        (("bytes", "a"), "must be empty"),
    ],
)
def test_vocabularies_that_are_none(arguments, message):
    with pytest.raises(nx.InputError, match=message):
        Vocabulary(*arguments)


@pytest.mark.parametrize("ids", [[-1], [3], [0, 99]])
def test_ids_beyond_the_vocabulary(ids):
    with pytest.raises(nx.InputError, match="ids must be from 0 to 2"):
        Vocabulary.of("abc").decode(ids)
    with pytest.raises(nx.InputError, match="must be integers"):
        Vocabulary.of("abc").decode([0.5])
    with pytest.raises(nx.InputError, match="got 9223372036854775808 to"):
        Vocabulary.of("abc").decode(np.array([2**63], "uint64"))


@pytest.mark.parametrize("content", [None, {}, {"by": "bytes"}, ["bytes", ""]])
def test_dictionaries_that_are_no_vocabulary(content):
    with pytest.raises(nx.InputError, match="a vocabulary has the keys"):
        Vocabulary.from_dict(content)


def test_windows_and_what_follows(verse):
    text = load_text(verse, context=8, test_share=0.25)
    ids = text.vocabulary.encode(VERSE)
    np.testing.assert_array_equal(np.concatenate([text.ids_train, text.ids_test]), ids)
    assert len(text.ids_test) == len(ids) // 4
    for stride in (8, 3):
        x, y = text.windows("train", None if stride == 8 else stride)
        starts = range(0, len(text.ids_train) - 8, stride)
        assert x.shape == y.shape == (len(starts), 8)
        for row, start in enumerate(starts):
            assert x[row].tolist() == ids[start : start + 8].tolist()
            assert y[row].tolist() == ids[start + 1 : start + 9].tolist()
    with pytest.raises(nx.InputError, match="'train' or 'test', not 'all'"):
        text.windows("all")
    with pytest.raises(nx.InputError, match="stride must be"):
        text.windows("train", 0)


def test_lines_of_other_systems_and_a_mark_of_order(tmp_path):
    path = tmp_path / "mac.txt"
    path.write_bytes(b"\xef\xbb\xbfone\r\ntwo\rthree\n" * 2)
    text = load_text(path, context=2)
    whole = text.vocabulary.decode(np.concatenate([text.ids_train, text.ids_test]))
    assert whole.replace("\ufeff", "") == "one\ntwo\nthree\n" * 2


def test_a_text_with_the_vocabulary_of_another(verse, tmp_path):
    known = load_text(verse, context=8).vocabulary
    other = tmp_path / "other.txt"
    other.write_text("and and and\n" * 20)
    text = load_text(other, context=8, vocabulary=known)
    assert text.vocabulary is known
    assert known.decode(text.ids_train[:4]) == "and "
    other.write_text("zzz" * 90)
    with pytest.raises(nx.InputError, match=r"other.txt: text holds .* 'z'"):
        load_text(other, context=8, vocabulary=known)


def test_a_unit_beside_a_vocabulary_of_another(verse):
    characters, text = load_text(verse, context=8).vocabulary, Vocabulary("bytes")
    assert load_text(verse, context=8, by="bytes", vocabulary=text).vocabulary is text
    assert load_text(verse, context=8, vocabulary=text).vocabulary is text
    for by, known in (("bytes", characters), ("characters", text), ("words", text)):
        with pytest.raises(nx.InputError, match=f"^by must be .*{known.by}.* '{by}'"):
            load_text(verse, by=by, vocabulary=known)


def test_files_that_are_no_text(tmp_path):
    path = tmp_path / "a.txt"
    for content, message in (
        (b"", "is empty"),
        (b"short", "a window of 64 needs 65 in each"),
    ):
        path.write_bytes(content)
        with pytest.raises(nx.InputError, match=message):
            load_text(path)
    path.write_bytes(b"abc\xff")
    with pytest.raises(nx.FileFormatError, match="not in UTF-8: byte 3 is 255"):
        load_text(path)
    for name in ("no/such.txt", "", tmp_path):
        with pytest.raises(nx.InputError, match="the packaged text is 'text'"):
            load_text(name)
    with pytest.raises(nx.InputError, match="name_or_path must be a name or a path"):
        load_text(3)
    for known in ("abc", {"by": "bytes", "characters": ""}, 3, []):
        with pytest.raises(nx.InputError, match="^vocabulary must be a Vocabulary"):
            load_text(vocabulary=known)


@pytest.mark.parametrize(
    "options",
    [{"context": 0}, {"by": "words"}, {"test_share": 2}, {"test_share": 0}],
    ids=str,
)
def test_options_that_do_not_fit(options):
    with pytest.raises(nx.InputError):
        load_text(**options)


def test_other_readers_point_here(verse, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in (verse, "text"):
        with pytest.raises(
            nx.InputError, match="load_text reads .*nnfs-xp train --net gpt"
        ):
            load_dataset(name)


class Previous(nx.Layer):
    """Logits of what comes next, out of this character and the one before."""

    def __init__(self, **where):
        super().__init__(**where)
        self.children = {"table": nx.Embedding(5, 5, seed=3)}
        self.integer_inputs = 5

    def fwd(self, cx, ids):
        now, _ = cx["table"].fwd(ids)
        zeros = cx.be.zeros((ids.shape[0], 1, 5))
        before = cx.xp.concat([zeros, now[:, :-1, :]], axis=1)
        return now + 0.5 * before, ()

    def output_shape(self, shape):
        return None if shape is None else (*shape, 5)


def writer(backend="numpy", **where):
    model = nx.Model([Previous()], backend=backend, **where)
    model.metadata = {"vocabulary": Vocabulary.of("abcde").to_dict(), "context": 6}
    return model


def by_hand(model, prompt, length, temperature, seed):
    """The same, a character at a time, with no window."""
    table = np.float64(nx.to_numpy(model.layers[0].children["table"].weights))
    ids, draws = list(prompt), Stream(seed, "text").uniform((length,))
    for u in draws:
        before = table["abcde".index(ids[-2])] if len(ids) > 1 else 0
        z = table["abcde".index(ids[-1])] + 0.5 * before
        p = np.exp(z / temperature) / np.exp(z / temperature).sum()
        ids.append("abcde"[int((p.cumsum() <= u).sum())])
    return "".join(ids[len(prompt) :])


@pytest.mark.parametrize(
    ("prompt", "temperature", "seed"), [("a", 1.0, 0), ("edcbaabcde", 0.5, 7)]
)
def test_what_is_written_is_what_the_draws_choose(
    backend_name, prompt, temperature, seed
):
    model = writer(backend_or_skip(backend_name, "float32"))
    options = {"temperature": temperature, "seed": seed}
    found = sample_text(model, prompt, 60, **options)
    assert found == by_hand(model, prompt, 60, **options)
    assert found == sample_text(model, prompt, 60, **options)
    assert found != sample_text(model, prompt, 60, temperature=temperature, seed=99)


def test_without_heat_the_most_probable_is_taken():
    model = writer()
    found = sample_text(model, "a", 10, temperature=0)
    assert found == sample_text(model, "a", 10, temperature=1e-9, seed=5)
    assert sample_text(model, "a", 10, temperature=0, seed=1) == found


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"prompt": ""}, "prompt must hold"),
        ({"prompt": "xyz"}, "prompt: .*'x'.*'y'.*'z'"),
        ({"prompt": 3}, "prompt: .*3"),
        ({"prompt": "a\ud800"}, "prompt: .*U\\+D800"),
        ({"model": None}, "model must be a Model, got None"),
        ({"model": "gpt"}, "model must be a Model, got 'gpt'"),
        ({"length": 0}, "length must be"),
        ({"temperature": -1}, "temperature must be"),
        ({"seed": -1}, "seed must be"),
    ],
)
def test_what_cannot_be_written(options, message):
    with pytest.raises(nx.InputError, match=message):
        sample_text(**{"model": writer(), "prompt": "a", **options})


def test_a_model_that_knows_no_characters():
    model = writer()
    del model.metadata["context"]
    with pytest.raises(nx.InputError, match="does not say which characters"):
        sample_text(model, "a")


def test_a_model_that_writes_nothing():
    model = nx.Model([nx.Embedding(3, 2), nx.Flatten(), nx.Dense(8, 3)])
    model.metadata = {"vocabulary": Vocabulary.of("abc").to_dict(), "context": 4}
    with pytest.raises(nx.InputError, match=r"model must give logits .*got \(1, 3\)"):
        sample_text(model, "a")
    model = nx.Model([nx.Embedding(3, 2)])
    model.metadata = {"vocabulary": Vocabulary.of("abc").to_dict(), "context": 4}
    with pytest.raises(nx.InputError, match=r"logits \(1, 4, 3\), .*\(1, 4, 2\)"):
        sample_text(model, "a")


def test_what_is_no_character_of_unicode():
    for vocabulary in (Vocabulary("bytes"), Vocabulary.of("abc")):
        with pytest.raises(nx.InputError, match=r"text holds .*U\+D800"):
            vocabulary.encode("a\ud800")
    for text in (3, None, b"abc", ["a"]):
        with pytest.raises(nx.InputError, match="text must be a string"):
            Vocabulary.of(text)
    for ids in ([[0], [0, 1]], "abc", [10**30]):
        with pytest.raises(nx.InputError, match="ids must be integers"):
            Vocabulary.of("abc").decode(ids)


def test_logits_that_are_none():
    model = writer()
    model.layers[0].children["table"].weights = np.full((5, 5), np.nan, "float32")
    with pytest.raises(nx.InputError, match="not finite"):
        sample_text(model, "a")
