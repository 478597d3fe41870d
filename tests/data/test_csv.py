"""CSV files: headers, label columns, and a place for each complaint."""

from __future__ import annotations

import csv
import gzip
import io
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from nnfs_xp.data import load_dataset, load_examples
from nnfs_xp.data.columns import Layout
from nnfs_xp.data.csv_files import read_csv
from nnfs_xp.data.targets import numbered
from nnfs_xp.errors import FileFormatError, InputError

# Examples overwrite the file of the one before; a busy machine may be slow.
FILES_STAY = settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None
)


@pytest.fixture
def read(tmp_path):
    """Write text to a file and read it as CSV."""

    def write_and_read(text, **options):
        path = tmp_path / "a.csv"
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        found = read_csv(path, Layout(**options))
        if found.y is None:
            return found
        y, names = numbered(str(path), found.y)
        return replace(found, y=y, class_names=names)

    return write_and_read


@pytest.mark.parametrize(
    "text",
    [
        "1,2,0\n3,4,1\n",
        "a,b,c\n1,2,0\n3,4,1\n",
        "a,b,label\n1,2,0\n3,4,1\n",
        "0,1,label\n1,2,0\n3,4,1\n",
        "label,a,b\n0,1,2\n1,3,4\n",
        "0,1,LABEL\n1,2,0\n3,4,1\n",
        "\ufeff1,2,0\n3,4,1\n",
        "\ufefflabel,a,b\n0,1,2\n1,3,4\n",
        "a,Class,b\n1,0,2\n3,1,4\n",
        " TARGET ,a,b\n0,1,2\n1,3,4\n",
        "Y,a,b\n0,1,2\n1,3,4\n",
        "y,label,a\n1,0,2\n3,1,4\n",
        "1,2,0.0\n3,4,1e0\n",
        "\ufeffa,b,label\r\n1,2,0\r\n\r\n3,4,1",
        '"a","b","label"\n"1","2","0"\n 3 , 4 , 1 \n\n  \n',
    ],
)
def test_same_table_in_many_spellings(read, text):
    found = read(text)
    assert found.x.tolist() == [[1.0, 2.0], [3.0, 4.0]]
    assert found.x.dtype == np.float64
    assert found.y.tolist() == [0, 1]
    assert found.y.dtype == np.int64
    assert found.class_names == ("0", "1")
    assert found.image_shape is None


def test_gzip(tmp_path):
    path = tmp_path / "a.csv.gz"
    path.write_bytes(gzip.compress(b"1,0\n2,1\n"))
    assert load_examples(path).x.tolist() == [[1.0], [2.0]]


@pytest.mark.parametrize("header", ["", "length,width,kind\n"])
def test_names_become_sorted_numbers(read, header):
    found = read(header + "1,2,rose\n3,4, iris \n5,6,rose\n")
    assert found.class_names == ("iris", "rose")
    assert found.y.tolist() == [1, 0, 1]


def test_y_as_an_answer_is_data(read):
    found = read("1,2,y\n3,4,n\n")
    assert found.class_names == ("n", "y")
    assert len(found.x) == 2


def test_labels_with_gaps_keep_their_numbers(read):
    found = read("1,2\n2,5\n")
    assert found.y.tolist() == [2, 5]
    assert found.class_names == ("0", "1", "2", "3", "4", "5")


@pytest.mark.parametrize("header", ["", "a,b\n", "x,y\n"])
def test_without_labels(read, header):
    found = read(header + "1,2\n3,4\n", n_features=2)
    assert found.x.tolist() == [[1.0, 2.0], [3.0, 4.0]]
    assert found.y is None and found.class_names == ()


def test_labels_found_although_not_required(read):
    found = read("1,2,0\n3,4,1\n", n_features=2)
    assert found.y.tolist() == [0, 1]


