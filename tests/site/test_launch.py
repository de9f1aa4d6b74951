"""Buttons for Binder and Colab: on every page of a notebook that has a public address, and on none without one."""

from urllib.parse import parse_qs, urlparse

import pytest
from bs4 import BeautifulSoup

from valleys.book import site
from valleys.book.chapters import page_names
from valleys.book.paths import book_root
from valleys.book.repository import Address

HOSTS = ("mybinder.org", "colab.research.google.com")


@pytest.fixture(scope="module")
def public(executed, tmp_path_factory):
    """The site of a book with a public address."""
    folder = tmp_path_factory.mktemp("public")
    site.assemble(executed, folder / "source", address=Address("some-owner", "valleys", "v1.0"))
    return site.build(folder / "source", folder)


def launched(html, name) -> dict[str, str]:
    """Where the buttons of a page lead, by host."""
    page = BeautifulSoup((html / f"{name}.html").read_text(encoding="utf-8"), "html.parser")
    links = [urlparse(link["href"]) for link in page.select(".article-header-buttons a[href]")]
    return {link.netloc: link.geturl() for link in links if link.netloc in HOSTS}


@pytest.mark.parametrize("name", page_names())
def test_buttons_lead_to_the_notebook_of_the_page(public, name):
    links = launched(public, name)
    if not name.startswith(("chapters/", "exercises/")):
        assert links == {}
        return
    assert set(links) == set(HOSTS)
    binder, colab = (urlparse(links[host]) for host in HOSTS)
    assert binder.path == "/v2/gh/some-owner/valleys/v1.0"
    assert parse_qs(binder.query, strict_parsing=True) == {"urlpath": [f"lab/tree/{name}.ipynb"]}
    assert colab.path == f"/github/some-owner/valleys/blob/v1.0/{name}.ipynb"
    assert (book_root() / f"{name}.ipynb").is_file()
    assert {binder.scheme, colab.scheme} == {"https"}


@pytest.mark.parametrize("name", page_names())
def test_without_an_address_there_are_no_buttons(html, name):
    assert launched(html, name) == {}
    assert "git clone" not in (html / f"{name}.html").read_text(encoding="utf-8")


def told(html, name) -> str:
    return BeautifulSoup((html / f"{name}.html").read_text(encoding="utf-8"), "html.parser").get_text()


def test_pages_say_how_to_get_ready_on_colab_or_how_to_get_buttons(public, html):
    for name in ("chapters/04_toy_model", "pages/status"):
        assert "git clone --quiet --depth 1 --branch v1.0 https://github.com/some-owner/valleys" in told(public, name)
    assert "make book REPOSITORY=https://github.com/OWNER/NAME" in told(html, "pages/status")
