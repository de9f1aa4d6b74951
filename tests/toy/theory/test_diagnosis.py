"""What `diagnose` says beforehand, against what `phase_diagram` then shows, and its numbers
against closed forms.
"""

import numpy as np
import pytest

from valleys.toy import TwoValley
from valleys.toy.simulation.langevin import NOISES, phase_diagram, trajectories
from valleys.toy.theory import at_fixed_y, freezing
from valleys.toy.theory.diagnosis import HIGH_BARRIER, diagnose, side_by_side, swing_limit

LANDSCAPE = TwoValley()
HEALTHY = (0.01, 0.2)
SIGMAS = 4.5
NAMES = (
    "separate clocks",
    "Kramers' rates hold",
    "stable step",
    "small step",
    "start forgotten",
    "frozen at the end",
    "flatness contrast",
    "growing ridge",
    "stays on the map",
)


def simulated(landscape, learning_rate, noise_strength, n_runs=1024, n_steps=20_000, **settings):
    return phase_diagram(
        landscape, [learning_rate], [noise_strength], n_runs=n_runs, n_steps=n_steps, **settings
    ).squeeze()


def test_a_healthy_setting_passes_and_ends_as_expected():
    found, cell = diagnose(LANDSCAPE, *HEALTHY), simulated(LANDSCAPE, *HEALTHY)
    assert found.holds
    assert [verdict.name for verdict in found.verdicts] == list(NAMES)
    # a finite step stays below theory
    assert float(cell.p_flat) == pytest.approx(
        found.p_flat, abs=SIGMAS * float(cell.p_flat_error) + 0.02
    )
    assert float(cell.y) == pytest.approx(found.end_y, rel=0.02)
    assert float(cell.freezing_time) < 0.8 * 20_000
    assert float(cell.diverged) == 0


def test_equal_valleys_leave_one_half():
    twin = TwoValley(x1=0.65)
    found, cell = diagnose(twin, 0.01, 0.15), simulated(twin, 0.01, 0.15)
    assert [verdict.name for verdict in found.verdicts if not verdict.holds] == [
        "flatness contrast"
    ]
    assert abs(float(cell.p_flat) - 0.5) < SIGMAS * float(cell.p_flat_error)


@pytest.mark.slow
def test_freezing_too_early_leaves_one_half_for_weak_noise():
    for noise_strength in (0.005, 0.01, 0.02):
        found, cell = (
            diagnose(LANDSCAPE, 0.01, noise_strength),
            simulated(LANDSCAPE, 0.01, noise_strength),
        )
        assert not found["start forgotten"].holds
        assert abs(float(cell.p_flat) - 0.5) < SIGMAS * float(cell.p_flat_error)
    assert float(cell.freezing_time) < 2


def test_noise_too_strong_never_freezes_and_loses_the_preference():
    strong = (0.05, 1.0)
    found, cell = diagnose(LANDSCAPE, *strong), simulated(LANDSCAPE, *strong)
    assert not found["frozen at the end"].holds
    assert not found["Kramers' rates hold"].holds
    assert float(cell.freezing_time) > 0.95 * 20_000
    assert float(cell.p_flat) < simulated(LANDSCAPE, 0.05, 0.1).p_flat - 0.1
    assert float(cell.p_flat) == pytest.approx(found.p_flat, abs=0.08)


@pytest.mark.parametrize(
    ("landscape", "name"),
    [(TwoValley(y_b=100.0), "Kramers' rates hold"), (TwoValley(f0=10.0, L_d=0.1), "growing ridge")],
)
def test_valleys_that_do_not_part_never_freeze(landscape, name):
    found, cell = diagnose(landscape, 0.01, 0.5), simulated(landscape, 0.01, 0.5)
    assert not found[name].holds
    assert not found["frozen at the end"].holds
    assert float(cell.freezing_time) > 0.9 * 20_000


def test_an_unstable_step_empties_the_sharp_valley_without_noise():
    for learning_rate, holds, p_flat in ((0.2, True, 0.5), (0.3, False, 1.0)):
        assert diagnose(LANDSCAPE, learning_rate, 1e-7)["stable step"].holds is holds
        assert float(simulated(LANDSCAPE, learning_rate, 1e-7, n_runs=64).p_flat) == p_flat


@pytest.mark.parametrize("landscape", [LANDSCAPE, TwoValley(x1=1.2, x2=0.7)])
def test_swings_across_both_valleys_grow_beyond_their_limit(landscape):
    limit = swing_limit(landscape, 1e9)
    assert not diagnose(landscape, limit, 0.05)["stays on the map"].holds
    for factor, diverged in ((0.97, 0.0), (1.03, 1.0)):
        assert (
            float(simulated(landscape, factor * limit, 0.05, n_runs=64, n_steps=4000).diverged)
            == diverged
        )


@pytest.mark.parametrize(
    ("noise", "noise_strength"),
    [("hessian", 3000.0), ("hessian_squared", 100.0), ("isotropic", 100.0)],
)
def test_kicks_that_can_throw_a_run_off_the_map_are_foreseen(noise, noise_strength):
    assert not diagnose(LANDSCAPE, 0.1, noise_strength, noise=noise)["stays on the map"].holds
    assert (
        float(
            simulated(
                LANDSCAPE, 0.1, noise_strength, n_runs=256, n_steps=2000, noise=noise
            ).diverged
        )
        > 0
    )


