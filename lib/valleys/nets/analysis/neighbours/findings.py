"""Everything that is told of the claims of neighbouring work."""

from collections.abc import Mapping

import xarray as xr

from valleys.nets.analysis.neighbours import attractors, bounces, clouds, courses, floors
from valleys.results.estimates import Findings

OF = {  # by the study that they are of
    "courses": courses.course_findings,
    "floors": floors.floor_findings,
    "clouds": clouds.cloud_findings,
    "bounces": bounces.bounce_findings,
    "attractors": attractors.attractor_findings,
}


def neighbour_findings(found: Mapping[str, xr.Dataset], *, seed: int = 0) -> Findings:
    """The numbers of all studies.

    Args:
        found: a grid of each study of `valleys.nets.experiments.neighbours`, by its name.
        seed: of the resamples.
    """
    told: Findings = {}
    for name, findings in OF.items():
        told |= findings(found[name], seed=seed)
    return told


def shown(found: Mapping[str, xr.Dataset], *, seed: int = 0) -> tuple[xr.Dataset, ...]:
    """What the figure draws: courses of sharpness, gains by noise, mean squares, flatness of
    walkers.
    """
    return (
        courses.sharpness_courses(found["courses"]),
        floors.drift(found["floors"], seed=seed),
        clouds.spreading(found["clouds"]),
        bounces.against_calm(found["bounces"], seed=seed),
    )
