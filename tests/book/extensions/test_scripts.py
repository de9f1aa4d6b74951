"""Scripts of a list become one, in its order and without their block comments, and pages with live
versions get what opens them.
"""

from bs4 import BeautifulSoup

from valleys.book.extensions.scripts import joined, open_live

FIRST = """/** What
 * it does. */
(() => {
  /** One. */
  const a = "/*";
})();
"""


def test_scripts_are_joined_in_the_order_of_the_list(tmp_path):
    (tmp_path / "first.js").write_text(FIRST)
    (tmp_path / "second.js").write_text("const b = 1; // kept\n")
    (tmp_path / "joined.txt").write_text("second.js\nfirst.js\n")
    assert joined(tmp_path) == 'const b = 1; // kept\n(() => {\n  const a = "/*";\n})();\n'


def test_a_page_with_live_versions_loads_what_opens_them_once():
    page = BeautifulSoup("<body><div data-explorer='held'></div></body>", "html.parser")
    for _ in range(2):
        open_live(page, "../explorer/live.js")
    assert [script["src"] for script in page.select("script")] == ["../explorer/live.js"]
    plain = BeautifulSoup("<body></body>", "html.parser")
    open_live(plain, "explorer/live.js")
    assert not plain.select("script")