@pytest.mark.slow
@pytest.mark.parametrize("noise", NOISES)
def test_no_run_leaves_where_the_verdict_is_good(noise):
    rates, strengths = [0.01, 0.05, 0.2], [0.01, 0.1, 1.0, 10.0, 100.0]
    cells = phase_diagram(LANDSCAPE, rates, strengths, n_runs=64, noise=noise)
    safe = [
        (r, s)
        for r in rates
        for s in strengths
        if diagnose(LANDSCAPE, r, s, noise=noise)["stays on the map"].holds
    ]
    assert len(safe) >= 6
    assert all(float(cells.diverged.sel(learning_rate=r, noise_strength=s)) == 0 for r, s in safe)


@pytest.mark.parametrize("noise", ["hessian_squared", "isotropic"])
def test_expected_share_for_the_other_kinds_of_noise(noise):
    found, cell = (
        diagnose(LANDSCAPE, 0.01, 0.1, noise=noise),
        simulated(LANDSCAPE, 0.01, 0.1, n_runs=2048, noise=noise),
    )
    assert float(cell.p_flat) == pytest.approx(
        found.p_flat, abs=SIGMAS * float(cell.p_flat_error) + 0.02
    )


def hops_per_run(runs):
    """Changes of the valley whose bottom, at the present y, a run saw last."""
    flat, sharp = LANDSCAPE.valley_positions(runs.y.values)
    seen = (runs.x.values >= flat).astype(int) - (runs.x.values <= sharp)
    changes = [np.count_nonzero(np.diff(row[row != 0])) for row in seen]
    return np.mean(changes), np.std(changes, ddof=1) / np.sqrt(len(changes))


@pytest.mark.slow
def test_expected_hops_after_the_end_are_those_of_a_longer_run():
    found = diagnose(LANDSCAPE, 0.01, 0.3, n_steps=5000)
    runs = trajectories(LANDSCAPE, 0.01, 0.3, n_runs=512, n_steps=10_000, seed=3).isel(
        step=slice(5000, None)
    )
    hops, error = hops_per_run(runs)
    assert hops > 1
    assert found.hops_after == pytest.approx(hops, abs=SIGMAS * error)


def test_numbers_are_the_closed_forms():
    found = diagnose(LANDSCAPE, *HEALTHY, start_y=2.0)
    noise = HEALTHY[0] * HEALTHY[1]
    assert found.start_barrier == pytest.approx(
        float(at_fixed_y.kramers_limit(LANDSCAPE, 2.0)[1]) / noise
    )
    assert float(at_fixed_y.kramers_limit(LANDSCAPE, found.kramers_y)[1]) / noise == pytest.approx(
        HIGH_BARRIER, rel=0.02
    )
    assert found.step_ratio == pytest.approx(HEALTHY[0] * 2 / float(LANDSCAPE.flatness(2.0)[1]))
    y = np.linspace(2.0, found.end_y, 400)
    assert found.p_flat == pytest.approx(freezing.p_flat_balance(LANDSCAPE, noise, y)[-1], abs=2e-3)
    assert np.trapezoid(freezing.drift_time(LANDSCAPE, y), y) == pytest.approx(
        HEALTHY[0] * 20_000, rel=1e-4
    )


def test_clock_ratio_reaches_the_published_bound_and_fails_for_a_steep_drift():
    bound = (
        freezing.relaxation_times(LANDSCAPE, 1e9)[0]
        / freezing.drift_time(LANDSCAPE, np.linspace(0, 50, 5001)).min()
    ).item()
    assert (
        diagnose(LANDSCAPE, 0.01, 0.2, start_y=0.5, n_steps=10**6).clock_ratio
        < bound
        == pytest.approx(7.6e-3, rel=0.02)
    )
    assert not diagnose(TwoValley(L_d=100.0), 0.01, 0.2)["separate clocks"].holds


def test_high_barriers_are_high_enough_for_the_asymptotic_rates():
    noise = float(at_fixed_y.kramers_limit(LANDSCAPE, 5.0)[1]) / HIGH_BARRIER
    ratio = (
        at_fixed_y.rates_asymptotic(LANDSCAPE, 5.0, noise)[1]
        / at_fixed_y.rates_kramers(LANDSCAPE, 5.0, noise)[1]
    )
    assert 1 < ratio < 1.16 or 0.85 < ratio < 1


def test_tables_are_readable():
    found = diagnose(LANDSCAPE, 0.01, 0.01)
    lines = str(found).splitlines()
    assert len(lines) == len(NAMES) + 1
    assert any("start forgotten" in line and "NO" in line for line in lines)
    table = side_by_side({"healthy": diagnose(LANDSCAPE, *HEALTHY), "quiet": found})
    assert list(table.index) == list(NAMES)
    assert list(table.columns) == ["asks for", "healthy", "quiet"]
    assert "< 0.135" in table.loc["start forgotten", "asks for"]
    assert table.loc["start forgotten", "quiet"].startswith("NO")
    with pytest.raises(KeyError, match="small step"):
        found["luck"]


@pytest.mark.parametrize(
    ("change", "word"),
    [
        ({"noise": "pink"}, "pink"),
        ({"learning_rate": 0.0}, "learning rate"),
        ({"noise_strength": -1.0}, "noise strength"),
        ({"start_y": -30.0}, "start_y"),
        ({"start_y": -1.0}, "opened"),
        ({"n_steps": 0}, "n_steps"),
        ({"landscape": None}, "TwoValley"),
    ],
)
def test_bad_settings_are_refused_in_one_line(change, word):
    good = {"landscape": LANDSCAPE, "learning_rate": 0.01, "noise_strength": 0.1}
    with pytest.raises(ValueError, match=word) as caught:
        diagnose(**(good | change))
    assert "\n" not in str(caught.value)
