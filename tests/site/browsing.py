"""A headless browser that tells everything it complains about."""

from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page

from valleys.book.print.pdf import find_browser
from valleys.errors import BookError

# Formulas are set, fonts are there, and two frames later whoever watches sizes has been told of
# them.
SETTLED = """async () => {
  await globalThis.MathJax?.startup?.promise;
  await document.fonts.ready;
  await new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve)));
}"""


def installed() -> str | None:
    """Path of the Chromium that the book prints with, too; None if there is none."""
    try:
        return find_browser()
    except BookError:
        return None


CHROMIUM = installed()
needs_chromium = pytest.mark.skipif(
    CHROMIUM is None, reason="no chromium on this machine: the site is not tried in a browser"
)


def watched(page: Page) -> list[str]:
    """Everything that a page complains about or asks the network for, from now on."""
    complaints: list[str] = []
    page.on(
        "console",
        lambda message: (
            complaints.append(message.text) if message.type in ("error", "warning") else None
        ),
    )
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("requestfailed", lambda request: complaints.append(f"failed: {request.url}"))
    page.on(
        "request",
        lambda request: (
            None
            if request.url.startswith(("file:", "data:", "blob:"))
            else complaints.append(f"left: {request.url}")
        ),
    )
    return complaints


def opened(
    browser: Browser, path: Path, *, width: int = 1280, dark: bool = False
) -> tuple[Page, list[str]]:
    """A page in a new window, at rest, with everything it complains about or asks the network
    for.
    """
    page = browser.new_page(
        viewport={"width": width, "height": 900}, color_scheme="dark" if dark else "light"
    )
    complaints = watched(page)
    page.goto(path.as_uri())
    page.evaluate(SETTLED)
    return page, complaints
