import dataclasses

import numpy as np
import pytest
import torch

from valleys.nets.engine.networks import initialize, interpolate
from valleys.nets.engine.training import evaluate
from valleys.nets.measures import solutions


def test_jaccard_of_known_sets():
    first, second = np.array([1, 1, 0, 1, 0], bool), np.array([1, 0, 0, 1, 1], bool)
    assert solutions.jaccard(first, second) == 2 / 4
    assert solutions.jaccard(first, first) == 1
    assert solutions.jaccard(first, ~first) == 0


def test_two_solutions_without_errors_are_alike():
    nothing = np.zeros(5, bool)
    assert solutions.jaccard(nothing, nothing) == 1
    assert solutions.similarity_matrix(np.array([nothing, nothing])).tolist() == [[1, 1], [1, 1]]
    assert solutions.jaccard(nothing, ~nothing) == 0


def test_the_matrix_is_jaccard_pair_by_pair():
    wrong = np.random.default_rng(0).random((6, 40)) < 0.2
    found = solutions.similarity_matrix(wrong)
    for i in range(6):
        for j in range(6):
            assert found[i, j] == pytest.approx(solutions.jaccard(wrong[i], wrong[j]))


def test_barrier_of_known_functions():
    alpha = np.linspace(0, 1, 101)
    # a hill between equal ends
    assert solutions.barrier(4 * alpha * (1 - alpha)) == pytest.approx(1)
    # a ramp: Eq. 5 subtracts the mean of the ends
    assert solutions.barrier(1 + 3 * alpha) == pytest.approx(1.5)
    assert solutions.barrier(np.full(5, 0.3)) == 0
    assert solutions.barrier((alpha - 0.5) ** 2) == pytest.approx(0)  # a valley between equal ends
    assert solutions.barrier(
        np.stack([4 * alpha * (1 - alpha), 0 * alpha])
    ).tolist() == pytest.approx([1, 0])


def path_losses(first, second, samples, alpha):
    return solutions.prepared_path_losses(
        *(solutions.Prepared.of(network, samples) for network in (first, second)), fractions=alpha
    )


def test_path_losses_are_the_losses_of_the_networks_between(digits):
    first, second, alpha = initialize(64, 0), initialize(64, 1), np.linspace(0, 1, 5)
    found = path_losses(first, second, digits, alpha)
    for position, fraction in enumerate(alpha):
        between = interpolate(first, second, torch.tensor([fraction], dtype=torch.float32))
        assert found[position] == pytest.approx(evaluate(between, digits).loss.item(), rel=1e-5)
    assert found[-1] == pytest.approx(evaluate(first, digits).loss.item(), rel=1e-5)


def test_the_mixed_first_layer_gives_the_losses_of_whole_networks_between(digits):
    first, second, alpha = initialize(64, 2), initialize(64, 3), np.linspace(0, 1, 13)
    whole = evaluate(
        interpolate(first, second, torch.tensor(alpha, dtype=torch.float32)), digits
    ).loss.numpy()
    ready = [solutions.Prepared.of(network, digits) for network in (first, second)]
    np.testing.assert_allclose(
        solutions.prepared_path_losses(*ready, fractions=alpha), whole, rtol=1e-5
    )
    # preparing spoils nothing
    np.testing.assert_allclose(
        solutions.prepared_path_losses(*ready[::-1], fractions=alpha), whole[::-1], rtol=1e-5
    )


def test_a_first_layer_that_receives_something_besides_is_mixed_as_well(digits):
    shifted = dataclasses.replace(
        digits, offset=torch.randn(50, len(digits), generator=torch.Generator().manual_seed(4))
    )
    first, second, alpha = initialize(64, 2), initialize(64, 3), np.linspace(0, 1, 5)
    whole = evaluate(
        interpolate(first, second, torch.tensor(alpha, dtype=torch.float32)), shifted
    ).loss.numpy()
    np.testing.assert_allclose(path_losses(first, second, shifted, alpha), whole, rtol=1e-5)


def test_a_ramp_has_a_barrier_but_no_rise():
    alpha = np.linspace(0, 1, 101)
    assert solutions.rise(1 + 3 * alpha) == 0
    assert solutions.rise(4 * alpha * (1 - alpha)) == pytest.approx(1)
    losses = np.random.default_rng(5).random((4, 3, 9))
    np.testing.assert_allclose(
        solutions.rise(losses),
        solutions.barrier(losses) - np.abs(losses[..., 0] - losses[..., -1]) / 2,
        atol=1e-12,
    )


def test_a_wall_has_emerged_when_it_never_falls_below_half_its_end_again():
    times = np.array([0.0, 10, 20, 30, 40])
    rises = np.array([[0, 3, 0, 1, 2], [2, 2, 2, 2, 2], [0, 0, 0, 0, 5], [9, 0.9, 1.1, 1, 2]])
    assert solutions.emergence(rises, times).tolist() == [30, 0, 40, 20]
    assert solutions.emergence(rises, times, share=0.45).tolist() == [30, 0, 40, 0]


def test_projection_finds_the_plane_of_points_that_lie_in_one():
    rng = np.random.default_rng(1)
    axes = np.linalg.qr(rng.standard_normal((30, 2)))[0].T
    flat = rng.standard_normal((40, 2)) * [3, 1]
    runs = [part @ axes + 5 for part in np.split(flat, 2)]
    found = solutions.project(runs)
    assert found.explained.sum() == pytest.approx(1)
    between = np.linalg.norm(np.diff(np.concatenate(found.scores), axis=0), axis=1)
    np.testing.assert_allclose(between, np.linalg.norm(np.diff(flat, axis=0), axis=1), rtol=1e-8)


def test_projection_is_fitted_on_what_it_is_told():
    rng = np.random.default_rng(2)
    along_first = np.eye(10)[0] * rng.standard_normal((20, 1)) + 1e-3 * rng.standard_normal(
        (20, 10)
    )
    found = solutions.project([np.eye(10)[:1] * 7, np.zeros((1, 10))], fit_on=[along_first])
    assert abs(found.scores[0][0, 0] - found.scores[1][0, 0]) == pytest.approx(7, rel=1e-3)
