"""Schedules of noise in the explorer: their score is that of `valleys.toy`, the best that is stored
is what the library finds, and links hold them.
"""

import importlib.util
import json

import numpy as np
import pytest

from tests.site.browsing import needs_chromium
from tests.site.test_explorer_model import SCRIPTS, landscape
from valleys.paths import book_root
from valleys.toy.simulation.fixed_y import frozen_y
from valleys.toy.simulation.schedules import Blocks, scheduled
from valleys.toy.theory.at_fixed_y import conditional_density, effective_loss, effective_temperature
from valleys.toy.theory.freezing import p_flat_balance
from valleys.toy.theory.schedules import Rates, Way, follow, greedy

pytestmark = needs_chromium

GAMMA, DURATION = 1.515, 1000.0
TIMES = np.array([1, 2, 5, 10, 20, 50, 100, 200, 500, 1000.0])
# drawn schedules: level, rising, falling, back and forth, and one that jumps
DRAWN = {
    "level": [1e-3] * 10,
    "rising": list(np.geomspace(1e-5, 2e-2, 10)),
    "falling": list(np.geomspace(2e-2, 1e-5, 10)),
    "waves": [1e-3, 1e-4, 1e-3, 1e-4, 1e-3, 1e-4, 1e-3, 1e-4, 1e-3, 1e-4],
    "late": [1e-5] * 8 + [5e-3] * 2,
}


