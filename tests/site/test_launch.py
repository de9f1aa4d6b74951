"""Buttons for Binder and Colab: on every page of a notebook that has a public address, and on
none without one.
"""

from pathlib import Path
from urllib.parse import parse_qs, urlparse

from bs4 import BeautifulSoup

from tests.book.editions.exercising import write_book
from tests.site.conftest import PUBLIC
from tests.site.making import EXERCISES, build
from valleys.book.chapters import page_names

HOSTS = ("mybinder.org", "colab.research.google.com")


def parsed(html: Path, name: str) -> BeautifulSoup:
    return BeautifulSoup((html / f"{name}.html").read_text(encoding="utf-8"), "html.parser")


def launched(page: BeautifulSoup) -> dict[str, str]:
    """Where the buttons of a page lead, by host."""
    links = [urlparse(link["href"]) for link in page.select(".article-header-buttons a[href]")]
    return {link.netloc: link.geturl() for link in links if link.netloc in HOSTS}


def assert_buttons_lead_to_the_notebook(html: Path, name: str) -> None:
    links = launched(parsed(html, name))
    if not name.startswith(("chapters/", "exercises/")):
        assert links == {}
        return
    assert set(links) == set(HOSTS)
    binder, colab = (urlparse(links[host]) for host in HOSTS)
    assert binder.path == "/v2/gh/some-owner/valleys/v1.0"
    assert parse_qs(binder.query, strict_parsing=True) == {"urlpath": [f"lab/tree/{name}.ipynb"]}
    assert colab.path == f"/github/some-owner/valleys/blob/v1.0/{name}.ipynb"
    assert {binder.scheme, colab.scheme} == {"https"}


def test_buttons_of_a_small_book_lead_to_its_notebooks(tmp_path):
    root = write_book(tmp_path / "book")
    config = (root / "_config.yml").read_text(encoding="utf-8")
    (root / "_config.yml").write_text(
        config.replace(
            "[sphinx_exercise]",
            "[sphinx_exercise, valleys.book.pages.run_box, valleys.book.extensions.disclosures], "
            "config: {}",
        ),
        encoding="utf-8",
    )
    for notebook in (*root.glob("chapters/*.ipynb"), *root.glob("exercises/*.ipynb")):
        (tmp_path / notebook.name).write_bytes(notebook.read_bytes())
    build(tmp_path, tmp_path / "site", root=root, address=PUBLIC)
    for name in page_names(root):
        assert_buttons_lead_to_the_notebook(tmp_path / "site" / "_build" / "html", name)


def test_without_an_address_there_are_no_buttons(html):
    # a page of each kind
    for name in ("index", "chapters/04_toy_model", EXERCISES, "pages/status"):
        page = parsed(html, name)
        assert launched(page) == {}
        assert "git clone" not in page.get_text()
    assert (
        "make book REPOSITORY=https://github.com/OWNER/NAME"
        in parsed(html, "pages/status").get_text()
    )