def test_single_column_without_labels(read):
    assert read("a\n1\n2\n", n_features=1).x.tolist() == [[1], [2]]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "is empty"),
        ("\n \n", "is empty"),
        ("a,b,label\n", "a header and no rows"),
        ("1\n2\n", "has a single column"),
        ("label\n1\n2\n", "has a single column"),
        ("1|2|0\n", "has a single column.*--delimiter"),
        ("1,5;2,5\n2,5;3,5\n", "separated by any of.*--delimiter"),
        ("a,b,kind\n1,2,0\n1,2\n", r"line 3, column 3 \('kind'\): the label is miss"),
        ("1,2,0\n\n1,2,0,9\n", "Expected 3 fields in line 3, saw 4"),
        ("a,b,label\n1,x,0\n", r"line 2, column 2 \('b'\): 'x' is not a finite number"),
        ("label,a,b\n0,1,x\n", r"line 2, column 3 \('b'\): 'x' is not a finite number"),
        ("1,2,0\n1,oops,0\n", "line 2, column 2: 'oops' is not a finite number"),
        ("1,oops,0\n1,2,0\n", "line 1, column 2: 'oops' is not a finite number"),
        ("1,2,0\n1,1_0,0\n", "line 2, column 2: '1_0' is not a finite number"),
        (
            "1,2,0\n,2,0\n",
            "values are missing: 1 in 'column 1'; the first is in line 2",
        ),
        ("1,2,0\n1,2,\n", "line 2, column 3: the label is missing"),
        ("1,2,a\n1,2,\n", "line 2, column 3: the label is missing"),
        (
            ",,rose\n1,2,iris\n",
            "values are missing: 1 in 'column 1', 1 in 'column 2'.* line 1",
        ),
        ("a,b,label\n1,nan,0\n?,NA,0\n", "values.*: 2 in 'b', 1 in 'a'; .* line 2"),
        ("a,b,label\n1,2,0\n-inf,2,0\n", r"line 3, column 1 \('a'\): '-inf' is no"),
        ("1,2,0\n1,2,nan\n", "line 2, column 3: the label 'nan' is a name"),
        ("1,2,0\n1,2,inf\n", "line 2, column 3: the label 'inf' is not a finite"),
        ("1,2,0\n1,2,1e9\n", "numbers from 0 to 65535, not 1000000000"),
        ("1,2,0\n1,2,cat\n", "line 2, column 3: the label 'cat' is a name"),
        (b"1,\xff,0\n", "cannot be read as CSV: 'utf-8' codec"),
        pytest.param(
            gzip.compress(b"1,2,0\n")[:-9], "cannot be read as CSV", id="short gzip"
        ),
        ("a,b,label\n1,2,0,9\n", "rows have more columns than the first"),
        ('1,"2,0\n', "cannot be read as CSV: EOF inside string"),
    ],
)
def test_refused(read, text, message):
    with pytest.raises(FileFormatError, match=message) as caught:
        read(text)
    assert "a.csv" in str(caught.value)


def test_line_numbers_count_quoted_line_breaks(read):
    with pytest.raises(FileFormatError, match="line 4, column 1"):
        read('"first\nfeature",label\n1,0\nx,1\n')


@FILES_STAY
@given(
    rows=st.integers(1, 4).flatmap(
        lambda width: st.lists(
            st.tuples(
                st.lists(
                    st.floats(allow_nan=False, allow_infinity=False),
                    min_size=width,
                    max_size=width,
                ),
                st.integers(0, 20),
            ),
            min_size=1,
        )
    )
)
def test_round_trip(read, rows):
    text = io.StringIO()
    csv.writer(text).writerows([*features, label] for features, label in rows)
    found = read(text.getvalue())
    x = np.array([features for features, _ in rows])
    np.testing.assert_array_equal(found.x, x)
    assert found.y.tolist() == [label for _, label in rows]


@FILES_STAY
@given(content=st.text(alphabet='0123,.\n\r"eay-_ ') | st.binary())
def test_any_text_is_read_or_refused(read, content):
    try:
        found = read(content)
    except FileFormatError:
        return
    assert np.isfinite(found.x).all()
    assert found.y.shape == (len(found.x),)


def test_examples_are_numbered_by_the_model(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text("1,rose\n2,iris\n")
    names = ("iris", "oak", "rose")
    examples = load_examples(path, class_names=names)
    assert examples.y.tolist() == [2, 0]
    assert examples.class_names == names
    with pytest.raises(InputError, match="class 'rose' is not one of iris, oak"):
        load_examples(path, class_names=names[:2])


def test_numbered_labels_stay_when_the_model_has_names(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text("1,2\n2,0\n")
    examples = load_examples(path, class_names=("iris", "oak", "rose"))
    assert examples.y.tolist() == [2, 0]


def test_examples_of_wrong_width(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text("1,2,3,0\n")
    with pytest.raises(InputError, match="3 features; 7 are expected"):
        load_examples(path, n_features=7)


def test_any_range_is_scaled(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text("1e9,0\n1.000001e9,1\n0.999999e9,0\n1e9,1\n1e9,1\n")
    dataset = load_dataset(path)
    x = dataset.features("train")
    assert x.dtype == np.float32
    np.testing.assert_allclose([x.mean(), x.std()], [0.0, 1.0], atol=1e-6)


@pytest.mark.slow
def test_a_compressed_table_that_would_unpack_to_gigabytes(tmp_path):
    path = tmp_path / "bomb.csv.gz"
    with gzip.open(path, "wb", 1) as file:
        for _ in range(1100):
            file.write(bytes(2**20))
    with pytest.raises(FileFormatError, match="bomb.*would unpack to 1,153,433,600"):
        load_dataset(path)
