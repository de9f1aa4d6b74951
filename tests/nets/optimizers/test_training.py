import numpy as np
import pytest
import torch
from torch import nn

from tests.nets.engine.test_modules import Opaque, convolutional, opaque, relu, stack_of, tanh
from valleys.nets.engine import training
from valleys.nets.engine.modules import Modules
from valleys.nets.engine.networks import initialize
from valleys.nets.engine.passages import Passages
from valleys.nets.engine.training import Samples, evaluate
from valleys.nets.measures.curvature import as_modules
from valleys.nets.optimizers.averages import WeightAverage
from valleys.nets.optimizers.methods import Method, method
from valleys.nets.optimizers.recipe import Recipe
from valleys.nets.optimizers.schedules import cosine, stairs
from valleys.nets.optimizers.training import Order, optimize

METHODS = [
    method("sgd"),
    method("sgd", momentum=0.9),
    method("sgd", momentum=0.9, nesterov=True),
    method("sgd", weight_decay=0.01),
    method("adam"),
    method("adamw", weight_decay=0.1),
    method("rmsprop", momentum=0.5),
]


def generators(count, seed=3):
    return [np.random.default_rng([seed, run]) for run in range(count)]


@pytest.fixture
def pictures():
    """Twenty-four images of three classes, float64."""
    rng = np.random.default_rng(7)
    return Samples.of(rng.normal(size=(24, 1, 8, 8)), np.arange(24) % 3, dtype=torch.float64)


@pytest.fixture
def start():
    """One small fully connected network, float64."""
    return initialize(5, seed=0, hidden=(7, 6), n_classes=3).to(torch.float64)


def loop(module, samples, method_of_torch, batches, before=lambda step: None):
    """The loop that everybody writes."""
    for step, chosen in enumerate(batches):
        before(step)
        method_of_torch.zero_grad()
        images, labels = samples.batch(chosen)
        nn.functional.cross_entropy(module(images), labels).backward()
        method_of_torch.step()


@pytest.mark.parametrize("make", [convolutional, tanh, relu])
@pytest.mark.parametrize("chosen", METHODS, ids=str)
def test_a_method_is_that_of_the_loop_of_torch(pictures, make, chosen):
    modules = [make(seed) for seed in range(2)]
    stack, recipe = stack_of(modules), Recipe(0.02, 10, chosen)
    optimize(stack, pictures, recipe, n_steps=12, streams=generators(2), visits={})
    order = Order(len(pictures), generators(2))
    batches = [order.take(10) for _ in range(12)]
    for index, module in enumerate(modules):
        own = chosen.start(module.parameters())
        own.param_groups[0]["lr"] = 0.02
        loop(module, pictures, own, [batch[index] for batch in batches])
        for name, part in module.named_parameters():
            torch.testing.assert_close(
                stack.parameters[name][index], part.data, rtol=1e-9, atol=1e-11
            )


def test_a_schedule_is_that_of_the_loop_of_torch(pictures):
    module = tanh(0)
    stack = stack_of([module])
    recipe = Recipe(cosine(0.1, 0.01, until=12), 24)
    optimize(stack, pictures, recipe, n_steps=12, streams=generators(1), visits={})
    own = torch.optim.SGD(module.parameters(), lr=0.1)
    scheduler = torch.optim.lr_scheduler.CosineAnnealingLR(own, 12, 0.01)
    every = [torch.arange(24)] * 12
    loop(module, pictures, own, every, lambda step: scheduler.step() if step else None)
    for name, part in module.named_parameters():
        torch.testing.assert_close(stack.parameters[name][0], part.data, rtol=1e-9, atol=1e-11)


def test_plain_descent_is_that_of_the_closed_form_engine(blobs, start):
    """The engine, the closed form by torch.optim, dense layers of a module, and autograd."""
    ways = [start, start, as_modules(start), opaque(start)]
    ways = [way.repeat(2) for way in ways]
    settings = {"n_steps": 20, "streams": generators(2), "visits": {}}
    training.train(ways[0], blobs, learning_rate=0.1, batch_size=8, **settings)
    for way in ways[1:]:
        settings["streams"] = generators(2)
        optimize(way, blobs, Recipe(0.1, 8), **settings)
        for name, part in ways[0].parameters.items():
            torch.testing.assert_close(way.parameters[name], part, rtol=1e-10, atol=1e-12)


def trained_dense(module, samples, batch_size):
    """Two runs of 60 steps: the stack, what a visit saw of it, and when its loss passed levels."""
    stack, passages, seen = Modules.of(module, 2), Passages((0.9, 0.5)), []
    visits = {4: lambda step, networks: seen.append(networks.copy())}
    how = {"n_steps": 60, "streams": generators(2), "visits": visits, "passages": passages}
    optimize(stack, samples, Recipe(0.4, batch_size), **how)
    return stack, *seen, passages.first


