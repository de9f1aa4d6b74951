"""The explorer as a page: controls, keyboard, motion, colours, and what there is without
scripts.
"""

import re
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page

from tests.site.browsing import needs_chromium
from valleys.book.chapters import page_names
from valleys.toy import TwoValley
from valleys.toy.exact import master_equation
from valleys.toy.experiments.two_valley import with_contrast

SCRIPTS = ("physics.js", "joined.js", "controls.js")
FOCUSED = (
    "(({ dataset, type, textContent }) => dataset.part || (type === 'radio' ? 'noise' : "
    "textContent))(document.activeElement)"
)
ENDED = "document.getElementById('explorer').dataset.mode === 'paused'"


def explorer(
    browser: Browser, html: Path, address: str = "", *, calm: bool = True, **context: object
) -> tuple[Page, list[str]]:
    """The page in a window of its own, without autoplay unless `calm` is false, with everything
    it complains about.
    """
    window = browser.new_context(
        **(
            {
                "viewport": {"width": 1280, "height": 900},
                "reduced_motion": "reduce" if calm else "no-preference",
            }
            | context
        )
    )
    page, complaints = window.new_page(), []
    page.on(
        "console",
        lambda message: (
            complaints.append(message.text) if message.type in ("error", "warning") else None
        ),
    )
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("requestfailed", lambda request: complaints.append(f"failed: {request.url}"))
    page.goto((html / "pages" / "explorer.html").as_uri() + address)
    if context.get("java_script_enabled", True):
        page.wait_for_selector("#explorer", state="visible")
    return page, complaints


def text(page: Page, part: str) -> str:
    return page.locator(f'#explorer [data-part="{part}"]').inner_text()


def press(page: Page, part: str) -> None:
    page.locator(f'#explorer [data-part="{part}"]').click()


