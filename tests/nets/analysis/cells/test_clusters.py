"""Clusters and single clouds, on points whose arrangement is known."""

import numpy as np
import pytest
import xarray as xr
from scipy.spatial.distance import pdist, squareform
from sklearn.metrics import silhouette_score

from tests.nets.expected import estimate
from valleys.nets.analysis.cells import clusters
from valleys.nets.analysis.cells.clusters import Cloud
from valleys.nets.analysis.sweep_findings import Swept


def distances(points: np.ndarray) -> np.ndarray:
    return squareform(pdist(points))


def test_points_come_out_of_their_distances():
    points = np.random.default_rng(0).normal(size=(8, 40))
    found = clusters.coordinates(distances(points))
    np.testing.assert_allclose(distances(found), distances(points), atol=1e-6)
    np.testing.assert_allclose(found.mean(axis=0), 0, atol=1e-9)


def test_the_dimension_of_a_cloud_is_that_of_its_variances():
    rng, spreads = np.random.default_rng(1), np.array([3.0, 2, 1])
    cloud = Cloud.of(distances(rng.normal(size=(3000, 3)) * spreads)[:400, :400])
    expected = (spreads**2).sum() ** 2 / (spreads**4).sum()
    assert cloud.dimension == pytest.approx(expected, rel=0.1)
    far = Cloud.of(distances(rng.normal(size=(20, 200_000))))
    assert far.dimension == pytest.approx(19, rel=1e-3)
    assert far.variation == pytest.approx(0, abs=0.01)


def test_the_mean_silhouette_is_that_of_scikit_learn():
    rng = np.random.default_rng(6)
    for n_clusters in (2, 3, 4):
        apart = distances(rng.normal(size=(15, 4)))
        labels = np.arange(15) % n_clusters
        found = clusters.mean_silhouette(apart, labels[:, None] == np.arange(n_clusters))
        assert found == pytest.approx(silhouette_score(apart, labels, metric="precomputed"))


def test_a_point_that_lies_far_out_is_no_cluster():
    rng = np.random.default_rng(7)
    points = rng.normal(size=(20, 50))
    points[0] += 10
    assert clusters.against_one_cloud(distances(points), rng)["rank"] > 0.05


def test_two_far_heaps_are_clusters():
    rng = np.random.default_rng(2)
    heaps = rng.normal(size=(20, 50)) + 10 * (np.arange(20) % 2)[:, None]
    found = clusters.against_one_cloud(distances(heaps), rng)
    assert found["silhouette"] > 0.7
    assert found["rank"] == pytest.approx(0.01)
    assert found["silhouette_one"] < 0.6


def test_a_turned_cloud_keeps_its_spreads_and_its_middle():
    rng = np.random.default_rng(3)
    points = clusters.coordinates(distances(rng.normal(size=(10, 30)) * np.arange(1, 31)))
    found = clusters.turned(points, rng)
    np.testing.assert_allclose(found.mean(axis=0), 0, atol=1e-9)
    spreads = [np.linalg.svd(each, compute_uv=False) for each in (points, found)]
    np.testing.assert_allclose(*spreads)


def test_of_long_gaussian_clouds_as_many_are_called_clustered_as_the_level_says(monkeypatch):
    monkeypatch.setattr(clusters, "N_CLOUDS", 19)
    rng, spreads, n = np.random.default_rng(4), 0.8 ** np.arange(30), 60
    ranks = [
        clusters.against_one_cloud(distances(rng.normal(size=(12, 30)) * spreads), rng)["rank"]
        for _ in range(n)
    ]
    assert np.mean(ranks) == pytest.approx(0.525, abs=4 * 0.29 / n**0.5)
    assert np.mean(np.array(ranks) <= 0.25) == pytest.approx(0.25, abs=4 * (0.19 / n) ** 0.5)


def test_the_solutions_of_settled_cells_are_looked_at():
    rng, sizes, n = np.random.default_rng(5), [10, 100, 1000], 12
    heaps = rng.normal(size=(n, 30)) + 20 * (np.arange(n) % 2)[:, None]
    one = rng.normal(size=(n, 30))
    converged = np.ones((3, 1, n), bool)
    apart = np.stack([distances(heaps), distances(one), np.zeros((n, n))])[:, None]
    cell = ("batch_size", "learning_rate")
    coords = {"batch_size": sizes, "learning_rate": [0.1], "threshold": [0.1]}
    parts = {
        "converged": ((*cell, "realization"), converged),
        "weight_distance": ((*cell, "realization", "other"), apart),
    }
    summary = xr.Dataset({"converged": (cell, np.ones((3, 1)))}, coords)
    found = clusters.clouds(Swept(xr.Dataset(parts, coords), summary, 1000))
    assert found.sizes == {"cell": 2}
    told = clusters.cluster_findings(found)
    assert (told["clouds"], told["clustered_n"]) == (2, 1)
    assert estimate(told["clustered"]).value == 0.5
    assert estimate(told["silhouette"]).value > estimate(told["silhouette_one"]).value
    expected = [one[np.triu_indices(n, 1)].mean() for one in (distances(heaps), distances(one))]
    means = told["distance_clustered"].value, told["distance_rest"].value
    assert means == pytest.approx(expected)
    none = clusters.cluster_findings(found.isel(cell=[]))
    assert none["clouds"] == 0
    assert np.isnan(estimate(none["clustered"]).value)