@pytest.mark.parametrize("batch_size", [10, 24, 100])
def test_dense_layers_of_a_module_take_the_steps_of_autograd(pictures, batch_size):
    known = trained_dense(relu(0), pictures, batch_size)
    other = trained_dense(Opaque(*relu(0)), pictures, batch_size)
    assert np.isfinite(known[-1]).all()
    np.testing.assert_array_equal(known[-1], other[-1])
    for one, two in zip(known[:-1], other[:-1], strict=True):
        assert type(one) is Modules
        for name, part in one.parameters.items():
            torch.testing.assert_close(part, two.parameters[name], rtol=1e-9, atol=1e-11)


def test_full_batches_are_the_same_for_all_runs_and_draw_nothing(blobs, start):
    stack, streams = start.repeat(3), generators(3)
    optimize(stack, blobs, Recipe(0.1, 30), n_steps=5, streams=streams, visits={})
    assert torch.equal(stack.weights[0][0], stack.weights[0][2])
    assert streams[0].random() == generators(3)[0].random()


def test_batch_sizes_may_change_in_the_midst_of_an_epoch(blobs, start):
    order = Order(30, generators(2))
    taken = [order.take(size) for size in (10, 15, 15, 30)]
    assert [batch.shape[1] for batch in taken] == [10, 15, 5, 30]
    assert sorted(torch.cat(taken[:3], dim=1)[0].tolist()) == list(range(30))
    recipe = Recipe(0.1, stairs([10, 30], ends=[2]))
    assert recipe.batch_sizes(4).tolist() == [10, 10, 30, 30]


def test_a_quiet_network_goes_on_by_gradient_descent(blobs, start):
    """Both are below the threshold from the start, so that noise never acts."""
    noisy, calm = start.repeat(2), start.repeat(2)
    settings = {"n_steps": 6, "visits": {}}
    recipe = Recipe(0.1, 5, quiet_below=100.0, label_noise=0.5)
    optimize(noisy, blobs, recipe, streams=generators(2), **settings)
    optimize(calm, blobs, Recipe(0.1, 30), streams=generators(2), **settings)
    torch.testing.assert_close(noisy.weights[0], calm.weights[0], rtol=1e-10, atol=1e-12)


def test_noise_ends_in_each_network_when_its_own_loss_has_fallen(blobs, start):
    stack, quiet, losses = start.repeat(4), [], []
    level = evaluate(start, blobs).loss.item() / 2

    def look(step, networks):
        losses.append(evaluate(networks, blobs).loss.numpy().copy())

    optimize(
        stack,
        blobs,
        Recipe(0.05, 3, quiet_below=level),
        n_steps=200,
        streams=generators(4),
        visits=dict.fromkeys(range(201), look),
    )
    fell = [int(np.argmax(np.array(losses)[:, run] < level)) for run in range(4)]
    assert min(fell) > 0
    for run, step in enumerate(fell):  # from then on gradient descent never climbs at this rate
        quiet.append(np.diff(np.array(losses)[step:, run]).max() <= 0)
    assert all(quiet)


def test_sharpness_aware_steps_are_those_of_one_network_alone(pictures):
    module = tanh(0)
    stack = stack_of([module, tanh(1)])
    recipe = Recipe(0.05, 24, radius=0.3)
    optimize(stack, pictures, recipe, n_steps=5, streams=generators(2), visits={})
    weights = list(module.parameters())
    for _ in range(5):
        loss = nn.functional.cross_entropy(module(pictures.images), pictures.labels)
        slopes = torch.autograd.grad(loss, weights)
        length = sum(float((slope**2).sum()) for slope in slopes) ** 0.5
        with torch.no_grad():
            for part, slope in zip(weights, slopes, strict=True):
                part += 0.3 * slope / length
        loss = nn.functional.cross_entropy(module(pictures.images), pictures.labels)
        above = torch.autograd.grad(loss, weights)
        with torch.no_grad():
            for part, slope, up in zip(weights, slopes, above, strict=True):
                part -= 0.3 * slope / length + 0.05 * up
    for name, part in module.named_parameters():
        torch.testing.assert_close(stack.parameters[name][0], part.data, rtol=1e-8, atol=1e-10)


def test_label_noise_changes_the_share_of_labels_it_names(blobs, start):
    seen = []

    class Watching(type(start)):
        def gradients(self, images, labels):
            seen.append(labels)
            return super().gradients(images, labels)

    watching = Watching(start.weights, start.biases).repeat(1)
    watching = Watching(watching.weights, watching.biases)
    recipe = Recipe(0.01, 10, label_noise=0.3)
    optimize(watching, blobs, recipe, n_steps=600, streams=generators(1), visits={})
    order = Order(30, generators(1))
    true = torch.stack([blobs.labels[order.take(10)] for _ in range(600)])
    changed = (torch.stack(seen) != true).double().mean().item()
    assert changed == pytest.approx(0.3 * 2 / 3, abs=4 * (0.2 * 0.8 / 6000) ** 0.5)


