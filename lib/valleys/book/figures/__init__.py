"""Figure functions: each takes a dataset, draws it, returns the figure, and computes nothing."""

from valleys.book.figures.style import use_style
from valleys.book.figures.toy import (
    control,
    density_at_fixed_y,
    effective_potential,
    escape_rates,
    evolution,
    freezing_point,
    hopping,
    landscape,
    noise_response,
    paradox,
    phase_maps,
    transient_map,
    weight_against_step,
    weight_along_y,
)

__all__ = [
    "control",
    "density_at_fixed_y",
    "effective_potential",
    "escape_rates",
    "evolution",
    "freezing_point",
    "hopping",
    "landscape",
    "noise_response",
    "paradox",
    "phase_maps",
    "transient_map",
    "use_style",
    "weight_against_step",
    "weight_along_y",
]
