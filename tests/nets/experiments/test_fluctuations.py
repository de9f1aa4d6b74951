import numpy as np
import pytest
import torch
import xarray as xr

from tests.nets.expected import second_layer
from tests.nets.networks import trained
from valleys.nets.engine import reference
from valleys.nets.engine.networks import Networks, initialize
from valleys.nets.engine.training import Samples, evaluate, plan, train
from valleys.nets.experiments import fluctuations
from valleys.nets.experiments.fluctuations import FluctuationsSpec
from valleys.nets.measures import gradient_noise, layer_hessian
from valleys.nets.theory.fluctuation_theory import exponent, stationary_variance, window_variance

SMALL = {
    "batch_size": 100,
    "learning_rate": 0.2,
    "window_times": (2.0, 8.0),
    "n_window": 20,
    "n_components": 4,
    "n_realizations": 2,
}


@pytest.fixture(scope="module")
def found():
    return fluctuations.fluctuations(FluctuationsSpec(**SMALL))


def _walk(rate, bent, kicks, n_steps, count, rng):
    """Paths of θ ← θ − η (λθ + ξ) from the steady state, (n_steps, count, n)."""
    place = rng.standard_normal((count, len(bent))) * np.sqrt(
        stationary_variance(rate, bent, kicks)
    )
    path = []
    for _ in range(n_steps):
        path.append(place)
        place = place - rate * (bent * place + np.sqrt(kicks) * rng.standard_normal(place.shape))
    return np.stack(path)


def test_variances_are_those_of_simulated_walks():
    rate, bent = 0.1, np.array([0.02, 0.3, 4.0])
    kicks = 2 * 0.01 * bent
    path = _walk(rate, bent, kicks, 100, 4000, np.random.default_rng(0))
    np.testing.assert_allclose(
        path.var(axis=0).mean(axis=0), window_variance(rate, bent, kicks, 100), rtol=0.05
    )
    np.testing.assert_allclose(
        path.var(axis=1).mean(axis=0), stationary_variance(rate, bent, kicks), rtol=0.05
    )


def test_noise_in_proportion_to_curvature_spreads_all_directions_alike():
    bent = np.geomspace(1e-3, 1e-2, 20)
    np.testing.assert_allclose(
        stationary_variance(0.05, bent, 2 * 0.3 * bent), 0.05 * 0.3, rtol=1e-3
    )
    assert exponent(bent**-0.5, stationary_variance(0.05, bent, 2 * 0.3 * bent)) == pytest.approx(
        0, abs=1e-3
    )
    assert exponent(bent**-0.5, window_variance(0.05, bent, 2 * 0.3 * bent, 10)) == pytest.approx(
        2, abs=0.01
    )
    assert exponent(bent**-0.5, stationary_variance(0.05, bent, np.ones(20))) == pytest.approx(
        -2, abs=1e-2
    )
    assert np.isinf(stationary_variance(0.1, np.array([-1.0, 0.0, 21.0]), np.ones(3))).all()


def test_a_long_window_of_a_walk_has_no_inverse_relation_and_a_short_one_has():
    """An independent check of the claim of the chapter, on principal components of a walk with Σ
    = 2σλ.
    """
    rng, bent = np.random.default_rng(1), np.geomspace(0.02, 2, 12)
    psi = {}
    for n_steps in (60, 30_000):
        path = _walk(0.1, bent, 0.02 * bent, n_steps, 1, rng)[:, 0]
        rows, spread, _ = fluctuations.principal(path, 10)
        psi[n_steps] = exponent(((rows**2) @ bent) ** -0.5, spread)
    assert psi[60] > 1
    assert abs(psi[30_000]) < 0.4


def test_principal_directions_are_those_of_the_covariance_and_tell_a_drift():
    rng = np.random.default_rng(0)
    path = (
        rng.standard_normal((50, 6)) * [3, 1, 0.5, 0.2, 0.1, 0.1]
        + np.arange(50)[:, None] * np.eye(6)[5]
    )
    rows, spread, trend = fluctuations.principal(path, 6)
    np.testing.assert_allclose(
        spread, np.linalg.eigvalsh(np.cov(path.T, bias=True))[::-1], rtol=1e-10
    )
    np.testing.assert_allclose(((path - path.mean(axis=0)) @ rows.T).var(axis=0), spread)
    assert abs(rows[0, 5]) > 0.9
    assert trend[0] > 0.95
    assert (trend[1:] < 0.2).all()


def test_batches_drawn_anew_repeat_images_and_are_even():
    drawn = fluctuations.Redrawn(np.random.default_rng(0)).permutation(100_000)
    assert len(np.unique(drawn)) == pytest.approx(100_000 * (1 - np.exp(-1)), rel=0.01)


def test_a_window_keeps_every_step_and_the_mean_network(digits):
    networks, window = initialize(digits.images.shape[1], 0).repeat(2), fluctuations.Window(0)
    streams = [np.random.default_rng(run) for run in range(2)]
    kept = []
    visits = plan((range(5), window), (range(5), lambda _, stack: kept.append(stack.copy())))
    train(
        networks,
        digits,
        learning_rate=0.1,
        batch_size=50,
        n_steps=4,
        streams=streams,
        visits=visits,
    )
    assert len(window.matrices) == 5
    np.testing.assert_allclose(
        window.matrices[3][1].reshape(50, 50), kept[3].weights[1][1].mT, rtol=1e-6
    )
    np.testing.assert_allclose(
        window.middle.biases[0], np.mean([one.biases[0].numpy() for one in kept], axis=0), atol=1e-7
    )


