"""Tables and pictures of other libraries, as they come."""

import numpy as np
import pytest

import nnfs_xp as nx

X = np.array([[0.0, 1.0, 5.0], [1.0, 0.0, 6.0], [2.0, 2.0, 7.0], [3.0, 1.0, 8.0]])
Y = np.array([0, 1, 0, 1])
NAMES = ["a", "b", "c"]


def make_model(n_inputs=3):
    return nx.Model(
        [nx.Dense(n_inputs, 2), nx.Softmax()],
        loss="categorical_crossentropy",
        optimizer="adam",
    )


def trained(x, y):
    model = make_model()
    model.fit(x, y, epochs=2)
    return nx.to_numpy(model.predict(x))


@pytest.fixture
def pandas():
    return pytest.importorskip("pandas")


@pytest.fixture
def polars():
    return pytest.importorskip("polars")


@pytest.fixture
def pillow():
    return pytest.importorskip("PIL.Image")


def test_pandas(pandas):
    expected = trained(X, Y)
    frame = pandas.DataFrame(X, columns=NAMES)
    for x in (
        frame,
        # Other dtypes of the same numbers: each of its own, and those with gaps.
        frame.astype({"a": "int8", "b": "int64", "c": "float32"}),
        frame.astype({"b": "Int64", "c": "Float32"}),
        frame.set_index(np.arange(4)[::-1]),
    ):
        for y in (Y, pandas.Series(Y), pandas.Series(Y, dtype="Int64")):
            np.testing.assert_array_equal(trained(x, y), expected)
    flags = pandas.DataFrame({"a": [True, False], "b": [2, 3]})
    np.testing.assert_array_equal(
        nx.get_backend("numpy").asarray(flags), [[1, 2], [0, 3]]
    )
    # Rows are taken in their order; labels of rows are only labels.
    turned = frame.iloc[::-1]
    np.testing.assert_array_equal(trained(turned, Y), trained(X[::-1], Y))


def test_pandas_without_numbers(pandas):
    frame = pandas.DataFrame(X, columns=NAMES)
    model = make_model()
    for column, text in (
        (["u", "v", "w", "u"], "x: column 'b' holds .*(str|object).*, not numbers"),
        (pandas.Categorical(["u", "v", "w", "u"]), "column 'b' holds category, not"),
        (pandas.date_range("2020-01-01", periods=4), "column 'b' holds datetime64"),
    ):
        with pytest.raises(nx.DTypeError, match=text):
            model.fit(frame.assign(b=column), Y)
    missing = frame.astype("Float64")
    missing.iloc[1, 1] = pandas.NA
    with pytest.raises(nx.InputError, match="x must be finite in float32, got NaN"):
        model.fit(missing, Y)
    labels = pandas.Series([0, 1, None, 1], dtype="Int64")
    with pytest.raises(nx.DTypeError, match="y must hold integer labels, got dtype fl"):
        model.fit(frame, labels)
    assert model.steps_trained == 0


def test_polars(polars):
    frame = polars.DataFrame(X, schema=NAMES)
    for x in (frame, frame.with_columns(polars.col("a").cast(polars.Int8))):
        for y in (Y, polars.Series(Y)):
            np.testing.assert_array_equal(trained(x, y), trained(X, Y))
    with pytest.raises(nx.DTypeError, match="column 'd' holds String, not numbers"):
        make_model().fit(frame.with_columns(d=polars.lit("u")), Y)
    with pytest.raises(nx.DTypeError, match=r"x: is a LazyFrame .* use its collect\("):
        make_model().fit(frame.lazy(), Y)


def test_xarray(pandas):
    xarray = pytest.importorskip("xarray")
    array = xarray.DataArray(X, dims=("row", "column"))
    variables = {name: ("row", X[:, i]) for i, name in enumerate(NAMES)}
    for x in (array, xarray.Dataset(variables)):
        found = trained(x, xarray.DataArray(Y, dims="row"))
        np.testing.assert_array_equal(found, trained(X, Y))


