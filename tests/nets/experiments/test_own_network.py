"""What noise does to a network of one's own: against ensembles trained by hand, and lines between
single modules computed with PyTorch alone.
"""

import dataclasses
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn
from torch.nn.utils import parameters_to_vector, vector_to_parameters

from valleys.nets import Ensemble, ask, load_problem, train_ensemble
from valleys.nets.datasets import DataError
from valleys.nets.engine.convolutional import small_network
from valleys.nets.engine.modules import Modules
from valleys.nets.experiments import own_network as experiment
from valleys.nets.experiments.own_network import OwnNetworkSpec, own_network
from valleys.nets.measures.walls import walls

SHORT: dict[str, Any] = {
    "batch_sizes": (5, 20, 100),
    "learning_rate": 0.2,
    "training_time": 4.0,
    "n_records": 3,
}
FEW: dict[str, Any] = {"n_runs": 2, "threshold": 2.0}
SMALL: dict[str, Any] = SHORT | FEW | {"train_per_class": 10, "channels": (3,)}


def convolutional() -> nn.Module:
    return nn.Sequential(nn.Conv2d(1, 3, 3), nn.ReLU(), nn.Flatten(), nn.Linear(3 * 36, 10))


def normalized() -> nn.Module:
    return nn.Sequential(nn.Flatten(), nn.Linear(64, 12), nn.BatchNorm1d(12), nn.Linear(12, 10))


def problem(model=convolutional, seed=0):
    return load_problem("digits", train_per_class=10, model=model, seed=seed)


@pytest.fixture(scope="module")
def three():
    return ask([problem(seed=seed) for seed in range(3)], seed=7, progress=False, **SHORT, **FEW)


@pytest.fixture
def photos(tmp_path):
    """Two classes of six images in colour."""
    rng = np.random.default_rng(0)
    for label, name in enumerate(("cats", "dogs")):
        for index in range(6):
            pixels = rng.integers(100, size=(8, 10, 3)) + 120 * label
            (tmp_path / name).mkdir(exist_ok=True)
            Image.fromarray(pixels.astype(np.uint8)).save(tmp_path / name / f"{index}.png")
    return tmp_path


def of_photos(photos, **values) -> OwnNetworkSpec:
    wanted = {"train_per_class": 4, "test_per_class": 2, "batch_sizes": (2, 8), "n_starts": 1}
    return OwnNetworkSpec(f"folder:{photos}", **(SHORT | FEW | wanted | values))


def test_noise_grows_along_the_batch_sizes_and_gradient_descent_is_one_run(three):
    assert dict(three.sizes) == {"start": 3, "batch_size": 3, "run": 2, "record": 3, "pair": 1}
    assert three.batch_size.values.tolist() == [100, 20, 5]
    assert three.time.values.tolist() == pytest.approx([0, 2, 4])
    calm = three.sel(batch_size=100)
    assert calm.train_loss.isel(run=1).isnull().all()
    assert calm.wall.isnull().all()
    assert three.sel(batch_size=[20, 5]).to_array().notnull().all()


@pytest.mark.parametrize("start", [0, 2])
def test_each_setting_is_an_ensemble_trained_by_hand(three, start):
    runs = train_ensemble(
        problem(seed=start),
        n_runs=2,
        batch_size=5,
        learning_rate=0.2,
        training_time=4.0,
        n_records=3,
        flatness_every=1,
        thresholds=(2.0,),
        seed=7 + start,
    )
    own = three.sel(batch_size=5, start=start)
    for name in ("train_loss", "test_accuracy", "flatness"):
        np.testing.assert_array_equal(own[name], runs.records[name])
    np.testing.assert_array_equal(own.freezing_time, runs.freezing_time(2.0))


def modules_of(runs: Ensemble) -> Modules:
    assert isinstance(runs.networks, Modules)
    return runs.networks


