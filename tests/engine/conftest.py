"""Ways to run a step are tiered as backends are."""

import zlib

import pytest

from tests.conftest import FIRST_TIER, SAMPLED, why_not
from tests.engine.variants import VARIANTS


def pytest_collection_modifyitems(config, items):
    kept, left_out = [], []
    for item in items:
        params = getattr(getattr(item, "callspec", None), "params", {})
        variants = {params.get(name) for name in ("variant", "of", "to")}
        names = {VARIANTS[variant][0] for variant in variants if variant in VARIANTS}
        if any(why_not(name) for name in names):
            left_out.append(item)
            continue
        kept.append(item)
        sampled = zlib.crc32(item.nodeid.encode()) % SAMPLED == 0
        if not names <= set(FIRST_TIER) and not sampled:
            item.add_marker(pytest.mark.matrix)
    config.hook.pytest_deselected(items=left_out)
    items[:] = kept
