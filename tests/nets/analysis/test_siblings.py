import numpy as np
import pytest
import xarray as xr

from tests.nets.expected import estimate, spearmanr
from valleys.nets.analysis import siblings

SETTING = ("batch_size", "learning_rate")
RUN = (*SETTING, "reference", "branch")
PAIR = (*SETTING, "pair", "branch")
LOW, HIGH = 0, 1


@pytest.fixture
def parted() -> xr.Dataset:
    """Four settings of four runs, which freeze at 2 and 16; at the high rate one keeps its hill."""
    walled, rise, similarity = (np.empty((2, 2, 4, 4)) for _ in range(3))
    walled[:, LOW], walled[:, HIGH] = [1, 1, 0, 0], [1, 0.5, 0.5, 0]
    walled[0, HIGH, 0] = 1
    rise[:, LOW], rise[:, HIGH] = [5, 0.2, 0.2, 0.05], [5, 0.2, 0.4, 0.2]
    similarity[:, LOW], similarity[:, HIGH] = [0.2, 0.4, 0.6, 0.8], [0.1, 0.3, 0.5, 0.7]
    similarity[0, LOW] = [0.2, 0.6, 0.4, 0.8]  # less alike later
    similarity += np.array([-0.02, 0, 0.01, 0.01])[:, None]
    exponents = np.multiply.outer([[10.0, 30.0], [20.0, 61.0]], [np.nan, 1.0, 4.0, 16.0])
    noise = np.broadcast_to(np.arange(1.0, 7)[:, None], (2, 2, 6, 4))
    frozen = np.broadcast_to(np.array([2.0, 16.0])[:, None], (2, 2, 4))
    parts = {
        "walled": (RUN, walled),
        "rise": (RUN, rise),
        "similarity": (RUN, similarity),
        "line_noise": (PAIR, noise),
        "wall": (PAIR, exponents[:, :, None] * noise),
        "freezing_time": (RUN[:3], frozen),
    }
    coords = {"batch_size": [20, 100], "learning_rate": [0.05, 0.1]}
    return xr.Dataset(parts, coords | {"branch_time": ("branch", [0.0, 1.0, 2.0, 4.0])})


def test_the_valley_is_chosen_by_either_convention_at_both_ends_of_the_rates(parted):
    cent = xr.DataArray([[0.1, 0.3]] * 2, {name: parted[name] for name in SETTING}, SETTING)
    found = siblings.choice_findings(parted, cent)
    expected = {"joined_low": 2, "joined_high": 4, "cent_low": 4, "cent_high": 4}
    expected |= {"joined_share_low": 1, "joined_share_high": 0.25}
    expected |= {"cent_share_low": 2, "cent_share_high": 0.25, "frozen_low": 2, "frozen_high": 16}
    expected |= {"walled_frozen_low": 1, "walled_frozen_high": 1 / 8}  # part at 1 and at 4
    assert {name: estimate(found[name]).value for name in expected} == pytest.approx(expected)
    assert (found["walled_end_low"], found["walled_end_high"]) == (0, 1 / 8)
    assert (found["joined_told"], found["joined_all"]) == (15, 16)
    assert estimate(siblings.choice_findings(parted, 2 * cent)["cent_high"]).value == 1
    assert estimate(siblings.choice_findings(parted, 2 * cent)["cent_low"]).value == 1


def test_likeness_is_told_of_three_branches_and_before_freezing(parted):
    found, branches = siblings.likeness_findings(parted), ("first", "early", "last")
    alike = [estimate(found[f"sib_{name}"]).value for name in branches]
    walled = [estimate(found[f"walled_{name}"]).value for name in branches]
    assert alike == pytest.approx([0.15, 0.4, 0.75])
    assert walled == pytest.approx([1, 3.125 / 4, 1 / 16])
    assert [found[f"time_{name}"] for name in branches] == [0, 1, 4]
    assert estimate(found["sib_frozen"]).value == pytest.approx((0.6 + 0.4 + 0.7 + 0.7) / 4)
    assert estimate(found["sib_first"]).low < 0.15 < estimate(found["sib_first"]).high
    assert found["sib_settings"] == 4


def test_barriers_over_noise_are_sorted_by_whether_the_rate_rises(parted):
    found = siblings.kramers_findings(parted)
    # at the middles of branch times E is 2 and 8 times that of the setting
    assert found["e_low"] == pytest.approx(20)
    assert found["e_median"] == pytest.approx(50)
    assert found["e_high"] == 490  # 488 to two digits
    assert (found["rates"], found["rising"]) == (8, 7)
    assert found["e_rising"] == pytest.approx(122)  # of 40, 60, 80, 122, 160, 240, 488
    assert found["e_other"] == pytest.approx(20)
    assert found["e_ratio"] == pytest.approx((3 * 3.05) ** 0.5)
    assert found["change_ratio"] == pytest.approx(0.5 / 0.4)


