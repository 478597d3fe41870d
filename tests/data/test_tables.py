"""Tables: which column is what, what is missing, and what a model expects."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from nnfs_xp import Adam, Dense, Model, ReLU, Softmax
from nnfs_xp.data import load_dataset, load_examples
from nnfs_xp.errors import DataWarning, FileFormatError, InputError
from nnfs_xp.random import Stream

FRAME = pd.DataFrame(
    {
        "kind": ["x", "y", "z"] * 10,
        "a": np.arange(30) / 4,
        "b": np.arange(30) * 100.0,
    }
)


@pytest.fixture
def write(tmp_path):
    """Write text to a file and give its path."""

    def to(text, name="a.csv"):
        path = tmp_path / name
        path.write_text(text)
        return path

    return to


def accuracy_of(data):
    model = Model(
        [Dense(data.n_features, 32), ReLU(), Dense(32, data.n_classes), Softmax()],
        loss="categorical_crossentropy",
        optimizer=Adam(0.01),
    )
    model.fit(data.features("train"), data.y_train, epochs=40, batch_size=32)
    return model.evaluate(data.features("test"), data.y_test)["accuracy"]


def test_columns_of_different_size_are_trained_on_alike(tmp_path):
    wine = pytest.importorskip("sklearn.datasets").load_wine(as_frame=True).frame
    wine.to_csv(tmp_path / "wine.csv", index=False)
    data = load_dataset(tmp_path / "wine.csv")
    x = data.features("train", "float64")
    np.testing.assert_allclose(x.mean(axis=0), 0, atol=1e-12)
    np.testing.assert_allclose(x.std(axis=0), 1)
    assert data.columns == tuple(wine.columns[:-1]) and data.label == "target"
    assert accuracy_of(data) > 0.9


@pytest.mark.parametrize("label", ["kind", 0, "0", -3])
def test_label_by_name_or_number(write, label):
    path = write(FRAME.to_csv(index=False))
    data = load_dataset(path, label=label)
    assert data.class_names == ("x", "y", "z") and data.columns == ("a", "b")
    assert data.label == "kind"
    assert load_examples(path, label=label, n_features=2).y[:4].tolist() == [0, 1, 2, 0]


@pytest.mark.parametrize("label", ["sort", 3, -4, "a,b", "3"])
def test_label_that_is_not_there(write, label):
    with pytest.raises(InputError, match=r"no column .* it has columns kind, a, b"):
        load_dataset(write(FRAME.to_csv(index=False)), label=label)


def test_digits_with_the_label_first(write):
    """As MNIST is copied: no header, and a last pixel that is always 0."""
    pixels = Stream(0, "pixels").uniform((200, 9)) // 0.01
    pixels[:, -1] = 0
    rows = [",".join(map(str, [i % 10, *row])) for i, row in enumerate(pixels)]
    path = write("\n".join(rows))
    with pytest.raises(InputError, match="one class, '0'.*--label.*0 is the first"):
        load_dataset(path)
    data = load_dataset(path, label=0)
    assert data.n_classes == 10 and data.label == 0
    np.testing.assert_array_equal(np.bincount(data.y_test), 4)
    assert load_examples(path, label=0).y[:11].tolist() == [*range(10), 0]
    # A file of as many columns as features has no labels, whatever their number.
    unlabelled = write("\n".join(row[2:] for row in rows), "b.csv")
    assert load_examples(unlabelled, label=0, n_features=9).y is None


@pytest.mark.parametrize("name", ["", "Unnamed: 0"])
def test_row_numbers_without_a_name_are_left_out(write, name):
    """Rows sorted by class, whose numbers would give it away."""
    noise = Stream(0, "noise").normal((150, 2))
    rows = [f"{i},{a:.3f},{b:.3f},{'xyz'[i // 50]}" for i, (a, b) in enumerate(noise)]
    path = write(f"{name},a,b,species\n" + "\n".join(rows))
    with pytest.warns(DataWarning, match="first column has no name and is left out"):
        data = load_dataset(path)
    assert data.columns == ("a", "b") and data.n_classes == 3
    assert accuracy_of(data) < 0.6


def test_a_header_that_counts(write):
    path = write("0,1,2,3\n5.5,0,1,0\n6,0,1,1\n7,1,1,0\n8,2,2,1\n")
    with pytest.warns(DataWarning, match="counts from 0 to 3"):
        data = load_dataset(path)
    assert data.columns == ("0", "1", "2")
    with pytest.warns(DataWarning):
        assert len(load_examples(path, columns=data.columns).x) == 4
    assert len(load_dataset(write("0,1\n5,0\n7,1\n8,1\n9,0\n", "b.csv")).x_train) == 4


def test_a_class_of_one_row_is_trained_on(write):
    rows = [f"{i},{'ab'[i % 2]}" for i in range(10)]
    path = write("\n".join(["a,label", *rows, "9,c"]))
    for seed in range(5):
        with pytest.warns(DataWarning, match="class 'c' has a single row"):
            data = load_dataset(path, seed=seed)
        assert 2 in data.y_train and 2 not in data.y_test


def test_the_test_part_has_a_fifth_of_each_class():
    frame = pd.DataFrame({"a": range(1000), "label": ["x"] * 900 + ["y"] * 100})
    first, other = (load_dataset(frame, seed=seed) for seed in (0, 1))
    assert np.bincount(first.y_test).tolist() == [180, 20]
    assert set(first.x_test.ravel()) != set(other.x_test.ravel())


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_delimiters(write, delimiter):
    path = write(FRAME.to_csv(index=False, sep=delimiter), "a.tsv")
    options = {"delimiter": delimiter} if delimiter == "|" else {}
    data = load_dataset(path, label="kind", **options)
    assert data.columns == ("a", "b") and len(data.x_train) == 24
    assert len(load_examples(path, label="kind", columns=("a", "b"), **options).x) == 30


@pytest.mark.parametrize("delimiter", ["", ", ", "\n", '"'])
def test_no_delimiter(write, delimiter):
    with pytest.raises(InputError, match="delimiter must be one character"):
        load_dataset(write("a,b\n1,2\n"), delimiter=delimiter)


GAPS = "a,b,kind\n1,,x\n2,3,y\n?,4,x\n4,5,y\n5,6,x\n6,NA,y\n9,9,x\n7,8,y\n"


def test_missing_values_are_counted(write):
    with pytest.raises(FileFormatError, match="2 in 'b', 1 in 'a'; .* in line 2"):
        load_dataset(write(GAPS))


def test_rows_that_lack_a_value_are_left_out(write):
    data = load_dataset(write(GAPS), missing="drop")
    assert sorted(np.concatenate([data.x_train, data.x_test])[:, 0]) == [2, 4, 5, 7, 9]
    path = write("a,kind\n1,x\n2,\n3,y\n4,x\n5,y\n", "b.csv")
    with pytest.raises(FileFormatError, match="line 3, column 2 .*label is missing"):
        load_dataset(path, missing="mean")
    assert sorted(load_examples(path, missing="drop").x.ravel()) == [1, 3, 4, 5]
    with pytest.raises(FileFormatError, match="no row is complete"):
        load_dataset(write("a,kind\n,x\n2,\n", "c.csv"), missing="drop")


def test_the_mean_of_the_training_rows_is_put_in(write):
    path = write(GAPS)
    data = load_dataset(path, missing="mean")
    assert len(data.x_train) + len(data.x_test) == 8
    given = {1: None, 2: 3, 4: 5, 5: 6, 6: None, 7: 8, 9: 9}
    known = [given[a] for a in data.x_train[:, 0] if given.get(a) is not None]
    known += [4] * (len(data.x_train) - sum(a in given for a in data.x_train[:, 0]))
    mean = data.scaling.offset[1]
    assert mean == pytest.approx(np.mean(known))
    examples = load_examples(path, missing="mean", means=data.scaling.offset)
    assert examples.x[0].tolist() == [1, mean]
    assert examples.x[2].tolist() == [data.scaling.offset[0], 4]
    with pytest.raises(InputError, match="column 'a' has no value"):
        load_dataset(write("a,b,kind\n,1,x\n,2,y\n,3,x\n,4,y\n"), missing="mean")


@pytest.mark.parametrize("word", ["None", "NA", "nan", "null"])
def test_a_class_may_have_such_a_name(write, word):
    path = write("a,kind\n" + "\n".join(f"{i},{[word, 'x'][i % 2]}" for i in range(10)))
    assert set(load_dataset(path).class_names) == {word, "x"}


def test_columns_in_another_order_are_reordered(write):
    for header, label in (("b,a,kind", None), ("kind,b,a", "kind"), ("b,kind,a", None)):
        frame = FRAME[header.split(",")]
        path = write(frame.to_csv(index=False))
        found = load_examples(path, columns=("a", "b"), n_features=2, label=label)
        np.testing.assert_array_equal(found.x, FRAME[["a", "b"]])
        assert found.y[:4].tolist() == [0, 1, 2, 0]
    found = load_examples(write("b,a\n1,2\n"), columns=("a", "b"), n_features=2)
    assert found.x.tolist() == [[2, 1]] and found.y is None


@pytest.mark.parametrize(
    ("header", "message"),
    [
        ("a,c,kind", "missing: b; unknown: c"),
        ("a,kind", "missing: b; unknown: "),
        ("a,b,c,kind", "missing: none; unknown: c"),
        ("A,b", "missing: a; unknown: A"),
    ],
)
def test_columns_of_other_names_are_refused(write, header, message):
    path = write(f"{header}\n" + ",".join("1" * len(header.split(","))) + "\n")
    with pytest.raises(InputError, match=f"not those of the model; {message}"):
        load_examples(path, columns=("a", "b"), n_features=2, label="kind")


def test_columns_without_names_are_taken_in_order_with_a_warning(write):
    with pytest.warns(DataWarning, match="no names .* order of the training, a, b"):
        found = load_examples(write("1,2\n3,4\n"), columns=("a", "b"), n_features=2)
    assert found.x.tolist() == [[1, 2], [3, 4]]


def test_frames(write):
    from_file = load_dataset(write(FRAME.to_csv(index=False)), label="kind")
    polars = pytest.importorskip("polars").DataFrame(FRAME.to_dict("list"))
    for frame in (FRAME, FRAME.astype({"kind": "category"}), polars):
        data = load_dataset(frame, label="kind")
        np.testing.assert_array_equal(data.x_test, from_file.x_test)
        np.testing.assert_array_equal(data.y_train, from_file.y_train)
        assert data.columns == ("a", "b") and data.name == "the DataFrame"
        assert load_examples(frame, columns=("b", "a")).x[1].tolist() == [100, 0.25]
    with pytest.raises(
        FileFormatError, match=r"DataFrame: row 3, column 2 \('a'\): 'q'"
    ):
        load_dataset(
            FRAME.astype({"a": object}).replace({"a": {0.75: "q"}}), label="kind"
        )
    with pytest.raises(FileFormatError, match="values are missing: 1 in 'a'"):
        load_dataset(FRAME.replace({"a": {0.75: None}}), label="kind")
    with pytest.raises(FileFormatError, match="has no rows"):
        load_dataset(FRAME[:0])
    with pytest.raises(InputError, match="delimiter is for files"):
        load_dataset(FRAME, delimiter=",")


def test_options_that_are_for_other_files(write, tmp_path):
    np.savez(tmp_path / "a.npz", x=np.eye(4), y=[0, 1, 0, 1])
    for option in ({"label": "a"}, {"delimiter": ";"}, {"missing": "drop"}):
        with pytest.raises(InputError, match=f"{next(iter(option))} is for tables"):
            load_dataset(tmp_path / "a.npz", **option)
        with pytest.raises(InputError, match="is for files; digits is built in"):
            load_dataset("digits", **option)
    with pytest.raises(InputError, match="resize is for pictures"):
        load_dataset(write("a,b\n1,2\n"), resize=(2, 2))
    for option in ({"task": "guess"}, {"missing": "zero"}):
        with pytest.raises(InputError, match="must be one of"):
            load_dataset(write("a,b\n1,2\n"), **option)


def test_pixels_in_a_table_share_one_scale(write):
    pixels = pd.DataFrame(Stream(0, "pixels").uniform((20, 64)) // (1 / 255.5))
    pixels.columns = [f"p{i}" for i in range(64)]
    data = load_dataset(pixels.assign(label=[0, 1] * 10))
    assert data.scaling.to_dict() == {"offset": 127.5, "scale": 127.5}
    data = load_dataset((pixels / 2).assign(label=[0, 1] * 10))
    assert len(data.scaling.offset) == 64


def test_numbers_to_predict(write):
    rows = [f"{i},{1000 + 2.5 * i}" for i in range(40)]
    data = load_dataset(write("size,price\n" + "\n".join(rows)))
    assert (data.task, data.n_classes, data.class_names) == ("regression", 0, ())
    assert data.y_train.dtype == np.float64 and data.y_train.min() >= 1000
    y = data.targets("train", "float64")
    assert y.shape == (32, 1) and y.std() == pytest.approx(1)
    np.testing.assert_allclose(data.target.undo(y)[:, 0], data.y_train)
    examples = load_examples(write("size,price\n" + "\n".join(rows)))
    assert examples.y[1] == 1002.5 and examples.class_names == ()
    with pytest.raises(FileFormatError, match="classes must be whole.*1002.5 in row 1"):
        load_dataset(write("size,price\n" + "\n".join(rows)), task="classification")
    with pytest.raises(FileFormatError, match="needs numbers; column 'kind' holds 'x'"):
        load_dataset(FRAME, label="kind", task="regression")


@pytest.mark.parametrize(
    ("values", "task"),
    [
        (["a", "b"], "classification"),
        ([0, 1], "classification"),
        ([0.0, 2.0], "classification"),
        ([0.5, 1.0], "regression"),
        (range(100), "classification"),
        (range(0, 2000, 20), "regression"),
        (range(0, 400, 20), "classification"),
        ([-1, 1], "classification"),
        ([True, False], "classification"),
    ],
)
def test_the_task_is_told_by_the_answers(values, task):
    answers = [*values] * 4
    data = load_dataset(pd.DataFrame({"a": range(len(answers)), "label": answers}))
    assert data.task == task


def test_negative_numbers_and_booleans_are_names_of_classes():
    for values, names in (([1, -1], ("-1", "1")), ([True, False], ("False", "True"))):
        frame = pd.DataFrame({"a": range(20), "label": values * 10})
        data = load_dataset(frame)
        assert data.class_names == names
        examples = load_examples(frame[:1], class_names=names)
        assert examples.y.tolist() == [1] and examples.class_names == names
    with pytest.raises(InputError, match="class '0' is not one of -1, 1"):
        load_examples(frame.assign(label=0), class_names=("-1", "1"))


def test_labels_that_are_counted_from_1(write):
    """Class 0 stays, and is told to be empty."""
    frame = FRAME.assign(kind=[1, 2, 3] * 10)
    with pytest.warns(
        DataWarning, match=r"a\.csv: no row is of class 0; column 'kind'"
    ):
        data = load_dataset(write(frame.to_csv(index=False)), label="kind")
    assert data.class_names == ("0", "1", "2", "3")
    with pytest.warns(DataWarning, match="the DataFrame: .*subtract 5 from them"):
        load_dataset(frame.assign(kind=[5, 6] * 15), label="kind")
    # Neither names, nor numbers that are numbered anew, leave a class empty.
    for labels in (["a", "b"] * 15, [-1, 1] * 15, [0, 2] * 15):
        load_dataset(frame.assign(kind=labels), label="kind")


@pytest.mark.parametrize("name", ["Id", "index", "ID", "row_number", "No.", "Row"])
@pytest.mark.parametrize("first", [0, 1])
def test_a_column_of_row_numbers_is_told(name, first):
    frame = FRAME.assign(**{name: np.arange(30) + first})
    with pytest.warns(DataWarning, match=f"the DataFrame: column '{name}' counts the"):
        data = load_dataset(frame, label="kind")
    assert data.columns == ("a", "b", name)


def test_what_is_no_column_of_row_numbers(write):
    n = np.arange(30)
    for column in ({"time": n}, {"id": n + 2}, {"index": n[::-1]}, {"Id": n // 2}):
        load_dataset(FRAME.assign(**column), label="kind")
    # Nor is it said of rows to predict, whose columns are those of the model.
    path = write(FRAME.assign(id=n).to_csv(index=False))
    load_examples(path, columns=("a", "b", "id"), n_features=3)
    load_examples(path, label="kind")


@pytest.mark.parametrize("label", [True, 1.0, ["kind"], b"kind"])
def test_a_label_is_a_name_or_a_number(write, label):
    path = write("kind,u\n" + "0,1\n1,2\n" * 5)
    with pytest.raises(InputError, match="label must be the name or number of a col"):
        load_dataset(path, label=label)


def test_a_second_column_of_the_labels_name_is_refused(write):
    path = write("label,u,label\n" + "0,1,0\n1,2,1\n" * 5)
    for options in ({}, {"label": "label"}, {"label": 0}):
        with pytest.raises(FileFormatError, match="columns 1, 3 are all called"):
            load_dataset(path, **options)


@pytest.mark.parametrize("delimiter", [5, True, b",", [","]])
def test_a_delimiter_is_a_character(write, delimiter):
    path = write("u,kind\n" + "1,0\n2,1\n" * 5)
    with pytest.raises(InputError, match="delimiter must be one character"):
        load_dataset(path, delimiter=delimiter)


@pytest.mark.parametrize("kind", ["complex128", "datetime64[ns]", "timedelta64[ns]"])
def test_columns_that_hold_no_real_numbers_are_refused(kind):
    column = np.arange(10).astype(kind)
    frame = pd.DataFrame({"u": range(10), "when": column, "kind": ["x", "y"] * 5})
    with pytest.raises(FileFormatError, match=r"column 2 \('when'\): .* no real"):
        load_dataset(frame)


def test_a_number_that_names_a_column_is_its_name():
    rows = np.stack([np.arange(10.0), np.arange(10) % 2, np.arange(10) % 3], axis=1)
    data = load_dataset(pd.DataFrame(rows, columns=[2, 0, 1]), label=0)
    assert (data.label, data.columns, data.n_classes) == ("0", ("2", "1"), 2)


@pytest.mark.parametrize("means", [[1.0], [1.0, 2.0, 3.0], "x", [np.nan, 1.0], 0.0])
def test_means_are_one_number_for_each_column(write, means):
    path = write("u,v,kind\n" + "1,,x\n2,3,y\n" * 5)
    with pytest.raises(InputError, match="means must be 2 finite numbers, got"):
        load_examples(path, missing="mean", means=means)


def test_a_query_that_was_not_run_is_no_frame():
    pl = pytest.importorskip("polars")
    frame = pl.DataFrame({"u": range(10), "kind": ["x", "y"] * 5})
    assert load_dataset(frame).n_classes == 2
    with pytest.raises(InputError, match="pass frame.collect"):
        load_dataset(frame.lazy())


def test_columns_of_one_name_are_not_brought_into_an_order(write):
    rows = "1,2,3,x\n4,5,6,y\n7,8,9,x\n1,5,9,y\n"
    columns = load_dataset(write(f"a,a,b,kind\n{rows}"), label="kind").columns
    same = load_examples(write(f"a,a,b,kind\n{rows}"), columns=columns, label="kind")
    assert same.x[0].tolist() == [1, 2, 3]
    for head in ("b,a,a,kind", "b,b,a,kind", "a,b,b,kind"):
        with pytest.raises(InputError, match="several columns are called '[ab]'"):
            load_examples(write(f"{head}\n{rows}"), columns=columns, label="kind")
    with pytest.raises(InputError, match="several columns are called 'b'"):
        load_examples(write("a,b,b\n1,2,3\n"), columns=("a", "b"))


@pytest.mark.parametrize(
    ("cells", "hint"),
    [
        (("red", "blue"), r"one_hot=\['b'\] .--one-hot b. .* drop=\['b'\] .--drop b."),
        (("2020-01-01", "2020-01-02"), "leaves it out"),
        (("1,5", "-,5"), "a decimal point, not a comma"),
        (("1", "blue"), "number$"),
    ],
)
def test_a_column_without_numbers(write, cells, hint):
    path = write("a;b;kind\n" + "".join(f"1;{cell};x\n2;{cell};y\n" for cell in cells))
    with pytest.raises(FileFormatError, match=f"column 2 .'b'.: .*{hint}"):
        load_dataset(path)


def test_labels_that_are_not_wanted(write):
    path = write("a,b,kind\n1,,x\n2,3,\n4,5,never seen\n")
    options = {"label": "kind", "columns": ("a", "b"), "class_names": ("x", "y")}
    found = load_examples(path, labels=False, missing="drop", **options)
    assert found.y is None and found.class_names == () and found.label == "kind"
    assert found.x.tolist() == [[2, 3], [4, 5]] and found.rows.tolist() == [1, 2]
    with pytest.raises(FileFormatError, match="line 3, column 3 .*label is missing"):
        load_examples(path, missing="mean", **options)
    assert load_examples("digits", labels=False).y is None


@pytest.mark.parametrize("option", [{"label": 0}, {"missing": "mean"}, {"resize": 8}])
def test_options_for_files_and_a_set_that_is_built_in(option):
    for load in (load_dataset, load_examples):
        with pytest.raises(InputError, match=f"{next(iter(option))} is for files"):
            load("digits", **option)
