"""The page checks: a sound site passes, and each fault is found and named."""

import pytest

from valleys.book.site.check import check_site

ALT = "flat fraction rising with noise"
GOOD = {
    "index.html": '<article><h1 id="top">Top</h1><a href="chapters/one.html#part">one</a><img '
    f'src="_images/a.svg" alt="{ALT}"></article>',
    "chapters/one.html": '<article><h1 id="part">One</h1><a href="#part">here</a><a '
    'href="https://arxiv.org/abs/1">paper</a></article>',
    "_images/a.svg": "<svg/>",
    "_static/style.css": "a { background: url(data:image/png;base64,AAAA) }",
}


def site(folder, **changed):
    for name, text in (GOOD | changed).items():
        path = folder / "html" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if text is not None:
            path.write_text(text)
    (folder / "_toc.yml").write_text(
        "root: index\nparts:\n  - chapters:\n      - file: chapters/one\n"
    )
    return check_site(folder / "html", folder)


def test_sound_site_passes(tmp_path):
    assert site(tmp_path) == []


@pytest.mark.parametrize(
    ("name", "text", "complaint"),
    [
        ("chapters/one.html", None, "was not built"),
        ("index.html", '<img src="_images/a.svg">', "no real alt text"),
        (
            "index.html",
            '<img src="_images/a.svg" alt="_images/0123456789abcdef0123.svg">',
            "no real alt text",
        ),
        ("index.html", '<img src="_images/a.svg" alt="figure.png">', "no real alt text"),
        ("index.html", f'<img src="_images/b.svg" alt="{ALT}">', "leads nowhere"),
        ("index.html", '<a href="two.html">two</a>', "leads nowhere"),
        ("index.html", '<a href="chapters/one.html#gone">one</a>', "names no anchor"),
        ("index.html", '<a href="#gone">here</a>', "names no anchor"),
        (
            "index.html",
            '<article><h1 id="part">A</h1><h3>C</h3></article>',
            "'C' of level 3 follows one of level 1",
        ),
        (
            "index.html",
            '<article><h1 id="part">A</h1><h2>B</h2><h1>C</h1></article>',
            "'C' of level 1 follows one of level 2",
        ),
        ("index.html", "<article><h2>B</h2></article>", "'B' of level 2 follows one of level 0"),
        (
            "index.html",
            '<div class="output stderr highlight"><pre>FutureWarning: mind</pre></div>',
            "printed a warning: FutureWarning: mind",
        ),
        ("index.html", '<script src="https://cdn.example/x.js"></script>', "script fetches"),
        ("index.html", '<link rel="stylesheet" href="//cdn.example/x.css">', "link fetches"),
        ("index.html", f'<img src="https://cdn.example/x.png" alt="{ALT}">', "img fetches"),
        ("index.html", "<style>@import 'https://cdn.example/x.css'</style>", "style fetches"),
        ("_static/style.css", "@font-face { src: url(https://cdn.example/f.woff2) }", "fetches"),
    ],
)
def test_each_fault_is_found(tmp_path, name, text, complaint):
    problems = site(tmp_path, **{name: text})
    assert any(complaint in problem for problem in problems), problems
