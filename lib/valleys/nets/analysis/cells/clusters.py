"""Do the runs of one setting end in clusters, or in one cloud?

Stated on 2026-11-29, before a number was seen. Of clouds without clusters one in twenty is more
clustered than nineteen in twenty such clouds: clusters are found where the share of settled cells
beyond that level lies above 0.05.

Changed on the same day, after 23 of 38 cells of the published size had been found beyond it: groups
of one or two runs, which lie far out of a cloud, count as clusters no more.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product

import numpy as np
import xarray as xr
from scipy.cluster.hierarchy import fcluster, linkage
from scipy.spatial.distance import pdist, squareform

from valleys.nets import statistics
from valleys.nets.analysis import sweep
from valleys.nets.analysis.sweep_findings import Swept
from valleys.results.estimates import Estimate, Findings

MOST_CLUSTERS = 4
SMALLEST_CLUSTER = 3  # points: one or two that lie far out are no cluster
FEWEST_MEMBERS = 6  # of a cloud in which clusters are looked for
N_CLOUDS = 99  # drawn to compare with: with the cell itself a hundred
LEVEL = 0.05
NAMES = (
    "silhouette",
    "distance",
    "variation",
    "dimension",
    "silhouette_one",
    "variation_one",
    "rank",
)


@dataclass(frozen=True)
class Cloud:
    """How the points of a cloud lie.

    Attributes:
        silhouette: the largest mean silhouette of two to four clusters of three points or more by
            average linkage (Rousseeuw 1987): 1 for points far from all but their own, about 0 where
            no point is nearer to its own than to others, or there are no such clusters.
        distance: mean distance of two points.
        variation: standard deviation of the distances over their mean.
        dimension: participation dimension, (Σ λ)²/Σ λ², of the variances λ along the principal
            axes; of n points in very many directions n − 1.
    """

    silhouette: float
    distance: float
    variation: float
    dimension: float

    @classmethod
    def of(cls, distances: np.ndarray) -> "Cloud":
        """From the distances between all points, (n, n)."""
        pairs = squareform(distances, checks=False)
        spreads = np.linalg.svd(coordinates(distances), compute_uv=False) ** 2
        dimension = spreads.sum() ** 2 / (spreads**2).sum()
        mean = float(pairs.mean())
        return cls(silhouette(distances), mean, float(pairs.std()) / mean, float(dimension))


def silhouette(distances: np.ndarray) -> float:
    """The silhouette of `Cloud`, from the distances between all points, (n, n); 0 where no cut
    leaves clusters that are large enough.
    """
    tree = linkage(squareform(distances, checks=False), "average")
    cuts = [fcluster(tree, n, "maxclust") for n in range(2, MOST_CLUSTERS + 1)]
    members = [labels[:, None] == np.unique(labels) for labels in cuts]
    scores = [
        mean_silhouette(distances, each)
        for each in members
        if each.shape[1] > 1 and each.sum(axis=0).min() >= SMALLEST_CLUSTER
    ]
    return max(scores, default=0.0)


def mean_silhouette(distances: np.ndarray, member: np.ndarray) -> float:
    """Mean of (b − a)/max(a, b), with a the mean distance of a point from the others of its
    cluster, b that from the points of the nearest other one.

    What scikit-learn gives, which tests it, in a fiftieth of the time.

    Args:
        distances: between all points, (n, n).
        member: whether a point is in a cluster, (n, n_clusters), each of two points or more.
    """
    sums, sizes = distances @ member, member.sum(axis=0)
    own = (sums / (sizes - 1))[member]
    other = np.where(member, np.inf, sums / sizes).min(axis=1)
    return float(((other - own) / np.maximum(own, other)).mean())


def coordinates(distances: np.ndarray) -> np.ndarray:
    """Points with these distances, around their middle, (n, n − 1), by classical scaling."""
    squares = -(np.asarray(distances, dtype=float) ** 2) / 2
    products = squares - squares.mean(axis=0) - squares.mean(axis=1)[:, None] + squares.mean()
    values, vectors = np.linalg.eigh(products)
    return vectors[:, 1:] * np.sqrt(np.maximum(values[1:], 0))


def turned(points: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Points of one Gaussian cloud with the spread of these along each principal axis, (n, n − 1).

    Whatever the covariance, the points of a Gaussian, given their principal spreads, are equally
    likely to be any rotation of each other: the left singular vectors are uniform.
    """
    spreads = np.linalg.svd(points, compute_uv=False)
    drawn = rng.standard_normal(points.shape)
    axes, corner = np.linalg.qr(drawn - drawn.mean(axis=0))
    return axes * np.sign(np.diag(corner)) * spreads