def test_pictures(pillow):
    bytes_of = np.arange(24, dtype="uint8").reshape(4, 2, 3)
    pictures = [pillow.fromarray(one) for one in bytes_of]
    layers = [nx.Rescaling(1 / 255), nx.Flatten(), nx.Dense(6, 2), nx.Softmax()]
    model = nx.Model(layers, loss="categorical_crossentropy", optimizer="adam")
    model.fit(pictures, Y)
    np.testing.assert_array_equal(model.predict(pictures), model.predict(bytes_of))
    # A single one is a batch of one.
    np.testing.assert_array_equal(
        model.predict(pictures[1]), model.predict(bytes_of[1:2])
    )
    with pytest.raises(nx.DTypeError, match="of mode 'P', whose numbers are places"):
        model.predict(pictures[0].convert("P"))
    with pytest.raises(nx.DTypeError, match=r"of shapes \(2, 3\) and \(5, 5\); bring"):
        model.predict([*pictures, pictures[0].resize((5, 5))])


def test_columns_are_those_that_were_learned_from(pandas, polars, tmp_path):
    frame = pandas.DataFrame(X, columns=NAMES)
    model = make_model()
    model.fit(frame, Y)
    assert model.metadata["columns"] == NAMES
    model.save(tmp_path / "model.safetensors")
    again = nx.Model.load(tmp_path / "model.safetensors")
    turned = frame[["b", "a", "c"]]
    for call in (
        lambda: again.predict(turned),
        lambda: again.predict(polars.DataFrame(turned.to_dict("list"))),
        lambda: again.evaluate(turned, Y),
        lambda: again.fit(turned, Y),
    ):
        with pytest.raises(nx.InputError, match=r"x must have the columns .* got \['b"):
            call()
    # Arrays have no names, and a new model learns from whichever columns come.
    again.predict(turned.to_numpy())
    make_model().fit(turned, Y)
    assert again.predict(frame).shape == (4, 2)


def test_columns_of_what_validates_and_of_batches(pandas):
    frame = pandas.DataFrame(X, columns=NAMES)
    turned = frame[["b", "a", "c"]]
    for x, held_out in (
        (frame, (turned, Y)),
        (Batches([(frame, Y)]), (turned, Y)),
        (frame, Batches([(turned, Y)])),
        (Batches([(frame, Y), (turned, Y)]), None),
    ):
        y = Y if x is frame else None
        model = make_model()
        with pytest.raises(nx.InputError, match=r"must have the columns .* got \['b"):
            model.fit(x, y, validation_data=held_out)
        assert "columns" not in model.metadata or x is not frame
    model = make_model()
    model.fit(Batches([(frame, Y)]), validation_data=Batches([(frame, Y)]))
    assert model.metadata["columns"] == NAMES
    for call in (
        lambda: model.predict(turned),
        lambda: model.predict(Batches([turned])),
        lambda: model.predict(Batches([frame, turned])),
        lambda: model.evaluate(Batches([(turned, Y)])),
        lambda: model.fit(Batches([(turned, Y)])),
        lambda: model.fit(X, Y, validation_data=(turned, Y)),
    ):
        with pytest.raises(nx.InputError, match=r"must have the columns .* got \['b"):
            call()
    assert model.predict(Batches([frame, frame])).shape == (8, 2)


def test_a_model_that_knows_no_columns_takes_a_table(pandas):
    model = make_model()
    model.fit(X, Y)
    # As the command line writes it for data whose features have no names.
    model.metadata["columns"] = []
    assert model.predict(pandas.DataFrame(X, columns=NAMES)).shape == (4, 2)


class Batches:
    """Batches that can be gone through again, and have a length."""

    def __init__(self, batches):
        self.batches = batches

    def __len__(self):
        return len(self.batches)

    def __iter__(self):
        return iter(self.batches)


def test_sparse_columns_of_pandas(pandas):
    sparse = pandas.DataFrame(X, columns=NAMES).astype(pandas.SparseDtype("float64"))
    with pytest.raises(nx.DTypeError, match=r"x: holds sparse .*; use sparse.to_dense"):
        make_model().fit(sparse, Y)
    with pytest.raises(nx.DTypeError, match="y: holds sparse columns"):
        make_model().fit(X, pandas.Series(Y).astype(pandas.SparseDtype("int64")))
    make_model().fit(sparse.sparse.to_dense(), Y)