def from_three_starts(make) -> Modules:
    """Networks that learned the same images from starts of their own, between which walls are."""
    setting: dict[str, Any] = {
        "batch_size": 10,
        "learning_rate": 0.2,
        "training_time": 20.0,
        "n_records": 2,
    }
    runs = [train_ensemble(problem(make, seed), n_runs=1, **setting) for seed in range(3)]
    ends = [modules_of(each) for each in runs]
    first = ends[0]
    parameters = {
        name: torch.cat([one.parameters[name] for one in ends]) for name in first.parameters
    }
    buffers = {name: torch.cat([one.buffers[name] for one in ends]) for name in first.buffers}
    return Modules(first.module, parameters, buffers)


def single(networks: Modules, index: int, make) -> nn.Module:
    """One of R networks as a module of its own."""
    module = make()
    state = networks.parameters | networks.buffers
    module.load_state_dict({name: part[index] for name, part in state.items()})
    return module.eval()


def rise_by_hand(first: nn.Module, second: nn.Module, between: nn.Module, samples) -> float:
    """Highest loss on eleven points of a line over the higher of its ends."""
    ends = [parameters_to_vector(module.parameters()) for module in (first, second)]
    kept = [dict(module.named_buffers()) for module in (first, second)]
    losses = []
    for share in np.linspace(0, 1, 11):
        vector_to_parameters((1 - share) * ends[0] + share * ends[1], between.parameters())
        for name, part in between.named_buffers():
            if part.is_floating_point():
                part.copy_((1 - share) * kept[0][name] + share * kept[1][name])
        with torch.no_grad():
            loss = nn.functional.cross_entropy(between(samples.images), samples.labels)
        losses.append(float(loss))
    return max(losses) - max(losses[0], losses[-1])


@pytest.mark.parametrize("make", [convolutional, normalized])
def test_walls_are_those_of_straight_lines_between_single_modules(make):
    networks, samples = from_three_starts(make), problem().train
    modules = [single(networks, index, make) for index in range(3)]
    expected = [
        rise_by_hand(modules[one], modules[two], make().eval(), samples)
        for one, two in ((0, 1), (0, 2), (1, 2))
    ]
    np.testing.assert_allclose(walls(networks, samples), expected, rtol=1e-4)
    assert min(expected) > 0.01


def test_sharpness_is_the_largest_curvature_over_its_border(three):
    runs = train_ensemble(
        problem(), n_runs=1, batch_size=100, learning_rate=0.2, training_time=4.0, n_records=3
    )
    module = single(modules_of(runs), 0, convolutional).double()
    images, labels = runs.problem.train.images.double(), runs.problem.train.labels
    direction = [torch.randn_like(part) for part in module.parameters()]
    loss = nn.functional.cross_entropy(module(images), labels)
    slopes = torch.autograd.grad(loss, tuple(module.parameters()), create_graph=True)
    for _ in range(200):  # power iteration
        length = parameters_to_vector(direction).norm()
        direction = [part / length for part in direction]
        pairs = zip(slopes, direction, strict=True)
        along = torch.stack([(slope * part).sum() for slope, part in pairs]).sum()
        direction = torch.autograd.grad(along, tuple(module.parameters()), retain_graph=True)
    largest = float(parameters_to_vector(direction).norm())
    assert float(three.sharpness[0, 0, 0]) == pytest.approx(largest * 0.2 / 2, rel=1e-3)


def test_runs_that_are_all_frozen_train_on():
    found = ask(problem(), progress=False, **(SHORT | {"n_runs": 2, "threshold": 5.0}))
    assert found.freezing_time.dropna("run", how="all").min() == 0
    assert (found.train_loss.isel(record=-1) < found.train_loss.isel(record=0)).any()


def test_one_start_is_the_first_of_three(three):
    alone = ask(problem(), seed=7, progress=False, **SHORT, **FEW)
    assert alone.equals(three.isel(start=[0]))


