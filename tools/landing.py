"""Draw `_static/landing.png`, the front page's picture for readers without scripts, and
`_static/preview.png` for shared links, by the page's own script.

Needs a Chromium, as the PDF does (a few seconds).
"""

from pathlib import Path

from playwright.sync_api import Page, sync_playwright

from valleys.book.print.pdf import QUIET, find_browser
from valleys.paths import book_root

TITLE, LINE = (
    "Escape from Sharp Valleys",
    "The executable edition of a paper on why noise finds flat solutions",
)
PAGE = """<html data-theme="light"><link rel="stylesheet" href="{extra}/landing/landing.css">
<style>body {{ margin: 0; background: white; font-family: sans-serif; text-align: center; color: #222 }} h1 {{ margin: 28px 0 4px; font-size: 58px }}
p {{ margin: 0; font-size: 28px; color: #555 }} .landing-hero {{ height: {height}px; width: {width}px; margin: 0 auto }}</style>
<body>{head}<div class="landing"><div class="landing-hero" id="hero"><canvas hidden></canvas><button hidden>Pause</button></div></div>
<script src="{extra}/explorer/physics.js"></script><script src="{extra}/landing/hero.js"></script>"""  # noqa: E501


def shoot(
    page: Page, target: Path, *, size: tuple[int, int], drawn: tuple[int, int], head: str = ""
) -> None:
    """A picture of `size`, with the landscape `drawn` so large below a head, both in CSS pixels."""
    page.set_viewport_size({"width": size[0], "height": size[1]})
    # a page of the disk, so that scripts of the disk are allowed
    page.goto((book_root() / "index.md").as_uri())
    extra = (book_root() / "_extra").as_uri()
    page.set_content(PAGE.format(extra=extra, width=drawn[0], height=drawn[1], head=head))
    page.wait_for_function("globalThis.Hero")
    page.evaluate(
        "new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve)))"
    )
    page.screenshot(path=target)


def main() -> None:
    """Draw both."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=find_browser(), args=[*QUIET, "--allow-file-access-from-files"]
        )
        page, static = browser.new_page(reduced_motion="reduce"), book_root() / "_static"
        shoot(page, static / "landing.png", size=(900, 400), drawn=(900, 400))
        head = f"<h1>{TITLE}</h1><p>{LINE}</p>"
        shoot(page, static / "preview.png", size=(1200, 630), drawn=(1080, 480), head=head)
        browser.close()


if __name__ == "__main__":
    main()