@pytest.fixture(scope="module")
def tool():
    path = book_root() / "tools" / "explorer_numbers.py"
    spec = importlib.util.spec_from_file_location("explorer_numbers", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def model(browser):
    """An empty page that knows the explorer without its drawings."""
    page = browser.new_page()
    for name in SCRIPTS:
        page.add_script_tag(path=book_root() / "_extra" / "explorer" / f"{name}.js")
    yield page
    page.close()


def noise_at(knots: list[float], times: np.ndarray) -> np.ndarray:
    """ln noise is straight in ln time, and stays before the first knot."""
    return np.exp(np.interp(np.log(times), np.log(TIMES), np.log(knots)))


@pytest.mark.parametrize("start_y", [0.2, 1.0, 5.0])
@pytest.mark.parametrize("name", DRAWN)
def test_score_of_a_schedule_is_that_of_the_library(model, name, start_y):
    script = """([knots, startY]) => {
        const { BORDERS, course, along, noiseAt } = ExplorerSchedule, land = ExplorerPhysics.landscape(1.515);
        const shares = course(land, startY, (time) => noiseAt(knots, time));
        return [along(shares, [10, 1000]), BORDERS];
    }"""  # noqa: E501
    found, borders = model.evaluate(script, [DRAWN[name], start_y])
    way = Way.of(landscape(GAMMA), DURATION, start_y)
    expected = follow(Rates.of(landscape(GAMMA)), way, noise_at(DRAWN[name], way.middles))
    assert np.allclose(borders, way.times, rtol=1e-9)
    at_ten = np.interp(10, way.times, expected)
    assert found == pytest.approx([at_ten, expected[-1]], abs=2e-5)


@pytest.mark.parametrize("start_y", [0.2, 1.0, 5.0])
def test_no_schedule_that_can_be_drawn_scores_more_than_the_best(model, start_y):
    script = """([drawn, startY]) => {
        const { course, noiseAt, score, shape } = ExplorerSchedule, land = ExplorerPhysics.landscape(1.515);
        const shapes = ["constant", "rising", "falling", "best"].map((name) => shape(name, startY));
        return [...shapes, ...drawn].map((knots) => score({ startY }, land, (time) => noiseAt(knots, time)));
    }"""  # noqa: E501
    random = np.random.default_rng(0)
    drawn = np.exp(random.uniform(np.log(1e-5), np.log(2e-2), (100, 10)))
    found = model.evaluate(script, [drawn.tolist(), start_y])
    constant, rising, falling, best, *others = [each["share"] for each in found]
    ceiling = found[0]["best"]
    assert max(constant, rising, falling, *others) < best <= ceiling
    assert constant == pytest.approx(found[0]["constant"], abs=1e-3)  # drawn in three digits
    assert ceiling - best < 0.003  # ten knots are nearly enough


def test_what_is_stored_is_what_the_library_finds(tool):
    stored = json.loads(tool.target().read_text(encoding="utf-8").removeprefix(tool.HEAD)[:-2])
    found = tool.numbers()
    rates = Rates.of(landscape(GAMMA))
    way = Way.of(landscape(GAMMA), DURATION, 1.0)
    best = follow(rates, way, greedy(rates, way, largest_noise=0.02))[-1]
    assert stored["schedule"]["starts"]["1"]["best"]["share"] == pytest.approx(best, abs=1e-5)
    assert flat(stored) == pytest.approx(flat(found), rel=1e-4)


def flat(numbers: object) -> list[float]:
    """All numbers of what is stored, in order."""
    if isinstance(numbers, dict):
        return [each for value in numbers.values() for each in flat(value)]
    if isinstance(numbers, (list, tuple)):
        return [each for value in numbers for each in flat(value)]
    return [float(numbers)]


def test_walkers_under_a_schedule_are_those_of_the_library(model):
    script = """([knots, learningRate, n, nSteps]) => {
        const { swarm, advance, summary } = ExplorerPhysics, noiseAt = (time) => ExplorerSchedule.noiseAt(knots, time);
        const walkers = swarm({ learningRate, gamma: 1.515, startY: 1, seed: 4, noiseAt }, n);
        advance(walkers, nSteps);
        return [summary(walkers), learningRate * walkers.strength];
    }"""  # noqa: E501
    rate, n, n_steps, knots = 0.1, 2000, 2000, DRAWN["rising"]
    found, noise = model.evaluate(script, [knots, rate, n, n_steps])
    assert noise == pytest.approx(noise_at(knots, np.array(200.0)), rel=1e-3)
    borders = np.linspace(0, 200, 2001)
    blocks = Blocks.of(borders, noise_at(knots, (borders[1:] + borders[:-1]) / 2), rate, 1000)
    runs = scheduled(landscape(GAMMA), rate, blocks, 4000, start_y=1.0).isel(step=-1)
    error = np.hypot(found["pFlatError"], float(runs.p_flat_error))
    assert abs(found["pFlat"] - float(runs.p_flat)) < 4 * error
    assert found["meanY"] == pytest.approx(float(runs.mean_y), rel=0.01)


@pytest.mark.slow
def test_what_the_page_says_of_walkers_and_their_score_is_so(tool):
    page = (book_root() / "pages" / "explorer.md").read_text(encoding="utf-8")
    assert "At η = 0.01 walkers end one or two hundredths below it" in page
    land = landscape(GAMMA)
    way, rates = Way.of(land, DURATION, 1.0), Rates.of(land)

    def above(learning_rate: float, highest: float) -> float:
        """How far walkers under a rising line end above its score."""
        noise = np.maximum(highest * way.middles / DURATION, 1e-5)
        blocks = Blocks.of(way.times, noise, learning_rate, 400)
        end = scheduled(land, learning_rate, blocks, 4000, start_y=1.0).isel(step=-1)
        return float(end.p_flat) - float(follow(rates, way, noise)[-1])

    assert -0.03 < above(0.01, tool.bests(1.0)["rising"]["noise"]) < 0
    assert above(0.1, 2e-3) > 0.1


def test_walkers_whose_y_is_held_do_not_move_along_it(model):
    script = """() => {
        const { swarm, advance, summary } = ExplorerPhysics;
        const walkers = swarm({ learningRate: 0.01, noiseStrength: 0.1, gamma: 1.515, startY: 3, seed: 4, held: true }, 500);
        let sum = 0;
        advance(walkers, 1000);
        for (let round = 0; round < 40; round++) { advance(walkers, 100); sum += summary(walkers).pFlat / 40; }
        return [summary(walkers).meanY, sum];
    }"""  # noqa: E501
    mean_y, share = model.evaluate(script)
    assert mean_y == 3
    expected = frozen_y(landscape(GAMMA), 0.01, 0.1, 3.0, n_runs=256, n_steps=10_000)
    # an excursion lasts a unit of time or two: some 10,000 independent looks on either side
    assert share == pytest.approx(float(expected.p_flat), abs=0.02)


def test_balance_under_a_schedule_takes_the_noise_of_each_interval(model):
    script = """(ys) => {
        const { balance } = ExplorerTheory, land = ExplorerPhysics.landscape(1.515), noises = ys.slice(1).map((y) => (y < 3 ? 3e-4 : 3e-3));
        return balance(land, noises, ys);
    }"""  # noqa: E501
    ys = np.linspace(1, 6, 41)
    found = model.evaluate(script, list(ys))
    early = p_flat_balance(landscape(GAMMA), 3e-4, ys[:17])
    assert np.allclose(found[:16], early[:16], atol=1e-7)
    assert found[-1] != pytest.approx(p_flat_balance(landscape(GAMMA), 3e-4, ys)[-1], abs=1e-3)


@pytest.mark.parametrize("y", [1.0, 20.0])
def test_what_walkers_feel_is_the_potential_of_their_density(model, y):
    script = """([y, noise, xs]) => {
        const { felt, temperature } = ExplorerTheory, land = ExplorerPhysics.landscape(1.515);
        return [temperature(land, y, noise), xs.map((x) => felt(land, x, y, noise)), xs.map((x) => felt(land, x, y, noise, "uniform"))];
    }"""  # noqa: E501
    land, noise, xs = landscape(GAMMA), 0.02, np.linspace(-0.4, 0.5, 19)
    temperature, felt, uniform = model.evaluate(script, [y, noise, list(xs)])
    assert temperature == pytest.approx(float(effective_temperature(land, y, noise)), rel=1e-9)
    density = conditional_density(land, xs, y, noise, "ito")
    assert np.ptp(felt + temperature * np.log(density)) < 1e-9
    floor = float(land.loss(land.valley_positions(y)[0], y))
    step = np.where(xs < 0, 0.0, temperature * np.log(GAMMA))
    assert np.allclose(np.array(felt) + step + floor, effective_loss(land, xs, y), atol=1e-9)
    assert np.allclose(np.array(uniform) + floor, land.loss(xs, y), atol=1e-9)


def test_links_hold_everything_and_bad_ones_fall_back(model):
    script = """(text) => {
        const { USUAL, read, write } = ExplorerAddress, { settings, refused } = read(text, USUAL);
        return { settings, refused, address: write(settings) };
    }"""
    knots = "0.001,0.001,0.001,0.001,0.001,0.001,0.001,0.001,0.002,0.02"
    whole = (
        "#eta=0.02&sigma=0.05&gamma=1.2&start=1&seed=42&noise=uniform"
        f"&schedule={knots}&walker=3&speed=4"
    )
    found = model.evaluate(script, whole)
    assert (found["address"], found["refused"]) == (whole, [])
    assert found["settings"]["schedule"] == [float(each) for each in knots.split(",")]
    for bad in ("schedule=1,2", f"schedule={knots},1", "eta=x", "start=3", "noise=pink", "foo=1"):
        found = model.evaluate(script, f"#{bad}&seed=3")
        assert found["refused"] == [bad]
        assert found["address"] == "#eta=0.01&sigma=0.1&gamma=1.515&start=5&seed=3&noise=curvature"
    assert model.evaluate(script, "#sigma=7")["settings"]["sigma"] == 1


def test_a_drag_sets_the_knots_it_passes_and_keys_move_one(model):
    script = """() => {
        const { dragged, pressed } = ExplorerKnots, knots = ExplorerSchedule.TIMES.map(() => 1e-3);
        return [dragged(knots, [10, 1e-4], [1000, 1e-2]), dragged(knots, [51, 2e-4], [51, 2e-4]), ["ArrowUp", "PageDown", "Home", "End"].map((key) => pressed(key, 1e-3))];
    }"""  # noqa: E501
    swept, put, keys = model.evaluate(script)
    assert swept[:4] == [1e-3] * 4
    assert swept[4:] == pytest.approx(1e-4 * (TIMES[4:] / 10), rel=0.01)
    assert put == [1e-3] * 5 + [2e-4] + [1e-3] * 4
    assert keys == [1.12e-3, 5.62e-4, 1e-5, 0.02]
    assert model.evaluate("ExplorerKnots.pressed('Tab', 1e-3)") is None
