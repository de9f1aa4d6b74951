"""One visit to each page of the site: opened once, looked at on a desk and on a phone, light and
dark, and everything that was seen kept.
"""

import base64
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import unquote, urlparse

import pytest
from playwright.sync_api import Browser, Page, TimeoutError

from tests.site import axe, replaying
from tests.site.browsing import SETTLED, watched
from tests.site.making import EXERCISES
from valleys.book.chapters import page_names

DESK, PHONE = 1280, 390  # CSS pixels
LOW = 240  # and a window so low that it holds a link and hardly what this leads to
FORMULAS = (
    "[document.querySelectorAll('mjx-container').length, "
    "document.querySelectorAll('mjx-merror').length]"
)
# Of a figure and its twin for the other theme one is shown; what is fetched when a reader comes
# near is fetched now.
SHOWN = "[...document.querySelectorAll('article img')].filter((image) => image.checkVisibility())"
FETCH = (
    f"Promise.all({SHOWN}.map((image) => {{ image.loading = 'eager'; return "
    f"image.decode().catch(() => null); }}))"
)
FIGURES = f"{SHOWN}.filter((image) => image.closest('figure'))"
DRAWN = f"{FIGURES}.map((image) => image.complete && image.naturalWidth > 0)"
IMAGES = f"{SHOWN}.map((image) => [image.src, image.clientWidth])"
SOURCES = f"{FIGURES}.map((image) => image.src)"
CARDS = f"{FIGURES}.map((image) => getComputedStyle(image).backgroundColor)"
# Values in a sentence that are set in another weight than the words around them.
LOUD = """[...document.querySelectorAll("article .pasted-text")].filter((value) =>
  getComputedStyle(value).fontWeight !== getComputedStyle(value.parentElement).fontWeight).map((value) => value.innerText)"""  # noqa: E501
# Code and formulas that must be scrolled sideways where all folds are open.
UNFOLD = """document.querySelectorAll("article details:not([open])").forEach((fold) => { fold.open = true; fold.dataset.shut = ""; })"""  # noqa: E501
SIDEWAYS = """[...document.querySelectorAll("article .highlight pre, article div.math, article div.math > mjx-container")]
  .filter((part) => part.checkVisibility() && part.scrollWidth > part.clientWidth + 1).map((part) => part.closest("[id]").id + part.innerText.slice(0, 120))"""  # noqa: E501
FOLD = """document.querySelectorAll("article details[data-shut]").forEach((fold) => { fold.open = false; delete fold.dataset.shut; })"""  # noqa: E501
# Of wide figures: how wide each is shown, how wide it was drawn, and how wide the column of text
# is.
WIDTHS = f"""{SHOWN}.filter((image) => image.matches("figure.full-width img")).map((image) =>
  [image.clientWidth, Number(image.getAttribute("width")), image.closest("section").clientWidth])"""
LINKS = "(selector) => [...document.querySelectorAll(selector)].map((link) => link.href)"
OVERFLOW = "document.documentElement.scrollWidth - innerWidth"
# The same while the solutions of exercises are unfolded.
UNFOLDED_OVERFLOW = f"""(() => {{
  const press = () => document.querySelectorAll("div.solution button.toggle-button").forEach((button) => button.click());
  press(); const found = {OVERFLOW}; press(); return found;
}})()"""  # noqa: E501
# What is cut off, or scrolls in a frame that the keyboard does not reach.
CLIPPED = """[...document.querySelectorAll("article pre, article table, article img, article mjx-container, article .math")].filter((part) => {
  const reaches = (frame) => ["auto", "scroll"].includes(getComputedStyle(frame).overflowX);
  for (let frame = part; frame.tagName !== "ARTICLE"; frame = frame.parentElement)
    if (reaches(frame)) return frame.scrollWidth > frame.clientWidth + 1 && frame.tabIndex < 0;
  return part.getBoundingClientRect().right > innerWidth + 1;
}).map((part) => part.outerHTML.slice(0, 120))"""  # noqa: E501
# The browser's own matrices tell how high 100 units of a font of matplotlib come out, or the type
# of a drawing, whatever turns and scales lie in between.
HEIGHTS = """[...document.querySelectorAll("g[id^='text_'] > g, svg.drawing text")].map((text) => {
  const units = text.matches("text") ? parseFloat(getComputedStyle(text).fontSize) : 100, m = text.getScreenCTM();
  return units * Math.hypot(m.a, m.b);
})"""  # noqa: E501
# Colours fade from theme to theme: each comes to its end at once, as one that is not drawn would
# never end by itself.
STILL = (
    "document.getAnimations().forEach((animation) => { try { animation.finish(); } catch { "
    "animation.cancel(); } })"
)
PREVIEWS, TIP = "article a[data-preview]", ".preview"
PREVIEW_KINDS = f"""[...new Set([...document.querySelectorAll("{PREVIEWS}")].filter((link) => link.checkVisibility())
  .map((link) => link.dataset.preview))]"""  # noqa: E501
