"""The role `{number}` puts what notebooks reported on every kind of page, and a build stops at
what it cannot put there.
"""

from pathlib import Path

import nbformat
import pytest
from bs4 import BeautifulSoup
from nbformat import v4
from sphinx.application import Sphinx
from sphinx.errors import ExtensionError

from valleys.book.numbers.reporting import VALUE
from valleys.results.estimates import Estimate, to_json

EXTENSIONS = ["myst_nb", "valleys.book.extensions.number_role", "valleys.book.numbers.glued"]
REPORTED = {
    "c91_gain": Estimate(0.571, 0.486, 0.854),
    "c91_share": Estimate.with_error(0.7153, 0.0042),
    "c91_runs": 20,
    "c91_word": "clear",
}
ALT = {
    "mystnb": {
        "figure": {"caption": "It gains {number}`c91_gain:.1f`.", "name": "fig-c91"},
        "image": {"alt": "From {c91_gain.low:.2f} on."},
    }
}
DOT = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAQAAAC1HAwCAAAAC0lEQVR42mNkYAAAAAYAAjCB0C8AAAAASUVORK5CYII="


def outputs() -> list[nbformat.NotebookNode]:
    """What `report` leaves in an executed cell."""
    prefix = "application/papermill.record/"
    bundles = {
        name: {f"{prefix}{VALUE}": to_json(value), f"{prefix}text/plain": "?"}
        for name, value in REPORTED.items()
    }
    kept = {name: {"scrapbook": {"name": name, "mime_prefix": prefix}} for name in bundles}
    return [
        v4.new_output("display_data", bundle, metadata=kept[name])
        for name, bundle in bundles.items()
    ]


def built(folder: Path, chapter: str, page: str) -> dict[str, BeautifulSoup]:
    """The pages of a book of a chapter that reports numbers and of a page without a notebook."""
    figure = v4.new_code_cell(
        "dot",
        metadata=ALT,
        outputs=[v4.new_output("display_data", {"image/png": DOT})],
        execution_count=1,
    )
    cells = [
        v4.new_markdown_cell(chapter),
        v4.new_code_cell("report()", outputs=outputs(), execution_count=1),
        figure,
    ]
    nbformat.write(v4.new_notebook(cells=cells), folder / "chapter.ipynb")
    (folder / "index.md").write_text(f"# Book\n\n{page}\n\n```{{toctree}}\nchapter\n```\n")
    confoverrides = {"extensions": EXTENSIONS, "nb_execution_mode": "off"}
    app = Sphinx(
        folder,
        None,
        folder / "html",
        folder / "trees",
        "html",
        confoverrides,
        status=None,
        warning=None,
    )
    app.build()
    return {
        name: BeautifulSoup((folder / "html" / f"{name}.html").read_text(), "html.parser")
        for name in ("index", "chapter")
    }


def numbers_of(page: BeautifulSoup) -> list[str]:
    return [number.get_text() for number in page.select(".pasted-text")]


def test_numbers_stand_in_their_forms_on_chapters_and_on_other_pages(tmp_path):
    chapter = (
        "# A chapter\n\n{number}`c91_gain:.2f`, {number}`c91_share`, {number}`c91_runs`, "
        "{number}`c91_word`."
    )
    pages = built(
        tmp_path, chapter, "From {number}`c91_gain.low:.0%` to {number}`c91_gain.high:.0%`."
    )
    assert numbers_of(pages["chapter"]) == [
        "0.57 (0.49 to 0.85)",
        "0.715 ± 0.004",
        "20",
        "clear",
        "0.6 (0.5 to 0.9)",
    ]
    assert numbers_of(pages["index"]) == ["49%", "85%"]
    assert pages["chapter"].select("img[alt]")[0]["alt"] == "From 0.49 on."


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ("c91_gian:.2f", "did you mean 'c91_gain'"),
        ("c91_gain.middle:.2f", "has no part 'middle'"),
        ("c91_gain:.2q", "cannot be printed in the form '.2q'"),
    ],
)
def test_the_build_stops_at_a_number_that_cannot_be_put_there(tmp_path, asked, message):
    with pytest.raises(ExtensionError, match=r"chapter, \{number\}`") as raised:
        built(tmp_path, f"# A chapter\n\nIt is {{number}}`{asked}`.", "Nothing.")
    assert message in str(raised.value)
