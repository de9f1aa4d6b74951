"""Compiled code is that of today, whichever of its files was edited."""

import os
import subprocess
import sys
from textwrap import dedent

import pytest

OUTER = """
    import numba
    from inner import numbers
    from valleys.compiling import renewed_with

    @(renewed_with("inner") if RENEWED else lambda compiled: compiled)
    @numba.njit(cache=True)
    def outer():
        return numbers.number()

    print(outer(), outer.stats.cache_hits[()] if outer.stats.cache_hits else 0)
"""
INNER = """
    import numba

    @numba.njit
    def number():
        return NUMBER
"""


def printed(folder):
    """What the outer module prints: its number, and how often compiled code was found."""
    places = os.pathsep.join([str(folder), *filter(None, sys.path)])
    settings = {**os.environ, "PYTHONPATH": places, "NUMBA_CACHE_DIR": str(folder / "kept")}
    command = [sys.executable, "-c", "import outer"]
    found = subprocess.run(command, env=settings, capture_output=True, text=True, check=True)
    return found.stdout.split()


@pytest.mark.parametrize(("renewed", "second"), [(True, "2"), (False, "1")])
def test_an_edit_of_another_file_is_noticed(tmp_path, renewed, second):
    """Without the decorator numba runs what it kept, or the test could not fail."""
    inner = tmp_path / "inner" / "numbers.py"
    inner.parent.mkdir()
    (tmp_path / "outer.py").write_text(dedent(OUTER).replace("RENEWED", str(renewed)))
    inner.write_text(dedent(INNER).replace("NUMBER", "1"))
    assert printed(tmp_path) == ["1", "0"]
    assert printed(tmp_path) == ["1", "1"]  # kept, as nothing was edited
    inner.write_text(dedent(INNER).replace("NUMBER", "2"))
    assert printed(tmp_path)[0] == second
