"""The model and the theory inside the explorer are those of `valleys.toy`: values, single steps
and whole runs, in a real browser.
"""

import base64

import numpy as np
import pytest

from tests.site.browsing import needs_chromium
from valleys.paths import book_root
from valleys.toy import TwoValley
from valleys.toy.exact import master_equation
from valleys.toy.experiments.two_valley import with_contrast
from valleys.toy.simulation import langevin, reference
from valleys.toy.simulation.langevin import fraction_error
from valleys.toy.theory import at_fixed_y, diagnosis, freezing

pytestmark = needs_chromium

PLACES = [(x, y) for x in (-0.7, -0.3, -0.01, 0.01, 0.2, 0.6) for y in (0.2, 5.0, 26.0)]
GAMMAS = (1.0, 1.515, 2.0)
# of noise, as the explorer and as the package call them
KINDS = {"curvature": "hessian", "uniform": "isotropic"}
NOISES = (1e-5, 1e-3, 0.02, 0.3)


# of the explorer, without those that need its page
SCRIPTS = (
    "physics",
    "theory",
    "stored",
    "schedule",
    "address",
    "run",
    "view",
    "charts",
    "side",
    "knots",
)


# Many numbers as one text, which leaves the browser in no time; a list of them takes seconds.
PACKED = """const packed = (numbers) => {
  const bytes = new Uint8Array(Float64Array.from(numbers).buffer), part = 32768;
  const parts = Array.from({ length: Math.ceil(bytes.length / part) }, (_, at) => bytes.subarray(part * at, part * (at + 1)));
  return btoa(parts.map((each) => String.fromCharCode(...each)).join(""));
};"""  # noqa: E501


@pytest.fixture(scope="module")
def model(browser):
    """An empty page that knows the physics and the theory of the explorer."""
    page = browser.new_page()
    page.add_script_tag(content=PACKED)
    for name in SCRIPTS[:2]:
        page.add_script_tag(path=book_root() / "_extra" / "explorer" / f"{name}.js")
    yield page
    page.close()


def unpacked(text: str) -> np.ndarray:
    """The numbers of a text of `packed`."""
    return np.frombuffer(base64.b64decode(text))


def landscape(gamma: float) -> TwoValley:
    return with_contrast(TwoValley(), gamma)


