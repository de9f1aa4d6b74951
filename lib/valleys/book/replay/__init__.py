"""Films of runs: each function takes a dataset and returns what a script of `_extra/replay` plays
on the page, and computes nothing.
"""

from valleys.book.replay.continuation import branches
from valleys.book.replay.endpoints import runs

__all__ = ["branches", "runs"]