LINGER = 300  # milliseconds, longer than what is shown outlasts the pointer on its link
# milliseconds, for the theme to mark what scrolls after the window has changed its width
PATIENCE = 5_000

Visits = Callable[[str], "Visit"]


@dataclass
class Preview:
    """What one link showed.

    Attributes:
        by_pointer: the text while the pointer rests on the link.
        by_keyboard: the same at the keyboard's focus.
        held: whether it is still there when the pointer has moved onto it.
        described: whether the link is described by it.
        left: what is seen after Escape, by pointer and by keyboard.
    """

    by_pointer: str
    by_keyboard: str
    held: bool
    described: bool
    left: list[bool]


@dataclass
class Visit:
    """What one page showed.

    Attributes:
        complaints: of the console, of scripts, of requests that failed or left this machine.
        files: bytes of each file that the page loads.
        n_formulas: formulas that are set.
        n_formula_errors: formulas that cannot be set.
        drawn: whether each figure is drawn.
        figures: addresses of the figures that the light theme shows, and those of the dark one.
        loud: values in a sentence that are set in another weight than its words.
        sideways: code and formulas that must be scrolled on a desk.
        widths: of each wide figure on a desk: as it is shown, as it was drawn, and of the text, CSS
            pixels.
        overflow: how much wider than the phone the page is, solutions folded or not, CSS pixels.
        clipped: what is cut off on a phone.
        text_heights: of each image with text on a phone, by the beginning of its address, CSS
            pixels.
        cards: what figures lie on in the dark.
        links: where the buttons of a page lead: `next`, `previous`, `source`.
        denied: what axe-core finds in each view in which it looked.
        previews: of each kind of link that shows what it leads to, what was tried and seen.
        film: what the film of the page showed, if it has one.
    """

    complaints: list[str]
    files: dict[Path, int] = field(default_factory=dict)
    n_formulas: int = 0
    n_formula_errors: int = 0
    drawn: list[bool] = field(default_factory=list)
    figures: dict[str, list[str]] = field(default_factory=dict)
    loud: list[str] = field(default_factory=list)
    sideways: list[str] = field(default_factory=list)
    widths: list[tuple[int, int, int]] = field(default_factory=list)
    overflow: int = 0
    clipped: list[str] = field(default_factory=list)
    text_heights: dict[str, list[float]] = field(default_factory=dict)
    cards: set[str] = field(default_factory=set)
    links: dict[str, list[str]] = field(default_factory=dict)
    denied: dict[str, list[str]] = field(default_factory=dict)
    previews: dict[str, Preview] = field(default_factory=dict)
    film: replaying.Film | None = None


BUTTONS = {
    "next": "a.right-next",
    "previous": "a.left-prev",
    "source": "a.btn-download-source-button",
}


def each_page(*folders: str, besides: Iterable[str] = ()) -> pytest.MarkDecorator:
    """Run a test for each page, or each page of some folders, in the process that visits the
    page; of the pages of exercises one is quick.
    """
    chosen = [name for name in page_names() if not folders or name.startswith(folders)]
    return pytest.mark.parametrize(
        "name", [pytest.param(name, marks=_marks(name)) for name in [*chosen, *besides]]
    )


def _marks(name: str) -> list[pytest.MarkDecorator]:
    is_slow = name.startswith("exercises/") and name != EXERCISES
    return [pytest.mark.xdist_group(name), *([pytest.mark.slow] if is_slow else [])]


def visit(browser: Browser, path: Path, views: axe.Views) -> Visit:
    """Open a page once and look at it from all sides; `views` has those in which axe-core does."""
    page = browser.new_page(viewport={"width": DESK, "height": 900}, color_scheme="light")
    seen = Visit(watched(page))
    files: set[Path] = set()
    page.on(
        "request",
        lambda request: files.add(_file(request.url)) if request.url.startswith("file:") else None,
    )
    page.goto(path.as_uri())
    page.evaluate(SETTLED)
    page.evaluate(FETCH)
    _look(page, seen)
    _look_at_type(page, seen)
    seen.files = {file: file.stat().st_size for file in files}
    _ask_axe(page, seen, views, "light desk")
    if path.relative_to(path.parents[1]).with_suffix("").as_posix() in axe.PREVIEWED:
        _try_previews(page, seen, views)
    seen.film = replaying.play(page)
    _look_on_a_phone(page, seen)
    replaying.tap(page, seen.film)
    _ask_axe(page, seen, views, "light phone")
    _look_in_the_dark(page, seen)
    _ask_axe(page, seen, views, "dark phone")
    _widen(page, DESK)
    replaying.darken(page, seen.film)
    _ask_axe(page, seen, views, "dark desk")
    page.close()
    return seen


