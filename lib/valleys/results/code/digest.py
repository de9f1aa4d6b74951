"""The digest of what the code behind a study computes."""

import hashlib
from functools import cache
from pathlib import Path

from valleys.results.code.modules import Binding
from valleys.results.code.reach import Trace, traces

DIGITS = 16  # hexadecimal, of a digest


@cache
def code_version(roots: tuple[str, ...], library: Path | None = None) -> str:
    """Digest of what the code behind a study computes, 16 hexadecimal digits.

    Args:
        roots: a study and the class of its spec, each as `module:name`.
        library: folder in which the package lies, such as `lib` of another checkout; the package of
            this process if None.
    """
    first, *others = (trace.text for trace in _behind(roots, library))
    return hashlib.sha256("\n\n".join([first, *sorted(others)]).encode()).hexdigest()[:DIGITS]


def reached(roots: tuple[str, ...], library: Path | None = None) -> set[tuple[str, str]]:
    """Module and name of all that stands behind the digest of `roots`; the name is empty where a
    module counts as a whole.
    """
    behind = _behind(roots, library)
    return {(each.module, each.name) for trace in behind for each in trace.bindings}


def _behind(roots: tuple[str, ...], library: Path | None) -> list[Trace]:
    # what lies in a class comes with the class
    return traces([_outermost(root) for root in roots], library)


def _outermost(root: str) -> Binding:
    module, _, name = root.partition(":")
    return Binding(module, name.split(".")[0])
