"""Chapters 20 to 22: a trained model is evaluated, kept and used."""

import re

import numpy as np
import pytest

import nnfs_xp
from tests.book import chapter_19, chapter_20, chapter_21, chapter_22
from tests.conftest import backend_or_skip


@pytest.fixture(params=["numpy", "jax", "cupy"])
def where(request):
    return {"backend": backend_or_skip(request.param, "float32")}


@pytest.fixture
def pictures():
    """Test images of chapter 19, prepared, with their labels."""
    *_, X_test, y_test = chapter_19.create_data_mnist("fashion-mnist-mini")
    prepared = (X_test.astype("float32") - 127.5) / 127.5
    return X_test, prepared, y_test


def predicted(model, X):
    return nnfs_xp.to_numpy(model.predict(X))


def test_evaluation_prints_and_does_not_depend_on_batches(where, capsys):
    model, (X_test, y_test) = chapter_20.main(epochs=2, **where)
    lines = re.findall(
        r"^validation, acc: (\S+), loss: (\S+)$", capsys.readouterr().out, re.M
    )
    # Two epochs, all test data, and 500 rows of them.
    assert len(lines) == 4
    assert lines[1] == lines[2] != lines[3]
    part = model.evaluate(X_test[:500], y_test[:500])
    assert f"{part['accuracy']:.3f}" == lines[3][0]
    assert f"{part['loss']:.3f}" == lines[3][1]


def test_parameters_make_the_same_network(where, tmp_path, pictures):
    _, X, y = pictures
    model = chapter_21.train_and_save(tmp_path, epochs=1, **where)
    expected = predicted(model, X)
    assert (expected.argmax(axis=1) == y).mean() > 0.5
    for again in (
        chapter_21.from_parameters(model),
        chapter_21.from_parameters_file(tmp_path, **where),
        chapter_21.from_model_file(tmp_path, **where),
    ):
        np.testing.assert_array_equal(predicted(again, X), expected)
        assert again.evaluate(X, y) == model.evaluate(X, y)


def test_a_model_is_used_where_it_was_not_trained(where, tmp_path, pictures):
    _, X, _ = pictures
    model = chapter_21.train_and_save(tmp_path, epochs=1, backend="numpy")
    again = chapter_21.from_model_file(tmp_path, **where)
    assert again.backend.name == where["backend"].name
    np.testing.assert_allclose(predicted(again, X), predicted(model, X), atol=1e-5)


def test_pictures_are_named(where, tmp_path, pictures):
    images, X, y = pictures
    model = chapter_21.train_and_save(tmp_path, epochs=2, **where)
    names = chapter_22.names_of(model, X)
    right = [
        name == chapter_22.fashion_mnist_labels[label]
        for name, label in zip(names, y.tolist(), strict=True)
    ]
    assert sum(right) / len(right) > 0.6
    for row in range(10):
        path = tmp_path / "fashion_mnist.model"
        assert chapter_22.main(path, images[row]) == names[row]
