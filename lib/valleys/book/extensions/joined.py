"""Sphinx extension: a page loads many small scripts as one file.

`_extra/NAME/joined.txt` names scripts of its folder in their order, one a line; the site gets
`NAME/joined.js` with all of them, without their block comments.
"""

import re
from pathlib import Path

from sphinx.application import Sphinx

from valleys.book.extensions.written import is_site
from valleys.results import atomic

LIST, JOINED = "joined.txt", "joined.js"
COMMENT = re.compile(r"^[ \t]*/\*\*.*?\*/\n", re.DOTALL | re.MULTILINE)


def joined(folder: Path) -> str:
    """The scripts that the list of a folder names, one after the other."""
    names = (folder / LIST).read_text(encoding="utf-8").split()
    scripts = [(folder / name).read_text(encoding="utf-8") for name in names]
    return "".join(COMMENT.sub("", script) for script in scripts)


def join_scripts(app: Sphinx, failure: Exception | None) -> None:
    """Write the joined file of each folder that has a list."""
    if not is_site(app, failure):
        return
    for path in Path(app.outdir).glob(f"*/{LIST}"):
        atomic.write(path.with_name(JOINED), joined(path.parent).encode())


def setup(app: Sphinx) -> dict[str, bool]:
    """Register with Sphinx; files of `_extra` are in their places when a build is finished."""
    app.connect("build-finished", join_scripts)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
