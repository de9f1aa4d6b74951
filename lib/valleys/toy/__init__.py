"""The two-valley model: landscape, simulation, theory; and rows of more valleys."""

from valleys import face

# for readers of types, as of `typing`, whose import would take longer than all of this
TYPE_CHECKING = False
if TYPE_CHECKING:
    from valleys.toy.exact.master_equation import evolve
    from valleys.toy.exact.transition_operator import stationary_density
    from valleys.toy.landscapes.many_valleys import ManyValleys
    from valleys.toy.landscapes.two_valley import TwoValley
    from valleys.toy.simulation.fixed_y import frozen_y
    from valleys.toy.simulation.langevin import flat_probability, phase_diagram, trajectories
    from valleys.toy.simulation.rows import Walk, occupation
    from valleys.toy.theory.at_fixed_y import (
        conditional_density,
        effective_loss,
        effective_temperature,
        escape_times_exact,
        p_flat_equilibrium,
        p_flat_exact,
        rates_kramers,
    )
    from valleys.toy.theory.chain import hop_rates, shares
    from valleys.toy.theory.diagnosis import diagnose, side_by_side
    from valleys.toy.theory.freezing import (
        drift_speed,
        freezing_y,
        freezing_y_numeric,
        p_flat_balance,
        p_flat_transient,
        relaxation_times,
    )
    from valleys.toy.theory.schedules import Rates, Way, follow, greedy

__all__ = [
    "ManyValleys",
    "Rates",
    "TwoValley",
    "Walk",
    "Way",
    "conditional_density",
    "diagnose",
    "drift_speed",
    "effective_loss",
    "effective_temperature",
    "escape_times_exact",
    "evolve",
    "flat_probability",
    "follow",
    "freezing_y",
    "freezing_y_numeric",
    "frozen_y",
    "greedy",
    "hop_rates",
    "occupation",
    "p_flat_balance",
    "p_flat_equilibrium",
    "p_flat_exact",
    "p_flat_transient",
    "phase_diagram",
    "rates_kramers",
    "relaxation_times",
    "shares",
    "side_by_side",
    "stationary_density",
    "trajectories",
]
HOMES = {  # where each name is defined
    "ManyValleys": "valleys.toy.landscapes.many_valleys",
    "Rates": "valleys.toy.theory.schedules",
    "TwoValley": "valleys.toy.landscapes.two_valley",
    "Walk": "valleys.toy.simulation.rows",
    "Way": "valleys.toy.theory.schedules",
    "conditional_density": "valleys.toy.theory.at_fixed_y",
    "diagnose": "valleys.toy.theory.diagnosis",
    "drift_speed": "valleys.toy.theory.freezing",
    "effective_loss": "valleys.toy.theory.at_fixed_y",
    "effective_temperature": "valleys.toy.theory.at_fixed_y",
    "escape_times_exact": "valleys.toy.theory.at_fixed_y",
    "evolve": "valleys.toy.exact.master_equation",
    "flat_probability": "valleys.toy.simulation.langevin",
    "follow": "valleys.toy.theory.schedules",
    "freezing_y": "valleys.toy.theory.freezing",
    "freezing_y_numeric": "valleys.toy.theory.freezing",
    "frozen_y": "valleys.toy.simulation.fixed_y",
    "greedy": "valleys.toy.theory.schedules",
    "hop_rates": "valleys.toy.theory.chain",
    "occupation": "valleys.toy.simulation.rows",
    "p_flat_balance": "valleys.toy.theory.freezing",
    "p_flat_equilibrium": "valleys.toy.theory.at_fixed_y",
    "p_flat_exact": "valleys.toy.theory.at_fixed_y",
    "p_flat_transient": "valleys.toy.theory.freezing",
    "phase_diagram": "valleys.toy.simulation.langevin",
    "rates_kramers": "valleys.toy.theory.at_fixed_y",
    "relaxation_times": "valleys.toy.theory.freezing",
    "shares": "valleys.toy.theory.chain",
    "side_by_side": "valleys.toy.theory.diagnosis",
    "stationary_density": "valleys.toy.exact.transition_operator",
    "trajectories": "valleys.toy.simulation.langevin",
}

__getattr__, __dir__ = face.offering("valleys.toy", HOMES)