def luminance(colour: str) -> float:
    """Relative luminance (WCAG 2) of #rrggbb."""
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    red, green, blue = (
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


def test_only_its_page_loads_the_scripts_and_the_front_page_their_physics(html):
    wanted = {"pages/explorer": {"joined.js", "controls.js"}, "index": {"physics.js"}}
    for name in page_names():
        page = (html / f"{name}.html").read_text(encoding="utf-8")
        assert {script for script in SCRIPTS if f"explorer/{script}" in page} == wanted.get(
            name, set()
        )


@needs_chromium
def test_without_scripts_a_still_figure_stands_there(browser, html):
    page, _ = explorer(browser, html, java_script_enabled=False)
    (still,) = page.locator("#explorer-still img:visible").all()
    assert len(still.get_attribute("alt")) > 80
    assert "One run of the explorer" in page.locator("#explorer-still figcaption").inner_text()
    assert not page.locator("#explorer").is_visible()
    assert page.locator("button[data-explorer-settings]:visible").count() == 0
    page.context.close()


@needs_chromium
def test_it_plays_by_itself_and_can_be_paused(browser, html):
    page, complaints = explorer(browser, html, "#eta=0.1&sigma=0.1", calm=False)
    assert not page.locator("#explorer-still").is_visible()
    page.wait_for_function("Number(document.querySelector('[data-part=steps]').textContent) > 5")
    press(page, "play")
    assert text(page, "play") == "Play"
    before = text(page, "steps")
    page.wait_for_timeout(300)
    assert text(page, "steps") == before
    assert "Paused at time" in page.locator('[data-part="status"]').text_content()
    press(page, "again")
    assert text(page, "steps") == "0"
    page.locator('[data-part="knots"]').click()
    page.wait_for_function("Number(document.querySelector('[data-part=steps]').textContent) > 5")
    assert complaints == []
    page.context.close()


@pytest.mark.slow
@needs_chromium
def test_reduced_motion_moves_nothing_before_it_is_asked(browser, html):
    page, complaints = explorer(browser, html, "#eta=0.1&sigma=0.1")
    draws = """() => { globalThis.draws = 0; const prototype = CanvasRenderingContext2D.prototype, clear = prototype.clearRect;
        prototype.clearRect = function (...place) { if (this.canvas.dataset.part === "landscape") globalThis.draws += 1; clear.apply(this, place); }; }"""  # noqa: E501
    page.evaluate(draws)
    page.wait_for_timeout(400)
    assert (text(page, "steps"), text(page, "play"), page.evaluate("draws")) == ("0", "Play", 0)
    press(page, "step")
    press(page, "step")
    assert (text(page, "steps"), page.evaluate("draws")) == ("2", 2)
    press(page, "end")
    page.wait_for_function(ENDED, timeout=60_000)
    assert (text(page, "time"), text(page, "steps"), page.evaluate("draws")) == (
        "1000",
        "10,000",
        3,
    )
    said = page.locator('[data-part="status"]').text_content()
    assert said.startswith("Finished at time 1000: flat share 0.")
    assert re.search(r", mean freezing time \d{3}\.$", said)
    assert complaints == []
    page.context.close()


@pytest.mark.slow
@needs_chromium
@pytest.mark.parametrize(
    ("eta", "sigma", "gamma", "start"),
    [(0.1, 0.1, 1.515, 5.0), (0.1, 0.01, 1.515, 5.0), (0.1, 0.02, 1.2, 0.2)],
)
def test_a_run_on_the_page_agrees_with_the_master_equation(browser, html, eta, sigma, gamma, start):
    page, _ = explorer(
        browser, html, f"#eta={eta}&sigma={sigma}&gamma={gamma}&start={start}&seed=5"
    )
    press(page, "end")
    page.wait_for_function(ENDED, timeout=60_000)
    exact = master_equation.evolve(with_contrast(TwoValley(), gamma), eta, sigma, 10_000, start)
    expected = {
        "p-flat": float(exact.p_flat[-1]),
        "freezing-time": eta * float(exact.freezing_time),
    }
    for part, value in expected.items():
        found, error = map(float, text(page, part).split(" ± "))
        # one particle: hops so rare that the swarm may have none
        assert abs(found - value) < 3 * error + (0.003 if part == "p-flat" else 0)
    page.context.close()


@pytest.mark.slow
@needs_chromium
def test_playing_and_rushing_give_the_same_run(browser, html):
    ends = []
    for way in ("play", "end"):
        page, _ = explorer(browser, html, "#eta=0.4&sigma=0.002&seed=9")
        page.locator('[data-part="speed"]').select_option("4")
        press(page, way)
        page.wait_for_function(
            "document.querySelector('[data-part=time]').textContent === '1000'", timeout=120_000
        )
        ends.append(
            [text(page, part) for part in ("p-flat", "freezing-time", "y", "hops", "steps")]
        )
        page.context.close()
    assert ends[0] == ends[1]


@needs_chromium
def test_the_keyboard_reaches_and_moves_everything(browser, html):
    page, complaints = explorer(browser, html)
    page.locator("#explorer button").first.focus()
    reached = []
    for _ in range(40):
        reached.append(page.evaluate(FOCUSED))
        assert page.evaluate("getComputedStyle(document.activeElement).outlineStyle") == "solid"
        if reached[-1] == "reseed":
            break
        page.keyboard.press("Tab")
    assert reached[reached.index("noise") :] == [
        "noise",
        "eta",
        "sigma",
        "gamma",
        "start",
        "walker",
        "play",
        "step",
        "end",
        "again",
        "speed",
        "reseed",
    ]
    page.locator('[data-part="eta"]').focus()
    page.keyboard.press("ArrowRight")
    assert text(page, "eta-value") == "0.012"
    assert page.locator('[data-part="eta"]').get_attribute("aria-valuetext") == "0.012"
    page.wait_for_function("location.hash.includes('eta=0.012&')")
    page.locator('[data-part="step"]').focus()
    page.keyboard.press("Enter")
    assert text(page, "steps") == "1"
    for _ in range(6):  # past the other buttons, and the select above the chart
        page.keyboard.press("Tab")
    page.get_by_role("slider", name="Noise at time 1", exact=True).focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("PageUp")
    knot = page.get_by_role("slider", name="Noise at time 2", exact=True)
    assert knot.get_attribute("aria-valuetext") == "0.00213"
    assert page.evaluate("document.activeElement.getAttribute('aria-label')") == "Noise at time 2"
    page.wait_for_function("location.hash.includes('schedule=0.0012,0.00213,0.0012,')")
    assert complaints == []
    page.context.close()


@needs_chromium
def test_a_schedule_is_drawn_run_and_scored(browser, html):
    page, complaints = explorer(browser, html, "#eta=0.1&sigma=0.01&start=1&seed=2")
    before = float(text(page, "score-share"))
    chart = page.locator('[data-part="knots"]')
    box = chart.bounding_box()
    page.mouse.move(box["x"] + 0.3 * box["width"], box["y"] + 0.5 * box["height"])
    page.mouse.down()
    page.mouse.move(box["x"] + 0.9 * box["width"], box["y"] + 0.2 * box["height"], steps=4)
    page.mouse.up()
    drawn, best = (float(text(page, f"score-{name}")) for name in ("share", "best"))
    assert drawn != before
    assert max(before, drawn, float(text(page, "score-constant"))) <= best
    assert page.locator('[data-part="shape"]').input_value() == "drawn"
    assert page.locator('[data-part="sigma"]').is_disabled()
    assert text(page, "balance") == text(page, "score-share")
    press(page, "step")
    page.wait_for_function("location.hash.includes('&schedule=')")
    address = page.evaluate("location.hash")
    page.locator('[data-part="shape"]').select_option("best")
    assert best - float(text(page, "score-share")) < 0.004
    page.locator('[data-part="walker"]').select_option("4")
    page.wait_for_function("location.hash.endsWith('&walker=4')")
    assert text(page, "steps") == "0"
    page.evaluate(f"location.hash = '{address}'")
    page.wait_for_function(
        f"document.querySelector('[data-part=score-share]').textContent === '{drawn:.3f}'"
    )
    page.locator('[data-part="gamma"]').fill("1.2")
    assert not page.locator('[data-part="score"]').is_visible()
    assert text(page, "unscored")
    page.locator('[data-part="shape"]').select_option("level")
    page.wait_for_function("!location.hash.includes('schedule')")
    assert complaints == []
    page.context.close()


@needs_chromium
def test_a_link_can_be_copied_and_a_bad_one_says_so_in_one_line(browser, html):
    page, complaints = explorer(
        browser, html, "#eta=0.1&sigma=7&schedule=1,2", permissions=["clipboard-write"]
    )
    assert all(bad in text(page, "notice") for bad in ("sigma=7", "schedule=1,2"))
    assert "eta=0.1" not in text(page, "notice")
    press(page, "copy")
    page.wait_for_function(
        "!document.querySelector('[data-part=notice]').textContent.includes('sigma=7')"
    )
    assert page.evaluate("location.hash").startswith("#eta=0.1&sigma=1&gamma=1.515&start=5&seed=1")
    chart = page.locator('[data-part="map"]')
    box = chart.bounding_box()
    chart.click(position={"x": 0.6 * box["width"], "y": 0.4 * box["height"]})
    assert 0.005 <= float(text(page, "eta-value")) < 0.1
    assert 0.01 < float(text(page, "sigma-value")) < 1
    assert complaints == []
    page.context.close()


@pytest.mark.slow
@needs_chromium
def test_every_control_has_a_name(browser, html):
    page, _ = explorer(browser, html)
    for role, names in {
        "slider": ("Learning rate η", "Noise strength σ", "Flatness ratio γ"),
        "combobox": ("Start", "Speed", "Follow", "Noise over time"),
    }.items():
        for name in names:
            assert page.get_by_role(role, name=name).count() == 1
    assert page.get_by_role("group", name="Run", exact=True).get_by_role("button").count() > 0
    page.context.close()


@pytest.mark.slow
@needs_chromium
def test_the_address_holds_the_setting(browser, html):
    page, complaints = explorer(browser, html, "#eta=0.0137&sigma=7&gamma=1.2&start=0.2&seed=42")
    assert [text(page, f"{name}-value") for name in ("eta", "sigma", "gamma")] == [
        "0.0137",
        "1",
        "1.2",
    ]
    assert page.locator('[data-part="start"]').input_value() == "0.2"
    assert text(page, "seed") == "42"
    press(page, "reseed")
    page.wait_for_function(
        "location.hash === "
        f"'#eta=0.0137&sigma=1&gamma=1.2&start=0.2&seed={text(page, 'seed')}&noise=curvature'"
    )
    page.evaluate("location.hash = '#eta=0.02&sigma=nonsense'")
    page.wait_for_function("document.querySelector('[data-part=eta-value]').textContent === '0.02'")
    assert text(page, "sigma-value") == "1"
    assert complaints == []
    page.context.close()


@needs_chromium
def test_presets_and_experiments_set_what_they_say(browser, html):
    page, complaints = explorer(browser, html)
    page.get_by_role("button", name="Weak noise").click()
    assert text(page, "sigma-value") == "0.01"
    assert "too weak" in text(page, "warnings")
    assert (text(page, "balance"), text(page, "noise"), text(page, "p-flat")) == (
        "0.500",
        "0.0001",
        "0.500 ± 0.000",
    )
    page.get_by_role("button", name="Too strong").click()
    assert (text(page, "eta-value"), text(page, "sigma-value")) == ("0.1", "0.1")
    assert "still hop" in text(page, "warnings")
    assert page.evaluate("document.activeElement.dataset.part") == "play"
    page.get_by_role("button", name="Equal valleys").click()
    assert (text(page, "balance"), text(page, "transient")) == ("0.500", "0.500")
    page.get_by_role("button", name="Strong noise").click()
    assert "theory should hold" in text(page, "warnings")
    assert complaints == []
    page.context.close()


@needs_chromium
def test_the_switch_changes_the_noise_and_the_address_restores_it(browser, html):
    page, complaints = explorer(browser, html, "#eta=0.1&sigma=0.1&seed=3")
    places = {}
    for kind, name, theories in (
        ("uniform", "uniform", {"boltzmann"}),
        ("curvature", "follows curvature", {"balance", "transient"}),
        ("none", "none", set()),
    ):
        page.get_by_role("radio", name=name).check()
        keys = page.evaluate(
            "[...document.querySelectorAll('.explorer-key[data-theory]')].filter((key) => "
            "!key.hidden).map((key) => key.dataset.theory)"
        )
        assert set(keys) == theories
        assert bool(text(page, "theory-word")) == (kind != "curvature")
        press(page, "step")
        places[kind] = page.evaluate("document.querySelector('[data-part=side]').toDataURL()")
        page.wait_for_function(f"location.hash.endsWith('&noise={kind}')")
    assert len(set(places.values())) == len(places)
    assert text(page, "noise") == "0"
    assert page.locator('[data-part="sigma"]').is_disabled()
    page.reload()
    page.wait_for_selector("#explorer", state="visible")
    assert page.get_by_role("radio", name="none").is_checked()
    page.evaluate("location.hash = '#noise=uniform'")
    page.wait_for_function("document.querySelector('[name=explorer-noise][value=uniform]').checked")
    page.evaluate("location.hash = '#noise=nonsense'")
    assert page.get_by_role("radio", name="uniform").is_checked()
    assert complaints == []
    page.context.close()


@needs_chromium
def test_slider_pictures_and_result_are_in_one_view_on_a_desk(browser, html):
    page, _ = explorer(browser, html, viewport={"width": 1280, "height": 800})
    page.evaluate("document.getElementById('explorer').scrollIntoView()")
    for part in (
        *("p-flat", "sigma", "play", "copy", "landscape", "side", "share"),
        *("schedule", "score"),
    ):
        place = page.locator(f'[data-part="{part}"]').bounding_box()
        assert place["y"] >= 0
        assert place["y"] + place["height"] <= 800
    page.context.close()


@needs_chromium
def test_the_result_stays_in_view_of_every_slider_on_a_phone(browser, html):
    page, _ = explorer(browser, html, viewport={"width": 390, "height": 844}, has_touch=True)
    header = page.locator(".bd-header-article").bounding_box()
    for part in ("eta", "gamma", "schedule", "side", "share"):
        page.locator(f'[data-part="{part}"]').evaluate(
            "(part) => part.scrollIntoView({ block: 'center' })"
        )
        result, place = (
            page.locator(f'[data-part="{name}"]').bounding_box() for name in ("p-flat", part)
        )
        assert header["height"] <= result["y"] < place["y"] + place["height"] <= 844
    page.context.close()


@needs_chromium
def test_warnings_move_nothing(browser, html):
    page, _ = explorer(browser, html, "#eta=0.01&sigma=0.1")
    where = (
        "[...document.querySelectorAll('#explorer canvas, #explorer input, #explorer "
        "button')].map((part) => part.getBoundingClientRect().top + scrollY)"
    )
    before = page.evaluate(where)
    page.evaluate("location.hash = '#eta=0.1&sigma=1'")
    page.wait_for_function("document.querySelectorAll('[data-part=warnings] li').length === 3")
    assert page.evaluate(where) == before
    page.context.close()


@pytest.mark.slow
@needs_chromium
def test_the_picture_follows_walkers_that_go_far_and_says_so(browser, html):
    page, _ = explorer(browser, html, "#eta=0.4&sigma=0.1")
    press(page, "end")
    page.wait_for_function(ENDED, timeout=60_000)
    found = re.search(r"Zoomed out to y = (\d+)", text(page, "lost"))
    assert float(found[1]) > float(text(page, "y"))
    page.context.close()


@needs_chromium
def test_it_fits_a_phone_and_a_finger(browser, html):
    page, complaints = explorer(
        browser, html, viewport={"width": 390, "height": 844}, has_touch=True
    )
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    places = page.evaluate("""[...document.querySelectorAll('#explorer :is(button, select, input), button.explorer-try')].map((each) => {
        const { left, right, height } = each.getBoundingClientRect(); return [left, right, height]; })""")  # noqa: E501
    assert places
    assert all(left >= 0 and right <= 390 and height >= 44 for left, right, height in places)
    assert complaints == []
    page.context.close()


@needs_chromium
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_colours_can_be_told_from_their_ground(browser, html, theme):
    page, _ = explorer(browser, html, color_scheme=theme)
    names = [
        "flat",
        "sharp",
        "flatText",
        "sharpText",
        "ground",
        "card",
        "muted",
        "text",
        "button",
        "warn",
    ]
    script = (
        "(names) => names.map((name) => "
        "getComputedStyle(document.getElementById('explorer')).getPropertyValue('--explorer-' + "
        "name).trim())"
    )
    colour = dict(zip(names, page.evaluate(script, names), strict=True))
    for name in ("flatText", "sharpText", "muted", "text"):
        assert contrast(colour[name], colour["ground"]) >= 4.5
        assert contrast(colour[name], colour["card"]) >= 4.5
    assert contrast(colour["ground"], colour["button"]) >= 4.5
    assert contrast(colour["text"], colour["warn"]) >= 4.5
    for name in ("flat", "sharp", "muted"):  # graphics and borders of controls
        assert contrast(colour[name], colour["ground"]) >= 3
    page.context.close()


@pytest.mark.slow
@needs_chromium
def test_pictures_follow_the_theme(browser, html):
    page, complaints = explorer(browser, html)
    corner = (
        "document.querySelector('[data-part=landscape]').getContext('2d').getImageData(60, 60, 1, "
        "1).data[0]"
    )
    assert page.evaluate(corner) > 150
    page.evaluate("document.documentElement.dataset.theme = 'dark'")
    page.wait_for_function(f"{corner} < 100")
    for part in ("landscape", "side", "share", "crossings", "schedule", "map"):
        drawn = (
            "new Set(new "
            f"Uint32Array(document.querySelector('[data-part={part}]').getContext('2d').getImageData(0, 0, 400, 200).data.buffer)).size"  # noqa: E501
        )
        assert page.evaluate(drawn) > 10
    # the test reads; the page does not
    assert [complaint for complaint in complaints if "willReadFrequently" not in complaint] == []
    page.context.close()


@pytest.mark.slow
@needs_chromium
def test_counters_are_silent_and_the_status_speaks(browser, html):
    page, _ = explorer(browser, html)
    speaking = page.evaluate("""['p-flat', 'freezing-time', 'steps', 'time', 'hops'].filter((name) => {
        const part = document.querySelector(`[data-part="${name}"]`); return part.closest('[aria-live], [role=status], output'); })""")  # noqa: E501
    assert speaking == []
    assert page.get_by_role("status").filter(has_text="At the start.").count() == 1
    page.context.close()