def _ask_axe(page: Page, seen: Visit, views: axe.Views, view: str) -> None:
    if view in views:
        seen.denied[view] = axe.violations(page, views[view])


def _widen(page: Page, width: int) -> None:
    page.set_viewport_size({"width": width, "height": 900})
    page.wait_for_function(f"innerWidth === {width}")


def _look(page: Page, seen: Visit) -> None:
    seen.n_formulas, seen.n_formula_errors = page.evaluate(FORMULAS)
    seen.drawn, seen.figures["light"] = page.evaluate(DRAWN), page.evaluate(SOURCES)
    seen.links = {name: page.evaluate(LINKS, selector) for name, selector in BUTTONS.items()}


def _look_at_type(page: Page, seen: Visit) -> None:
    seen.loud, seen.widths = page.evaluate(LOUD), page.evaluate(WIDTHS)
    page.evaluate(UNFOLD)
    seen.sideways = page.evaluate(SIDEWAYS)
    page.evaluate(FOLD)


def _try_previews(page: Page, seen: Visit, views: axe.Views) -> None:
    """Rest on one link of each kind, by pointer and by keyboard, and send away what it shows."""
    page.evaluate(UNFOLD)
    page.set_viewport_size({"width": DESK, "height": LOW})  # what is in view is not shown twice
    for kind in page.evaluate(PREVIEW_KINDS):
        link, box = (
            page.locator(f"{PREVIEWS}[data-preview={kind}]:visible").first,
            page.locator(TIP),
        )
        link.hover()
        box.wait_for()
        by_pointer, described = box.inner_text(), link.get_attribute("aria-describedby")
        box.hover()
        page.wait_for_timeout(LINGER)
        held = box.is_visible()
        if not seen.previews:
            _ask_axe(page, seen, views, "preview")
        page.keyboard.press("Escape")
        left = [box.is_visible()]
        page.mouse.move(0, 0)
        link.focus()
        box.wait_for()
        by_keyboard = box.inner_text()
        page.keyboard.press("Escape")
        left.append(box.is_visible())
        seen.previews[kind] = Preview(by_pointer, by_keyboard, held, described == "preview", left)
    page.evaluate(FOLD)
    _widen(page, DESK)


def _look_on_a_phone(page: Page, seen: Visit) -> None:
    _widen(page, PHONE)
    try:
        page.wait_for_function(f"{CLIPPED}.length === 0", timeout=PATIENCE)
    except TimeoutError:
        seen.clipped = page.evaluate(CLIPPED)
    seen.overflow = max(map(page.evaluate, (OVERFLOW, UNFOLDED_OVERFLOW)))
    seen.text_heights = _text_heights(page.context.browser, page.evaluate(IMAGES))


def _look_in_the_dark(page: Page, seen: Visit) -> None:
    page.emulate_media(color_scheme="dark")
    page.wait_for_function("document.documentElement.dataset.theme === 'dark'")
    page.evaluate(STILL)
    page.evaluate(FETCH)
    seen.drawn += page.evaluate(DRAWN)
    seen.cards, seen.figures["dark"] = set(page.evaluate(CARDS)), page.evaluate(SOURCES)


def _text_heights(browser: Browser, images: list[tuple[str, int]]) -> dict[str, list[float]]:
    """Heights of the texts of each image as wide as it is shown, CSS pixels."""
    page = browser.new_page(viewport={"width": DESK, "height": 900})
    found = {}
    for source, width in images:
        page.set_content(f"<body>{_drawing(source)}</body>")
        scale = width / page.evaluate("document.querySelector('svg').getBoundingClientRect().width")
        found[source[:80]] = [height * scale for height in page.evaluate(HEIGHTS)]
    page.close()
    return found


def _drawing(source: str) -> str:
    """The SVG behind an address, as text that a page may hold."""
    _, is_embedded, packed = source.partition("data:image/svg+xml;base64,")
    text = (
        base64.b64decode(packed).decode()
        if is_embedded
        else _file(source).read_text(encoding="utf-8")
    )
    return text[text.index("<svg") :]


def _file(address: str) -> Path:
    return Path(unquote(urlparse(address).path))