def test_each_number_of_the_law_has_its_own_name(parted):
    """At equal time the rate falls with E, which later is higher at nearly the same rates."""
    first, later = np.array([[0.6, 0.3], [0.4, 0.2]]), np.array([[0.45, 0.25], [0.35, 0.1]])
    logs = 2 * np.stack([0 * first, first, first + 2 * later], axis=-1)  # at the times 1, 2 and 4
    kept = 0.01 * np.exp(logs)
    kept = np.concatenate([np.zeros((2, 2, 1)), kept], axis=-1)
    alike = xr.DataArray(kept, dims=(*SETTING, "branch"))
    found = siblings.kramers_findings(parted.assign(similarity=0 * parted.similarity + alike))
    places = np.multiply.outer([2, 8], [[10, 30], [20, 61]]).ravel()
    rates = np.concatenate([first.ravel(), later.ravel()])
    slope, power = (np.polyfit(x, np.log(rates), 1)[0] for x in (places, np.log(places)))
    assert estimate(found["kramers_slope"]).value == pytest.approx(slope)
    assert estimate(found["kramers_power"]).value == pytest.approx(power)
    assert estimate(found["kramers_rank"]).value == pytest.approx(
        spearmanr(places, rates).statistic
    )
    assert estimate(found["kramers_rank"]).value > -0.99
    assert estimate(found["kramers_at_time"]).value == pytest.approx(-1)


@pytest.fixture
def watched() -> xr.Dataset:
    """Two runs of the high rate, of two sizes that siblings have and of one that they have not."""
    shape, times = (3, 1, 2, 4), np.array([0.0, 4.0, 8.0, 32.0])
    loss = np.broadcast_to([2.0, 0.4, 0.1, 0.01], shape)
    strength = np.broadcast_to([1.0, 0.8, 0.4, 0.05], shape)
    parts = {
        "train_loss": ((*SETTING, "realization", "record"), loss),
        "noise_per_curvature": ((*SETTING, "realization", "record"), strength),
        "batch_factor": (SETTING, np.array([[0.2], [0.1], [0.05]])),
        "stage_time": ((*SETTING, "realization", "stage"), np.full((3, 1, 2, 1), 8.0)),
        "time": ((*SETTING, "record"), np.broadcast_to(times, (3, 1, 4))),
    }
    coords = {"batch_size": [20, 100, 500], "learning_rate": [0.1], "stage": ["loss 0.1"]}
    return xr.Dataset(parts, coords)


@pytest.fixture
def beside(parted, watched) -> xr.Dataset:
    """Walls double from branch to branch; there is none at the start."""
    rises = np.broadcast_to([0.0, 1.0, 2.0, 8.0], (2, 2, 6, 4)) * np.arange(1.0, 7)[:, None]
    return siblings.beside_freezing(watched, parted.assign(wall_rise=(PAIR, rises)), "loss 0.1")


def test_noise_and_walls_stand_side_by_side_where_both_are_known(beside):
    assert beside.batch_size.values.tolist() == [20, 100]
    assert beside.learning_rate.values.tolist() == [0.1]
    noise = beside.effective_noise.values[:, 0]
    np.testing.assert_allclose(noise[0], 0.1 * 0.2 / 2 * np.array([1.0, 0.8, 0.4, 0.05]))
    np.testing.assert_allclose(noise[1], noise[0] / 2)
    np.testing.assert_allclose(beside.record_clock[0, 0], [0, 0.5, 1, 4])
    np.testing.assert_allclose(beside.branch_clock[0, 0], np.array([0, 1, 2, 4]) / 16)
    np.testing.assert_allclose(beside.wall[0, 0], [np.nan, 3.5, 7, 28])  # mean of six pairs
    assert (beside.wall_low[..., 1:] < beside.wall[..., 1:]).all()
    assert (beside.wall_high[..., 1:] > beside.wall[..., 1:]).all()


def test_noise_and_walls_are_followed_until_freezing_and_after_it(beside):
    beside["branch_clock"] = beside.branch_clock * 8  # the third branch at freezing
    found = siblings.reasons_findings(beside)
    assert found["both_settings"] == 2
    assert found["noise_until"] == pytest.approx(0.5)
    assert found["noise_after"] == pytest.approx(0.125)
    assert found["walls_until"] == pytest.approx(2)
    assert found["walls_after"] == pytest.approx(4)