def against_one_cloud(distances: np.ndarray, rng: np.random.Generator) -> dict[str, float]:
    """A cloud compared with Gaussian ones of the same spread along each axis.

    Returns:
        The numbers of `Cloud`; `silhouette_one` and `variation_one`, their means over `N_CLOUDS`
        such clouds; `rank`, the share of clouds, this one included, with a silhouette as large.
    """
    points, here = coordinates(distances), Cloud.of(distances)
    clouds = [squareform(pdist(turned(points, rng))) for _ in range(N_CLOUDS)]
    others = np.array([silhouette(each) for each in clouds])
    variation = [np.std(pairs) / np.mean(pairs) for pairs in map(squareform, clouds)]
    return {
        **vars(here),
        "silhouette_one": float(others.mean()),
        "variation_one": float(np.mean(variation)),
        "rank": float((1 + (others >= here.silhouette).sum()) / (1 + N_CLOUDS)),
    }


def clouds(swept: Swept) -> xr.Dataset:
    """`against_one_cloud` for the solutions of each settled mini-batch cell of six or more, in all
    weights of the second layer, over the dimension cell.
    """
    rows = [
        against_one_cloud(distances, np.random.default_rng([swept.seed, place]))
        for place, distances in enumerate(_distances(swept))
        if len(distances) >= FEWEST_MEMBERS
    ]
    return xr.Dataset({name: ("cell", [row[name] for row in rows]) for name in NAMES})


def _distances(swept: Swept) -> Iterator[np.ndarray]:
    """Between the solutions of each settled mini-batch cell."""
    settled = sweep.converged_cells(swept.summary, swept.n_train).converged.notnull()
    for size, rate in product(settled.batch_size.values, settled.learning_rate.values):
        where = {"batch_size": size, "learning_rate": rate}
        if settled.sel(where):
            cell = swept.found.sel(where)
            chosen = np.flatnonzero(cell.converged.values)
            yield cell.weight_distance.values[np.ix_(chosen, chosen)]


def cluster_findings(found: xr.Dataset, *, seed: int = 0) -> Findings:
    """Whether the runs of a cell form clusters.

    Args:
        found: what `clouds` gives.
        seed: of the bootstrap over cells.

    Returns:
        clouds: how many cells were looked at.
        clustered: share of them that is beyond the level of one cloud, `clustered_n` their number,
            and `clustered_word`, whether that is "more" or "no more" than chance may give.
        silhouette, variation, dimension, silhouette_one, variation_one: means over the cells.
        distance_clustered, distance_rest: mean distances in the cells beyond the level, and in the
            others.
    """
    grouped = found["rank"] <= LEVEL
    beyond = int(grouped.sum())

    def mean(values: xr.DataArray) -> Estimate:
        return statistics.mean(values.values, np.random.default_rng(seed))

    means = {name: mean(found[name]) for name in NAMES if name not in ("rank", "distance")}
    share = statistics.share(beyond, found.sizes["cell"])
    return {
        "clouds": found.sizes["cell"],
        "clustered_n": beyond,
        "clustered": share,
        "clustered_word": "more" if share.low > LEVEL else "no more",
        "distance_clustered": mean(found.distance[grouped]),
        "distance_rest": mean(found.distance[~grouped]),
        **means,
    }
