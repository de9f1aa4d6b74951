"""Links to equations, figures, citations and terms are marked, no others, and what stands on other
pages is written down.
"""

import json

import pytest
from bs4 import BeautifulSoup

from valleys.book.extensions.previews import mark, written

LINKS = {
    "#equation-eq-a": "equation",
    "#fig-a": "figure",
    "#id3": "citation",
    "#id4": None,
    "#a-section": None,
    "two.html": None,
    "two.html#fig-b": "figure",
    "two.html#equation-eq-b": "equation",
    "../pages/glossary.html#term-ridge": "term",
    "../pages/bibliography.html#id1": "citation",
    "../pages/notation.html#words": None,
}
PAGE = (
    "<nav><a class='internal' href='#fig-a'>a</a></nav><article>"
    + "".join(f"<a class='reference internal' href='{link}'>a</a>" for link in LINKS)
    + "<a class='headerlink' href='#fig-a'>#</a><div class='citation' id='id3'><p>A.</p></div>"
    "</article>"
)
TWO = """<article><div class="math" id="equation-eq-b"><span class="eqno">(1)<a class="headerlink"
href="#equation-eq-b">#</a></span>\\[a\\]</div><figure id="fig-b"><span class="figure-frame"><img
alt="a long story" class="only-light" src="../_images/a.svg"><img alt="a long story"
class="only-dark" src="../_images/a.dark.svg"></span><span class="figure-hint">Swipe.</span>
<figcaption><p><span class="caption-number">Fig. 1 </span><span class="caption-text"><span
class="takeaway">It rises.</span> More of it.</span></p></figcaption></figure></article>"""
GLOSSARY = """<article><dl class="glossary"><dt id="term-ridge">ridge<a class="headerlink"
href="#term-ridge">#</a></dt><dd><p>What stands between.</p></dd><dt id="term-wall">wall</dt>
<dd><p>Another.</p></dd></dl></article>"""


@pytest.fixture
def site(tmp_path):
    files = {"chapters/one": PAGE, "chapters/two": TWO, "pages/glossary": GLOSSARY}
    for name, text in files.items():
        path = tmp_path / f"{name}.html"
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
    (tmp_path / "pages" / "bibliography.html").write_text("<div class='citation' id='id1'></div>")
    return tmp_path


def marked(site):
    path = site / "chapters" / "one.html"
    page = BeautifulSoup(path.read_text(), "html.parser")
    return page, mark(page, path)


def test_links_are_marked_by_kind_and_others_left_alone(site):
    page, _ = marked(site)
    found = {link["href"]: link.get("data-preview") for link in page.select("article a.internal")}
    assert found == LINKS
    assert page.select("nav [data-preview], .headerlink[data-preview]") == []


def test_marking_again_changes_nothing(site):
    page, places = marked(site)
    once = str(page)
    assert mark(page, site / "chapters" / "one.html") == places
    assert str(page) == once


@pytest.fixture
def elsewhere(site):
    script = written(site, marked(site)[1])
    return json.loads(script[script.index("{") : script.rindex("}") + 1])


def test_what_stands_on_other_pages_is_written_by_its_address(elsewhere):
    assert set(elsewhere) == {
        "chapters/two.html#fig-b",
        "chapters/two.html#equation-eq-b",
        "pages/glossary.html#term-ridge",
        "pages/bibliography.html#id1",
    }
    term = BeautifulSoup(elsewhere["pages/glossary.html#term-ridge"], "html.parser")
    assert [part.get_text() for part in term.find_all(["dt", "dd"])] == [
        "ridge",
        "What stands between.",
    ]


def test_of_a_figure_both_drawings_and_the_first_sentence_are_kept(elsewhere):
    figure = BeautifulSoup(elsewhere["chapters/two.html#fig-b"], "html.parser").figure
    assert [image["src"] for image in figure.select("img")] == [
        "_images/a.svg",
        "_images/a.dark.svg",
    ]
    assert figure.get_text() == "Fig. 1 It rises."


def test_no_link_of_a_page_is_kept(elsewhere):
    assert "href" not in "".join(elsewhere.values())
