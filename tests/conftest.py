"""What holds for every test."""

import os

# Set before torch and numba are imported: several processes of several threads each would fight
# over the cores.
os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("MPLBACKEND", "agg")

import matplotlib as mpl
import pytest


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What takes long comes first and the site last, as it is being made meanwhile; a module
    stays in one process, with what it made once.
    """
    items.sort(
        key=lambda item: ("tests/site/" in item.nodeid, item.get_closest_marker("slow") is None)
    )
    for item in items:
        if item.get_closest_marker("xdist_group") is None:
            item.add_marker(pytest.mark.xdist_group(item.nodeid.partition("::")[0]))


def pytest_collection_finish(session: pytest.Session) -> None:
    """Groups hold: there are versions of pytest in which pytest-xdist forgets them without a
    word.
    """
    if getattr(session.config.option, "loadgroup", False) and not all(
        "@" in item.nodeid for item in session.items
    ):
        raise pytest.UsageError(
            "pytest-xdist does not group tests with this version of pytest: "
            "install those of requirements.lock"
        )


@pytest.fixture(autouse=True)
def plain_style():
    """Every test draws with matplotlib's defaults, whatever style a notebook has set in this
    process before.
    """
    mpl.rcdefaults()
    with mpl.rc_context():
        yield
