"""Columns of categories, and columns that are left out."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest

import nnfs_xp as nx
from nnfs_xp.cli.main import main
from nnfs_xp.data import load_dataset, load_examples
from nnfs_xp.data.one_hot import MOST_VALUES, names_before

N = 40
FRAME = pd.DataFrame(
    {
        "id": np.arange(N) + 7,
        "sex": np.where(np.arange(N) % 3, "male", "female"),
        "age": np.arange(N) % 11 + 0.5,
        "class": np.arange(N) % 4 + 1,
        "name": [f"person, {i}" for i in range(N)],
        "alive": np.where(np.arange(N) % 3, "no", "yes"),
    }
)
OPTIONS = {"label": "alive", "drop": ["name", "id"], "one_hot": ["class", "sex"]}


@pytest.fixture
def path(tmp_path):
    FRAME.to_csv(tmp_path / "people.csv", index=False)
    return tmp_path / "people.csv"


def encoded(frame):
    """Return what pandas makes of the same columns."""
    columns = [
        pd.get_dummies(frame[["sex"]], prefix_sep="=", dtype=float),
        frame[["age"]],
        pd.get_dummies(frame[["class"]].astype(str), prefix_sep="=", dtype=float),
    ]
    return pd.concat(columns, axis=1)


def test_a_feature_for_each_value(path):
    data = load_dataset(path, **OPTIONS)
    expected = encoded(FRAME)
    assert data.columns == tuple(expected.columns)
    assert data.one_hot == {"class": ("1", "2", "3", "4"), "sex": ("female", "male")}
    rows = np.concatenate([data.x_train, data.x_test])
    order = np.lexsort(rows.T)
    wanted = expected.to_numpy()
    np.testing.assert_array_equal(rows[order], wanted[np.lexsort(wanted.T)])


@pytest.mark.parametrize("library", ["pandas", "polars"])
def test_of_a_frame(path, library):
    frame = pytest.importorskip(library).read_csv(path)
    data, same = load_dataset(frame, **OPTIONS), load_dataset(path, **OPTIONS)
    np.testing.assert_array_equal(data.x_train, same.x_train)
    assert data.columns == same.columns and data.one_hot == same.one_hot


def test_other_rows_are_encoded_as_the_training_rows_were(path):
    data = load_dataset(path, **OPTIONS)
    options = {"columns": data.columns, "one_hot": data.one_hot}
    # One class alone, other columns and another order of them.
    few = FRAME[FRAME["class"] == 2][["age", "class", "sex"]]
    for drop, frame in (((), few), (["name", "id"], few.assign(name="x"))):
        found = load_examples(frame, drop=drop, n_features=7, **options)
        np.testing.assert_array_equal(
            found.x, encoded(FRAME)[FRAME["class"] == 2].to_numpy()
        )
        assert found.y is None and found.columns == data.columns
    with pytest.raises(nx.FileFormatError, match="row 1, column 2 .'class'.: '9' is "):
        load_examples(few.assign(**{"class": [2, 9, *few["class"][2:]]}), **options)
    with pytest.raises(nx.InputError, match="no column 'class' to encode"):
        load_examples(few[["age", "sex"]], **options)
    with pytest.raises(nx.InputError, match="missing: age; unknown: weight"):
        load_examples(few.rename(columns={"age": "weight"}), **options)


def test_missing_values_count_once_for_each_column(tmp_path):
    gaps = FRAME.astype({"class": object})
    gaps.loc[[3, 5], "sex"] = None
    gaps.loc[5, "class"] = None
    gaps.to_csv(tmp_path / "gaps.csv", index=False)
    # In the frame that is read, 2 is the float 2.0.
    path = tmp_path / "gaps.csv"
    with pytest.raises(nx.FileFormatError, match="2 in 'sex', 1 in 'class'; the first"):
        load_dataset(path, **OPTIONS)
    dropped = load_dataset(path, missing="drop", **OPTIONS)
    assert len(dropped.x_train) + len(dropped.x_test) == N - 2
    assert dropped.one_hot["class"] == ("1", "2", "3", "4")
    # A mean of a column of 0 and 1 is how often its value occurs.
    filled = load_dataset(path, missing="mean", **OPTIONS)
    female = filled.x_train[:, filled.columns.index("sex=female")]
    assert ((female > 0) & (female < 1)).sum() >= 1
    assert np.isfinite(filled.x_train).all() and np.isfinite(filled.x_test).all()


def test_without_names(tmp_path):
    path = tmp_path / "bare.csv"
    FRAME.to_csv(path, index=False, header=False)
    options = {"label": 5, "drop": [4, "0"], "one_hot": [1, 3]}
    data = load_dataset(path, **options)
    assert data.columns == () and list(data.one_hot) == [1, 3]
    found = load_examples(path, n_features=7, **{**options, "one_hot": data.one_hot})
    np.testing.assert_array_equal(found.x, encoded(FRAME).to_numpy())


def test_zeros_and_ones_are_no_pixels(tmp_path):
    frame = pd.DataFrame({f"x{i}": np.arange(200) % 5 * 60 for i in range(63)})
    frame = frame.assign(
        kind=np.where(np.arange(200) % 2, "a", "b"), y=frame["x0"] > 60
    )
    data = load_dataset(frame, label="y", one_hot="kind")
    assert len(data.scaling.offset) == 65


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"drop": ["nobody"]}, "no column 'nobody' to drop; it has columns id, sex"),
        ({"drop": ["alive"]}, "drop has the column of labels, 'alive'"),
        ({"drop": ["sex"]}, "no column 'sex' to encode"),
        ({"one_hot": ["alive"]}, "labels are not encoded"),
        ({"drop": 1.5}, "drop must be names or numbers of columns, got 1.5"),
        ({"one_hot": [True]}, "one_hot must be names or numbers of columns"),
        ({"drop": ["id"]}, "'name'.: 'person, 0' .*--drop name"),
    ],
)
def test_what_does_not_fit(path, options, message):
    with pytest.raises(nx.InputError, match=message):
        load_dataset(path, **{**OPTIONS, **options})


def test_a_value_for_each_row_is_no_category():
    frame = pd.DataFrame({"a": range(MOST_VALUES + 1), "b": 1.0, "y": 0.5})
    with pytest.raises(nx.InputError, match=r"1,001 different values; from 1 to 1,000"):
        load_dataset(frame, label="y", one_hot=["a"])
    with pytest.raises(nx.InputError, match="drop is for files; digits is built in"):
        load_dataset("digits", drop=["a"])
    with pytest.raises(nx.InputError, match="one_hot must be a dict of columns"):
        load_examples(frame, one_hot=["a"])
    with pytest.raises(nx.InputError, match="one_hot has a value of 'a' twice"):
        load_examples(frame, one_hot={"a": ["1", "2", 1]})


def test_names_that_would_not_be_unique():
    frame = FRAME[["sex", "age", "alive"]]
    with pytest.raises(nx.InputError, match="column 'sex=male' is called like"):
        load_dataset(frame.assign(**{"sex=male": 1.0}), label="alive", one_hot=["sex"])
    with pytest.raises(nx.InputError, match="drop leaves no feature"):
        load_dataset(frame, label="alive", drop=["sex", "age"])


def test_names_before():
    one_hot = {"a": ("1", "2"), "c": ("x",)}
    assert names_before(("b", "a=1", "a=2", "c=x", "d"), one_hot) == tuple("bacd")


def test_on_the_command_line(path, capsys, monkeypatch):
    monkeypatch.chdir(path.parent)
    words = "--label alive --drop name id --one-hot sex class --epochs 30 --quiet"
    assert main(["train", "--data", path.name, *words.split(), "--out", "run"]) == 0
    FRAME.drop(columns=["alive", "id"]).iloc[:9].to_csv("new.csv", index=False)
    capsys.readouterr()
    assert main(["predict", "run", "new.csv", "--json"]) == 0
    rows = json.loads(capsys.readouterr().out)["predictions"]
    assert [row["name"] for row in rows] == FRAME["alive"][:9].tolist()
    assert main(["evaluate", "run", path.name, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["accuracy"] == 1.0
    FRAME.replace("female", "unknown").to_csv("other.csv", index=False)
    assert main(["predict", "run", "other.csv"]) == 2
    assert "'unknown' is not a value that the model knows" in capsys.readouterr().err