@pytest.mark.parametrize("gamma", GAMMAS)
def test_landscape_is_that_of_the_package(model, gamma):
    script = """([gamma, places]) => {
        const { landscape, flatness, floors, barrier, loss, aboveFloor } = ExplorerPhysics, land = landscape(gamma);
        return places.map(([x, y]) => [loss(land, x, y), ...floors(land, y), ...flatness(land, y), barrier(land, y), aboveFloor(land, x, y)]);
    }"""  # noqa: E501
    found = np.array(model.evaluate(script, [gamma, PLACES]))
    land, (x, y) = landscape(gamma), np.array(PLACES).T
    loss, floor = land.loss(x, y), land.loss(land.valley_positions(y)[0], y)
    expected = np.array(
        [loss, *land.valley_positions(y), *land.flatness(y), land.barrier(y), loss - floor]
    ).T
    assert np.allclose(found, expected, rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("gamma", GAMMAS)
def test_slopes_and_noise_are_those_of_the_package(model, gamma, kind):
    script = """([gamma, kind, places, strength]) => places.map(([x, y]) => {
        const { landscape, slopes, kicksOf } = ExplorerPhysics, land = landscape(gamma), slope = new Float64Array(5), kick = new Float64Array(3);
        slopes(land, x, y, slope);
        kicksOf(kind, land, y, slope, strength, kick);
        return [...slope, kick[0] ** 2, kick[0] * kick[1], kick[1] ** 2 + kick[2] ** 2];
    })"""  # noqa: E501
    found = np.array(model.evaluate(script, [gamma, kind, PLACES, 0.1]))
    land, (x, y) = landscape(gamma), np.array(PLACES).T
    hessian, covariance = land.hessian(x, y), reference.covariance(land, x, y, 0.1, KINDS[kind])
    parts = [(0, 0), (0, 1), (1, 1)]
    expected = np.column_stack(
        [
            land.gradient(x, y),
            *(hessian[:, i, j] for i, j in parts),
            *(covariance[:, i, j] for i, j in parts),
        ]
    )
    # places where a negative eigenvalue is set to zero are among them
    assert np.linalg.eigvalsh(hessian).min() < 0
    assert np.allclose(found, expected, rtol=1e-11, atol=1e-14)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(("x", "y"), [(-0.3, 5.0), (0.01, 5.0), (0.6, 26.0)])
def test_one_step_has_the_mean_and_covariance_of_the_model(model, x, y, kind):
    script = """([x, y, noise]) => {
        const { swarm, advance } = ExplorerPhysics;
        const walkers = swarm({ learningRate: 0.1, noiseStrength: 0.1, gamma: 1.515, startY: y, seed: 3, noise }, 100000);
        walkers.x.fill(x);
        advance(walkers, 1);
        return [packed(walkers.x), packed(walkers.y)];
    }"""  # noqa: E501
    moved = np.array([*map(unpacked, model.evaluate(script, [x, y, kind]))])
    land, n = landscape(1.515), 100_000
    mean, covariance = (
        np.array([x, y]) - 0.1 * land.gradient(x, y),
        0.01 * reference.covariance(land, x, y, 0.1, KINDS[kind]),
    )
    found = np.cov(moved)
    # of a sample covariance
    spread = np.sqrt((np.outer(np.diag(covariance), np.diag(covariance)) + covariance**2) / n)
    assert np.all(np.abs(moved.mean(axis=1) - mean) < 4 * np.sqrt(np.diag(covariance) / n))
    assert np.all(np.abs(found - covariance) < 4 * spread)


def test_without_noise_a_step_is_one_of_gradient_descent_and_nothing_is_left_to_chance(model):
    script = """() => {
        const { swarm, advance, summary } = ExplorerPhysics;
        const walkers = swarm({ learningRate: 0.3, noiseStrength: 0.1, gamma: 1.515, startY: 5, seed: 3, noise: "none" }, 2);
        advance(walkers, 1);
        const first = [[...walkers.x], [...walkers.y]];
        advance(walkers, 100);
        return [first, walkers.crossings, summary(walkers).pFlatError];
    }"""  # noqa: E501
    first, crossings, error = model.evaluate(script)
    start = np.array([[-0.01, 0.01], [5.0, 5.0]])
    assert np.allclose(first, start - 0.3 * landscape(1.515).gradient(*start).T, rtol=1e-12)
    assert crossings > 0  # the step alone throws a walker over the ridge
    assert error == 0


def test_normals_are_normal_and_seeds_differ(model):
    script = """(seed) => { const out = new Float64Array(200000); ExplorerPhysics.normals(seed)(out); return packed(out); }"""  # noqa: E501
    first, second = (unpacked(model.evaluate(script, seed)) for seed in (1, 2))
    n = first.size
    moments = [
        first.mean(),
        (first**2).mean() - 1,
        (first**3).mean(),
        (first**4).mean() - 3,
        (first[::2] * first[1::2]).mean(),
        (first * second).mean(),
    ]
    errors = np.sqrt(np.array([1, 2, 15, 96, 2, 1]) / n)
    assert np.all(np.abs(moments) < 4 * errors)
    assert abs((np.abs(first) > 3).mean() - 0.0026998) < 4 * np.sqrt(0.0027 / n)
    assert abs((first[2:] * first[:-2]).mean()) < 4 / np.sqrt(n)


def test_a_seed_fixes_a_run_however_it_is_cut(model):
    script = """(pieces) => {
        const { swarm, advance, summary } = ExplorerPhysics;
        const walkers = swarm({ learningRate: 0.1, noiseStrength: 0.1, gamma: 1.515, startY: 5, seed: 7 }, 100);
        const start = [...walkers.x.slice(0, 2), walkers.lastCrossing[0]];
        pieces.forEach((n) => advance(walkers, n));
        return { start, x: [...walkers.x], last: [...walkers.lastCrossing], ...summary(walkers) };
    }"""  # noqa: E501
    whole, cut = (model.evaluate(script, pieces) for pieces in ([300], [1, 2, 97, 200]))
    assert whole == cut
    assert whole["start"] == [-0.01, 0.01, 1]
    sides = [np.array(whole["x"][side::2]) > 0 for side in (0, 1)]
    assert whole["pFlat"] == np.mean(sides)
    assert all(max(whole["last"][side::2]) > 1 for side in (0, 1))
    assert whole["pFlatError"] == pytest.approx(
        0.5 * np.hypot(*(fraction_error(side.sum(), 50) for side in sides)), rel=1e-12
    )


def test_error_of_the_share_is_the_scatter_of_many_runs_and_none_without_hops(model):
    script = """([noiseStrength, nSteps]) => Array.from({ length: 100 }, (_, seed) => {
        const { swarm, advance, summary } = ExplorerPhysics;
        const walkers = swarm({ learningRate: 0.1, noiseStrength, gamma: 1.515, startY: 5, seed }, 100);
        advance(walkers, nSteps);
        const { pFlat, pFlatError } = summary(walkers);
        return [pFlat, pFlatError];
    })"""  # noqa: E501
    found, errors = np.array(model.evaluate(script, [0.1, 10])).T
    assert 0.2 < found.mean() < 0.9
    # four standard errors of a standard deviation of 100
    assert found.std() == pytest.approx(np.sqrt((errors**2).mean()), rel=0.3)
    assert np.unique(model.evaluate(script, [1e-4, 20]), axis=0).tolist() == [[0.5, 0.0]]


def test_a_walker_that_leaves_the_landscape_stands_still_and_counts_no_more(model):
    script = """() => {
        const { swarm, advance, summary } = ExplorerPhysics;
        const walkers = swarm({ learningRate: 0.1, noiseStrength: 0.1, gamma: 1.515, startY: 5, seed: 7 }, 4);
        walkers.x[0] = 1e8;
        advance(walkers, 5);
        return [walkers.x[0], walkers.lastCrossing[0], summary(walkers).diverged, summary(walkers).pFlat];
    }"""  # noqa: E501
    x, last_crossing, diverged, p_flat = model.evaluate(script)
    assert (x, last_crossing, diverged) == (1e8, 1, 0.25)
    assert p_flat * 3 == pytest.approx(round(p_flat * 3))


@pytest.mark.parametrize(
    ("learning_rate", "noise_strength", "gamma", "start_y", "duration"),
    [
        (0.1, 0.01, 1.515, 5.0, 1000),
        (0.1, 0.1, 1.515, 5.0, 1000),
        (0.05, 0.02, 1.2, 5.0, 300),
        (0.05, 0.02, 1.515, 0.2, 500),
        (0.1, 0.02, 1.0, 5.0, 500),
    ],
)
def test_a_run_agrees_with_the_master_equation(
    model, learning_rate, noise_strength, gamma, start_y, duration
):
    script = """([learningRate, noiseStrength, gamma, startY, early, late]) => {
        const { swarm, advance, summary } = ExplorerPhysics;
        const walkers = swarm({ learningRate, noiseStrength, gamma, startY, seed: 11 }, 2000);
        advance(walkers, early);
        const first = summary(walkers);
        advance(walkers, late - early);
        return [first, summary(walkers)];
    }"""
    n_steps = round(duration / learning_rate)
    exact = master_equation.evolve(
        landscape(gamma), learning_rate, noise_strength, n_steps, start_y
    )
    early = int(exact.step[exact.step >= 20][0])
    first, last = model.evaluate(
        script, [learning_rate, noise_strength, gamma, start_y, early, n_steps]
    )
    rare = 1e-3  # two walkers: hops so rare that the swarm has none, and no error
    assert (
        abs(first["pFlat"] - float(exact.p_flat.sel(step=early))) < 3 * first["pFlatError"] + rare
    )
    assert abs(last["pFlat"] - float(exact.p_flat[-1])) < 3 * last["pFlatError"] + rare
    assert (
        abs(last["freezingTime"] - learning_rate * float(exact.freezing_time))
        < 3 * last["freezingTimeError"]
    )
    assert last["meanY"] == pytest.approx(float(exact.mean_y[-1]), rel=0.002)


def test_a_run_with_uniform_noise_agrees_with_runs_of_the_package(model):
    script = """([learningRate, noiseStrength, n, nSteps]) => {
        const { swarm, advance, summary } = ExplorerPhysics;
        const walkers = swarm({ learningRate, noiseStrength, gamma: 1.515, startY: 5, seed: 4, noise: "uniform" }, n);
        advance(walkers, nSteps);
        return summary(walkers);
    }"""  # noqa: E501
    rate, strength, n, n_steps = 0.05, 0.1, 2000, 2000
    found = model.evaluate(script, [rate, strength, n, n_steps])
    runs = langevin.phase_diagram(
        landscape(1.515), [rate], [strength], n, n_steps, noise="isotropic", seed=5
    ).squeeze()
    assert abs(found["pFlat"] - float(runs.p_flat)) < 4 * np.hypot(
        found["pFlatError"], float(runs.p_flat_error)
    )
    error = np.hypot(found["freezingTimeError"], rate * float(runs.freezing_time_error))
    assert abs(found["freezingTime"] - rate * float(runs.freezing_time)) < 4 * error


def test_kicks_in_the_two_valleys_have_the_same_product_whether_they_follow_the_curvature_or_not(
    model,
):
    script = """(noise) => ExplorerPhysics.kickSpread(
        { learningRate: 0.1, noise }, 0.1, ExplorerPhysics.landscape(1.515), 5)"""
    spreads = {kind: model.evaluate(script, kind) for kind in (*KINDS, "none")}
    for kind, name in KINDS.items():
        diffusion = at_fixed_y.noise_diffusion(landscape(1.515), 5.0, 0.01, name)
        assert np.square(spreads[kind]) / 2 == pytest.approx(np.array(diffusion), rel=1e-6)
    assert np.prod(spreads["curvature"]) == pytest.approx(np.prod(spreads["uniform"]), rel=1e-6)
    assert spreads["none"] == [0, 0]


@pytest.mark.parametrize("kind", [*KINDS, "none"])
def test_only_theory_that_applies_is_told(model, kind):
    script = """(noise) => ExplorerTheory.predictions(
        { learningRate: 0.01, noiseStrength: 0.1, startY: 5, noise }, ExplorerPhysics.landscape(1.515), [1, 1000])"""  # noqa: E501
    found = model.evaluate(script, kind)
    assert (
        set(found)
        == {"curvature": {"balance", "transient"}, "uniform": {"boltzmann"}, "none": set()}[kind]
    )
    if kind == "uniform":
        assert found["boltzmann"] == pytest.approx(
            [at_fixed_y.p_flat_boltzmann(landscape(1.515))] * 2, rel=1e-12
        )


@pytest.mark.parametrize("kind", ["uniform", "none"])
def test_warnings_without_the_noise_of_the_paper_are_of_the_step_alone(model, kind):
    script = """([learningRate, noise]) => ExplorerTheory.warnings(
        { learningRate, noiseStrength: 1, startY: 5, noise }, ExplorerPhysics.landscape(1.515), 1000)"""  # noqa: E501
    assert model.evaluate(script, [0.01, kind]) == []
    assert len(model.evaluate(script, [0.1, kind])) == 1


@pytest.mark.parametrize("gamma", GAMMAS)
@pytest.mark.parametrize("noise", NOISES)
def test_rates_and_balance_are_those_of_the_package(model, gamma, noise):
    script = """([gamma, noise, ys]) => {
        const { rates, balance, transient } = ExplorerTheory, land = ExplorerPhysics.landscape(gamma);
        return [ys.slice(1).map((y) => rates(land, y, noise)), balance(land, noise, ys), transient(land, noise)];
    }"""  # noqa: E501
    land, ys = landscape(gamma), np.geomspace(0.2, 40, 60)
    rates, shares, transient = model.evaluate(script, [gamma, noise, list(ys)])
    expected = np.array([1 / time for time in at_fixed_y.escape_times_exact(land, ys[1:], noise)]).T
    assert np.allclose(rates, expected, rtol=1e-7, atol=1e-290)
    assert np.allclose(shares, freezing.p_flat_balance(land, noise, ys), rtol=0, atol=1e-7)
    assert transient == pytest.approx(float(freezing.p_flat_transient(land, noise)), abs=1e-9)


def test_special_functions(model):
    from scipy.integrate import quad
    from scipy.special import dawsn, erfcx

    z = [0.0, 0.05, 0.19, 0.2, 0.21, 0.7, 1.0, 2.3, 4.9, 12.0, 26.0]
    found = np.array(
        model.evaluate(
            "(z) => z.map((s) => [ExplorerTheory.erfcx(s), "
            "ExplorerTheory.dawson(s), "
            "ExplorerTheory.erfcxIntegral(s)])",
            z,
        )
    )
    expected = np.array(
        [erfcx(z), dawsn(z), [quad(erfcx, 0, s, epsabs=1e-13, limit=200)[0] for s in z]]
    ).T
    assert np.allclose(found, expected, rtol=1e-8, atol=1e-12)


@pytest.mark.parametrize("start_y", [0.2, 5.0])
def test_drift_is_that_of_the_package(model, start_y):
    times, expected = diagnosis.drift_path(TwoValley(), start_y, 500.0)
    found = model.evaluate(
        "([y, times]) => ExplorerTheory.driftPath(ExplorerPhysics.landscape(1.515), y, times)",
        [start_y, list(times)],
    )
    assert np.allclose(found, expected, rtol=1e-6)


@pytest.mark.parametrize(
    ("learning_rate", "noise_strength"),
    [(0.01, 0.01), (0.01, 0.1), (0.1, 0.1), (0.25, 0.02), (0.4, 0.02)],
)
@pytest.mark.parametrize("start_y", [0.2, 5.0])
def test_diagnosis_is_that_of_the_package(model, learning_rate, noise_strength, start_y):
    script = """([learningRate, noiseStrength, startY]) => ExplorerTheory.diagnose(
        { learningRate, noiseStrength, startY }, ExplorerPhysics.landscape(1.515), 1000)"""
    found = model.evaluate(script, [learning_rate, noise_strength, start_y])
    expected = diagnosis.diagnose(
        landscape(1.515),
        learning_rate,
        noise_strength,
        start_y=start_y,
        n_steps=round(1000 / learning_rate),
    )
    assert found["stepRatio"] == pytest.approx(expected.step_ratio, rel=1e-6)
    assert found["swing"] == pytest.approx(expected.swing, rel=1e-6)
    assert found["memory"] == pytest.approx(expected.memory, rel=1e-3, abs=1e-12)
    assert found["hopsAfter"] == pytest.approx(expected.hops_after, rel=1e-3, abs=1e-9)


def test_end_of_eq_25_is_that_of_the_package(model):
    limit = freezing.freezing_limit(landscape(1.515))
    script = "(noise) => ExplorerTheory.hasFreezingPoint(ExplorerPhysics.landscape(1.515), noise)"
    assert model.evaluate(script, 0.99 * limit) is True
    assert model.evaluate(script, 1.01 * limit) is False


@pytest.mark.parametrize(
    ("learning_rate", "noise_strength", "gamma", "words"),
    [
        (0.01, 0.1, 1.515, []),
        (0.01, 0.01, 1.515, ["too weak"]),
        (0.1, 0.1, 1.515, ["not small", "too strong"]),
        (0.1, 1.0, 1.515, ["not small", "too strong", "no freezing point"]),
        (0.25, 0.005, 1.515, ["comes to rest"]),
        (0.4, 0.005, 1.515, ["swings across both"]),
        (0.01, 0.1, 1.0, ["equally flat"]),
    ],
)
def test_warnings_name_what_is_outside_of_theory(
    model, learning_rate, noise_strength, gamma, words
):
    script = """([learningRate, noiseStrength, gamma]) => ExplorerTheory.warnings(
        { learningRate, noiseStrength, startY: 5 }, ExplorerPhysics.landscape(gamma), 1000)"""
    sentences = model.evaluate(script, [learning_rate, noise_strength, gamma])
    assert len(sentences) == len(words)
    assert all(word in sentence for word, sentence in zip(words, sentences, strict=True))


# What the page says in words of its experiments: learning rate, noise, flatness ratio, start, and
# the range that the words allow.
SAID = {
    "nine out of ten end in the flat valley": (0.01, 0.1, 1.515, 5.0, 0.88, 0.93),
    "about 98 in 100 end flat": (0.1, 0.01, 1.515, 5.0, 0.975, 0.985),
    "about three quarters end in the flat one": (0.01, 0.1, 1.2, 5.0, 0.72, 0.78),
    "more than nine out of ten walkers": (0.01, 0.01, 1.515, 0.2, 0.9, 1.0),
    "the flat share stays at one half": (0.01, 0.01, 1.515, 5.0, 0.499, 0.501),
}
# Half the resolution is enough for words where many walkers hop; where hardly any does, so coarse a
# grid lets some across.
COARSE, FINE = 0.5, 1.0


@pytest.mark.slow
@pytest.mark.parametrize("words", SAID)
def test_what_the_page_says_of_its_experiments_is_so(words):
    learning_rate, noise_strength, gamma, start_y, low, high = SAID[words]
    assert words in " ".join(
        (book_root() / "pages" / "explorer.md").read_text(encoding="utf-8").split()
    )
    setting = (learning_rate, noise_strength, round(1000 / learning_rate), start_y)
    accuracy = COARSE if high - low > 0.005 else FINE
    end = master_equation.evolve(landscape(gamma), *setting, accuracy=accuracy)
    assert low <= float(end.p_flat[-1]) <= high


@pytest.mark.slow
def test_what_the_page_says_of_uniform_noise_is_so():
    assert "fewer than six walkers in ten end flat" in (
        book_root() / "pages" / "explorer.md"
    ).read_text(encoding="utf-8")
    runs = langevin.phase_diagram(
        landscape(1.515), [0.01], [0.1], 1000, 100_000, noise="isotropic", seed=1
    ).squeeze()
    assert 0.5 < float(runs.p_flat) < 0.6


def test_a_step_covers_what_the_page_says():
    step, (_, flatness) = 0.1, TwoValley().flatness(5.0)
    assert "nine tenths of the way to the floor of the sharp valley at the start" in (
        book_root() / "pages" / "explorer.md"
    ).read_text(encoding="utf-8")
    assert 2 * step / flatness == pytest.approx(0.9, abs=0.05)