def test_widths_are_where_the_loss_of_the_module_has_grown_by_e(digits):
    start = initialize(digits.images.shape[1], 1)
    network = trained(start, digits, 200, learning_rate=0.2, batch_size=100)
    samples = Samples(digits.images.double(), digits.labels)
    double = network.to(torch.float64)
    layer = layer_hessian.layer_curvature(double, samples.images)
    directions = np.linalg.qr(np.random.default_rng(0).standard_normal((2500, 2)))[0].T
    widths = fluctuations.valley_widths(double, samples, directions, layer)
    lengths = np.linspace(0, widths.max(), 301)
    for direction, width in zip(directions, widths, strict=True):
        sides = []
        for sign in (-1, 1):
            shift = torch.from_numpy((sign * lengths[:, None] * direction).reshape(-1, 50, 50)).mT
            first, second, third = (
                weight.expand(len(lengths), -1, -1) for weight in double.weights
            )
            moved = Networks(
                (first, second + shift, third),
                tuple(bias.expand(len(lengths), -1, -1) for bias in double.biases),
            )
            losses = np.concatenate(
                [
                    evaluate(moved.pick(slice(k, k + 200)), samples).loss.numpy()
                    for k in range(0, len(lengths), 200)
                ]
            )
            sides.append(lengths[np.argmax(losses >= np.e * losses[0])])
        assert width == pytest.approx(sum(sides), rel=0.02)


def test_the_surrogate_kicks_with_the_covariance_of_a_batch(blobs):
    networks = initialize(5, 2, hidden=(4, 3), n_classes=3).to(torch.float64)
    layer = layer_hessian.layer_curvature(networks, blobs.images)
    scatter = gradient_noise.layer_noise(layer, blobs.labels.numpy())
    spec = FluctuationsSpec(
        **SMALL
        | {"learning_rate": 1e-3, "n_window": 4000, "n_components": 3, "window_times": (2.0,)}
    )
    path = fluctuations.surrogate_path(layer, scatter, 0.1, spec, np.random.default_rng(0))
    assert path.shape == (4000, 12)
    kicks = np.diff(path, axis=0) / -spec.learning_rate - np.stack(
        [layer.product(place) for place in path[:-1]]
    )
    expected = np.stack([0.1 * scatter.product(row) for row in np.eye(12)])
    np.testing.assert_allclose(np.cov(kicks.T), expected, atol=0.1 * np.diag(expected).max())


def test_the_study_measures_what_linear_algebra_gives(found):
    assert found.variance.sizes == {"sampling": 2, "window": 2, "realization": 2, "component": 4}
    assert (found.variance.diff("component") <= 0).all()
    assert ((found.trend >= 0) & (found.trend <= 1)).all()
    np.testing.assert_array_equal(found.window_time, [2, 8])
    xr.testing.assert_identical(found, fluctuations.fluctuations(FluctuationsSpec(**SMALL)))


def test_exponents_leave_the_drift_out(found):
    made = found.copy(deep=True)
    made["trend"] = xr.zeros_like(made.trend)
    made["width"] = xr.zeros_like(made.width) + xr.DataArray([1.0, 2.0, 4.0, 8.0], dims="component")
    made["variance"] = made.width**-3
    assert fluctuations.variance_exponents(made).measured.values == pytest.approx(3)
    made["trend"][..., 0], made["variance"][..., 0] = 0.9, 1e6
    assert fluctuations.variance_exponents(made).measured.values == pytest.approx(3)
    assert (fluctuations.variance_exponents(made).drifting == 1).all()


def test_the_plain_network_has_the_noise_along_a_component(blobs):
    networks = initialize(5, 2, hidden=(8, 6), n_classes=3).to(torch.float64)
    scatter = gradient_noise.layer_noise(
        layer_hessian.layer_curvature(networks, blobs.images), blobs.labels.numpy()
    )
    direction = np.eye(48)[7]
    module, slopes = reference.as_module(networks), []
    for image, label in zip(blobs.images, blobs.labels, strict=True):
        loss = torch.nn.functional.cross_entropy(module(image[None]), label[None])
        slopes.append(
            float(
                torch.autograd.grad(loss, second_layer(module))[0].T.reshape(-1)
                @ torch.from_numpy(direction)
            )
        )
    assert scatter.variance(direction[None])[0] == pytest.approx(np.var(slopes))


@pytest.mark.parametrize(
    ("wrong", "word"),
    [
        ({"batch_size": 1000}, "no noise"),
        ({"window_times": (8.0, 2.0)}, "window_times"),
        ({"window_times": (2.0, 3.0)}, "apart"),
        ({"n_components": 20}, "n_components"),
        ({"n_realizations": 0}, "n_realizations"),
    ],
)
def test_what_makes_no_sense_is_refused(wrong, word):
    with pytest.raises(ValueError, match=word):
        FluctuationsSpec(**SMALL | wrong)
