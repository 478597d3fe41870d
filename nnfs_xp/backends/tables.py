"""Containers of numbers that are not arrays: tables, and pictures.

They are recognized by the names of their modules, so none of these has to be installed.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from nnfs_xp.errors import DTypeError

# Picture modes whose numbers are indices into a palette, or span several bytes.
_NOT_VALUES = ("P", "PA")


def plain(values: Any) -> Any:
    """Return the numbers of a table or of pictures as an array, and all else unchanged.

    Columns of a table, and variables of a data set of xarray, become the last axis.
    A single picture becomes an array of one sample.

    Raises
    ------
    DTypeError
        If columns or pictures hold no numbers; the error names them, and says what to
        do.
    """
    library = _module(values)
    if library == "pandas":
        return _of_pandas(values)
    if library == "polars":
        return _of_polars(values)
    if library == "xarray":
        return _of_xarray(values)
    if library == "PIL":
        return _of_picture(values)[None, ...]
    is_list = isinstance(values, (list, tuple)) and values
    if is_list and _module(values[0]) == "PIL":
        return _of_pictures(values)
    return values


def column_names(values: Any) -> list[str] | None:
    """Return the names of the columns of a table, or None for all else."""
    if _module(values) not in ("pandas", "polars") or not hasattr(values, "columns"):
        return None
    return [str(name) for name in values.columns]


def _module(value: Any) -> str:
    return type(value).__module__.partition(".")[0]


def _of_pandas(values: Any) -> Any:
    if not hasattr(values, "dtypes"):  # an index, whose entries are its values
        return values.to_numpy()
    is_table = hasattr(values, "columns")
    dtypes = dict(values.dtypes.items()) if is_table else {values.name: values.dtype}
    sparse = [d for d in dtypes.values() if type(d).__name__ == "SparseDtype"]
    if sparse:
        raise DTypeError(f"holds sparse columns, {sparse[0]}; use sparse.to_dense()")
    wrong = {name: dtype for name, dtype in dtypes.items() if not _is_numeric(dtype)}
    if wrong or not dtypes:
        _refuse(wrong if is_table else {})
        return values.to_numpy()
    # Columns that may lack entries have a dtype of pandas, over one of NumPy.
    plain_dtypes = [getattr(d, "numpy_dtype", d) for d in dtypes.values()]
    if values.isna().to_numpy().any():
        # They become NaN, which later checks reject where numbers are needed.
        return values.to_numpy(np.float64, na_value=np.nan)
    return values.to_numpy(np.result_type(*plain_dtypes))


def _is_numeric(dtype: Any) -> bool:
    return getattr(dtype, "kind", "O") in "biuf"


def _of_polars(values: Any) -> Any:
    if hasattr(values, "collect"):
        raise DTypeError("is a LazyFrame of polars; use its collect()")
    if hasattr(values, "columns"):
        _refuse(
            {
                name: dtype
                for name, dtype in values.schema.items()
                if not (dtype.is_numeric() or str(dtype) == "Boolean")
            }
        )
    return values.to_numpy()


def _of_xarray(values: Any) -> Any:
    if hasattr(values, "to_dataarray"):
        values = values.to_dataarray().transpose(..., "variable")
    return values.data


def _of_pictures(values: Any) -> Any:
    arrays = [_of_picture(value) for value in values]
    shapes = sorted({array.shape for array in arrays})
    if len(shapes) > 1:
        raise DTypeError(
            f"holds pictures of shapes {shapes[0]} and {shapes[1]}; bring them to one "
            "size and mode, by resize and convert"
        )
    return np.stack(arrays)


def _of_picture(value: Any) -> np.ndarray:
    if value.mode in _NOT_VALUES:
        raise DTypeError(
            f"holds a picture of mode {value.mode!r}, whose numbers are places in a "
            "palette; use convert('RGB') or convert('L')"
        )
    return np.asarray(value)


def _refuse(columns: dict[Any, Any]) -> None:
    """Raise DTypeError if there are columns that hold no numbers."""
    for name, dtype in columns.items():
        raise DTypeError(
            f"column {name!r} holds {dtype}, not numbers; drop it, or encode it: "
            f"nnfs_xp.data.load_dataset(table, one_hot=[{name!r}]) encodes a feature, "
            "and nnfs_xp.data.ClassLabels encodes names to predict"
        )
