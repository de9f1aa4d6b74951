"""What the film of a page does when a reader asks, seen while the page is visited."""

from dataclasses import dataclass, field

from playwright.sync_api import Page

FILM = ".replay"
NUMBERS = """Object.fromEntries([...document.querySelectorAll(".replay dd")].map((place) =>
  [place.dataset.part, place.textContent]))"""
PICTURES = "[...document.querySelectorAll('.replay canvas')].map((canvas) => canvas.toDataURL())"
MODE = "document.querySelector('.replay').dataset.mode"
MOMENT = "Number(document.querySelector('.replay input').value)"
FONTS = """[...document.querySelectorAll(".replay *")].filter((part) => part.checkVisibility()
  && part.innerText?.trim()).map((part) => parseFloat(getComputedStyle(part).fontSize))"""
KEYS = ("Home", "ArrowRight", "End")
# A busy browser stamps the first frame of a film before the key that began it.
BUSY = "{ const now = performance.now.bind(performance); performance.now = () => now() + 200; }"

Numbers = dict[str, str]  # what stands below a film, by name


@dataclass
class Film:
    """What a film showed.

    Attributes:
        opened: its mode when the page had come to rest, before anyone asked.
        numbers: what stood below it after each key of `KEYS`.
        pictures: its canvases then, and those in the dark under `dark`.
        played: where it was stopped after it had played, by the space bar.
        mode: in which mode it was then.
        status: what was told to listeners then.
        stepped: by how many moments an arrow key moved it from there, on its button.
        tapped: share of the way to which a tap in the middle of the slider moved it on a phone.
        fonts: heights of its texts on a phone, CSS pixels.
    """

    opened: str
    numbers: dict[str, Numbers] = field(default_factory=dict)
    pictures: dict[str, list[str]] = field(default_factory=dict)
    played: int = 0
    mode: str = ""
    status: str = ""
    stepped: int = 0
    tapped: float = 0.0
    fonts: list[float] = field(default_factory=list)


def play(page: Page) -> Film | None:
    """Move, play and stop the film of a page by keyboard; None where there is none."""
    film = page.locator(FILM)
    if not film.count():
        return None
    seen = Film(page.evaluate(MODE))
    film.get_by_role("slider").focus()
    for key in KEYS:
        page.keyboard.press(key)
        seen.numbers[key], seen.pictures[key] = page.evaluate(NUMBERS), page.evaluate(PICTURES)
    page.evaluate(BUSY)
    page.keyboard.press("Home")
    page.keyboard.press("Space")
    page.wait_for_function(f"{MOMENT} >= 2")
    page.keyboard.press("Space")
    seen.played, seen.mode = page.evaluate(MOMENT), page.evaluate(MODE)
    seen.status = film.get_by_role("status").inner_text()
    film.get_by_role("button").focus()
    page.keyboard.press("ArrowRight")
    seen.stepped = page.evaluate(MOMENT) - seen.played
    return seen


def tap(page: Page, seen: Film | None) -> None:
    """Move the film by hand on a phone."""
    if seen:
        slider = page.locator(FILM).get_by_role("slider")
        slider.click()
        seen.tapped = page.evaluate(MOMENT) / int(slider.get_attribute("max") or 1)
        seen.fonts = page.evaluate(FONTS)


def darken(page: Page, seen: Film | None) -> None:
    """Look at it in the dark, at its last moment."""
    if seen:
        page.locator(FILM).get_by_role("slider").press("End")
        seen.pictures["dark"] = page.evaluate(PICTURES)
