"""What holds for every test."""

import os

# Set before torch and numba are imported: several processes of several threads each would fight over the cores.
os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("MPLBACKEND", "agg")

import matplotlib as mpl
import pytest


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What takes long comes first, and the site last: it is being made meanwhile."""
    items.sort(key=lambda item: ("tests/site/" in item.nodeid, item.get_closest_marker("slow") is None))


@pytest.fixture(autouse=True)
def plain_style():
    """Every test draws with matplotlib's defaults, whatever style a notebook has set in this process before."""
    mpl.rcdefaults()
    with mpl.rc_context():
        yield
