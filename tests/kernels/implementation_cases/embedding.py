"""Inputs of the sums of an embedding's gradient."""

import numpy as np

_random = np.random.default_rng(41)


def _drawn(n, k, n_ids, integer="int32"):
    ids = _random.integers(0, n_ids, n).astype(integer)
    return ids, _random.standard_normal((n, k)), n_ids


_ids, _rows, _ = _drawn(12, 6, 5)
_turned = _random.standard_normal((7, 12)).T

CASES = {
    "add_at": {
        "usual": _drawn(300, 17, 23),
        "ids of int64": _drawn(50, 4, 9, "int64"),
        "wide": _drawn(70, 100, 3),
        "long": _drawn(3000, 3, 7),
        "more ids than rows": _drawn(9, 4, 500),
        "one id": _drawn(40, 5, 1),
        "one row": _drawn(1, 5, 3),
        "one column": _drawn(40, 1, 3),
        "no rows": _drawn(0, 4, 3),
        "the last id alone": (
            np.full(6, 4, "int32"),
            _random.standard_normal((6, 2)),
            5,
        ),
        "gaps": (_drawn(12, 1, 5)[0][::2], _random.standard_normal((6, 8))[:, ::2], 5),
        "transposed": (_ids, _turned, 5),
        "huge": (_ids, _rows * 1e30, 5),
    },
}
OVERWRITTEN = {}