def test_what_is_trained_is_named_on_the_bar(capfd):
    two: dict[str, Any] = SHORT | FEW | {"batch_sizes": (20, 100)}
    ask(problem(), **two)
    shown = capfd.readouterr().err
    assert "start 1, batch size 100" in shown
    assert "start 1, batch size 20" in shown
    assert "2/2" in shown


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"batch_sizes": (10,)}, "two or more"),
        ({"batch_sizes": (10, 10)}, "each once"),
        ({"batch_sizes": (10, 101)}, "101"),
        ({"n_runs": 1}, "n_runs"),
        ({"n_records": 1}, "n_records"),
        ({"threshold": 0.0}, "thresholds"),
        ({"learning_rate": 0.0}, "learning_rate"),
        ({"seed": -1}, "seed"),
    ],
)
def test_what_cannot_be_compared_is_refused(values, message):
    with pytest.raises(ValueError, match=message):
        ask(problem(), progress=False, **(SHORT | FEW | values))


def test_problems_are_refused_before_any_is_trained(monkeypatch):
    monkeypatch.setattr(experiment, "_setting", lambda *_: pytest.fail("trained"))
    smaller = load_problem("digits", train_per_class=5, model=convolutional)
    for problems, message in (([], "one or more"), ([problem(), smaller], "50 training samples")):
        with pytest.raises(ValueError, match=message):
            ask(problems, progress=False, **SHORT, **FEW)


@pytest.mark.parametrize(
    ("shape", "channels", "sides"),
    [((8, 8), (4, 6), [8, 4]), ((5, 9, 3), (4, 4, 4), [5, 2, 2]), ((3, 3), (2,), [3])],
)
def test_the_small_network_is_halved_while_images_are_large_enough(shape, channels, sides):
    module, seen = small_network(shape, 7, channels), []
    for part in module:
        if isinstance(part, nn.Conv2d):
            part.register_forward_hook(lambda _, inputs, output: seen.append(output.shape[2]))
    height, width, depth = (*shape, 1)[:3]
    assert module(torch.zeros(2, depth, height, width)).shape == (2, 7)
    assert seen == sides
    assert [part.out_channels for part in module if isinstance(part, nn.Conv2d)] == [*channels]


def test_the_study_asks_the_small_network_from_starts_of_its_own():
    spec = OwnNetworkSpec(n_starts=2, seed=3, **SMALL)
    starts = [problem(lambda: small_network((8, 8), 10, (3,)), seed=seed) for seed in (3, 4)]
    expected = ask(starts, seed=3, progress=False, **SHORT, **FEW)
    found = own_network(spec)
    assert found.equals(expected)
    assert found.attrs["n_parameters"] == 3 * 9 + 3 + 10 * 3 * 16 + 10


def test_the_study_takes_a_folder_of_images(photos):
    found = own_network(of_photos(photos, image_side=6))
    assert found.attrs["n_train"] == 8
    assert found.train_loss.isel(run=0).notnull().all()


def test_a_changed_folder_is_another_question(photos):
    before = of_photos(photos)
    assert before == of_photos(photos)
    assert before == dataclasses.replace(before)
    (photos / ".hidden").write_text("nothing")
    assert before == of_photos(photos)
    Image.new("RGB", (10, 8)).save(photos / "cats" / "0.png")
    assert before != of_photos(photos)
    with pytest.raises(ValueError, match="have changed"):
        own_network(before)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"channels": ()}, "channels"),
        ({"channels": (8, 0)}, "channels"),
        ({"n_starts": 0}, "n_starts"),
        ({"image_side": 8}, "image_side"),
        ({"fingerprint": "a"}, "fingerprint"),
        ({"dataset": "letters"}, "letters"),
        ({"train_per_class": 0}, "train_per_class"),
        ({"batch_sizes": (10, 101)}, "101"),
        ({"n_runs": 1}, "n_runs"),
        ({"n_runs": 2.5}, "n_runs"),
    ],
)
def test_a_spec_refuses_what_makes_no_sense(values, message):
    with pytest.raises(ValueError, match=message):
        OwnNetworkSpec(**(SMALL | values))


def test_a_spec_of_a_folder_counts_its_classes(photos):
    with pytest.raises(ValueError, match="8 training samples"):
        of_photos(photos, batch_sizes=(2, 9))
    with pytest.raises(DataError, match="no folder"):
        of_photos(photos / "nowhere")
