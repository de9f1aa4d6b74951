"""Sphinx extension: scripts that only some pages ask for.

`_extra/NAME/joined.txt` names scripts of its folder in their order, one a line; the site gets
`NAME/joined.js` with all of them, without their block comments, so that a page loads many small
scripts as one file. A page with a live version of the explorer gets what opens it, wherever the
page lies.
"""

import os
import re
from pathlib import Path

from bs4 import BeautifulSoup
from sphinx.application import Sphinx

from valleys.book.extensions.written import PARSED, is_site
from valleys.results import atomic

LIST, JOINED = "joined.txt", "joined.js"
COMMENT = re.compile(r"^[ \t]*/\*\*.*?\*/\n", re.DOTALL | re.MULTILINE)
LIVE, OPENER = "[data-explorer]", Path("explorer", "live.js")


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


def open_live(page: BeautifulSoup, way: str) -> None:
    """Let a page with live versions load what opens them, at this way from the page, once."""
    if page.select_one(LIVE) and page.body and not page.select_one(f"script[src='{way}']"):
        page.body.append(page.new_tag("script", src=way, defer=""))


def _open_live(app: Sphinx, page: BeautifulSoup, path: Path) -> None:
    open_live(page, Path(os.path.relpath(Path(app.outdir) / OPENER, path.parent)).as_posix())


def setup(app: Sphinx) -> dict[str, bool]:
    """Register with Sphinx; files of `_extra` are in their places when a build is finished."""
    app.setup_extension("valleys.book.extensions.written")
    app.connect("build-finished", join_scripts)
    app.connect(PARSED, _open_live)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