def test_labels_are_noisy_in_full_batches_too(blobs, start):
    calm, noisy = start.repeat(2), start.repeat(2)
    settings = {"n_steps": 3, "visits": {}}
    optimize(calm, blobs, Recipe(0.1, 30), streams=generators(2), **settings)
    recipe = Recipe(0.1, 30, label_noise=0.5)
    optimize(noisy, blobs, recipe, streams=generators(2), **settings)
    assert not torch.allclose(noisy.weights[0], calm.weights[0])
    assert not torch.allclose(*noisy.weights[0])


def test_batches_drawn_independently_repeat_samples(blobs, start):
    stack, streams = start.repeat(1), generators(1)
    recipe = Recipe(0.01, 30, replacement=True)
    optimize(stack, blobs, recipe, n_steps=1, streams=streams, visits={})
    first = np.random.default_rng([3, 0]).integers(30, size=30)
    assert len(set(first)) < 30
    expected = start.repeat(1)
    slopes = expected.gradients(*blobs.batch(torch.from_numpy(first)[None]))
    moved = expected.weights[0] - 0.01 * slopes["0.weight"]
    torch.testing.assert_close(stack.weights[0], moved, rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("decay", [0.0, 0.9])
def test_averages_are_those_of_torch(pictures, decay):
    module = tanh(0)
    stack, average = stack_of([module]), WeightAverage(decay)
    visits = dict.fromkeys(range(2, 9), average)
    optimize(stack, pictures, Recipe(0.1, 24), n_steps=8, streams=generators(1), visits=visits)
    every = torch.optim.swa_utils.get_ema_multi_avg_fn(decay) if decay else None
    theirs = torch.optim.swa_utils.AveragedModel(module, multi_avg_fn=every)
    own = torch.optim.SGD(module.parameters(), lr=0.1)
    batches = [torch.arange(24)] * 8
    for step in range(9):
        if step >= 2:
            theirs.update_parameters(module)
        loop(module, pictures, own, batches[step : step + 1])
    for name, part in theirs.module.named_parameters():
        torch.testing.assert_close(average.average.parameters[name][0], part.data)


def test_networks_that_are_lost_leave_the_others_alone(pictures):
    modules = [tanh(0), tanh(1)]
    alone, together = stack_of(modules[:1]), stack_of(modules)
    together.parameters["1.weight"][1] = torch.nan
    for stack in (alone, together):
        optimize(
            stack,
            pictures,
            Recipe(0.1, 10),
            n_steps=5,
            streams=generators(2)[: len(stack)],
            visits={},
        )
    torch.testing.assert_close(alone.parameters["1.weight"][0], together.parameters["1.weight"][0])
    assert together.alive.tolist() == [True, False]


@pytest.mark.parametrize(
    ("make", "word"),
    [
        (lambda: method("newton"), "method must be one of sgd, adam"),
        (lambda: method("sgd", nesterov=True), "method sgd cannot take"),
        (lambda: method("adam", speed=3), "method adam cannot take"),
        (lambda: method("adam", lr=3), "lr is no setting"),
        (lambda: Recipe(0.0, 10), "learning_rate must stay above 0"),
        (lambda: Recipe(0.1, 0), "batch_size must stay above 0"),
        (lambda: Recipe(0.1, 10, label_noise=2.0), "between 0 and 1"),
        (lambda: Recipe(0.1, 10, quiet_below=-1.0), "quiet_below"),
        (lambda: Recipe(0.1, 10, radius=-1.0), "never falls below 0"),
        (lambda: WeightAverage(1.0), "decay must be 0 or more and below 1"),
    ],
)
def test_what_makes_no_sense_is_refused(make, word):
    with pytest.raises(ValueError, match=word):
        make()


def test_a_recipe_names_itself_by_its_values():
    assert Recipe(0.1, 10) == Recipe({"kind": "constant", "value": 0.1}, 10)
    assert hash(Recipe(0.1, 10, Method("adam", (("betas", [0.9, 0.99]),))))


@pytest.mark.parametrize("make", [convolutional, tanh, relu])
@pytest.mark.parametrize("recipe", [Recipe(0.1, 10), Recipe(0.1, 10, METHODS[4], radius=0.1)])
def test_a_step_asks_nothing_of_the_host(pictures, make, recipe):
    """On a device that holds no numbers, such as `meta`, whatever reads one fails."""
    away = Samples(pictures.images.to("meta"), pictures.labels.to("meta"))
    stack = stack_of([make(0), make(1)]).to("meta")
    optimize(stack, away, recipe, n_steps=2, streams=generators(2), visits={})
    assert {part.device.type for part in stack.parameters.values()} == {"meta"}


def test_a_step_of_fully_connected_networks_asks_nothing_of_the_host(blobs, start):
    away = Samples(blobs.images.to("meta"), blobs.labels.to("meta"))
    stack = start.repeat(2).to("meta")
    optimize(stack, away, Recipe(0.1, 10), n_steps=2, streams=generators(2), visits={})
    training.train(
        stack,
        away,
        learning_rate=0.1,
        batch_size=10,
        n_steps=2,
        streams=generators(2),
        visits={},
    )
    assert stack.weights[0].device.type == "meta"
