"""The bibliography holds what the book cites, and nothing else."""

import re

from valleys.paths import book_root

CITED = re.compile(r"\{cite(?::\w+)?\}`([^`]+)`")


def test_every_reference_is_cited_once_in_the_list():
    root = book_root()
    keys = re.findall(r"^@\w+\{(\w+),", (root / "references.bib").read_text("utf-8"), re.MULTILINE)
    pages = [
        *root.glob("chapters/*.ipynb"),
        *root.glob("exercises/*.ipynb"),
        *root.glob("pages/*.md"),
    ]
    cited = {
        key.split("-")[-1].strip()
        for page in pages
        for group in CITED.findall(page.read_text("utf-8"))
        for key in group.split(",")
    }
    assert len(keys) == len(set(keys))
    assert set(keys) == cited
