"""The executable edition of a physics paper on deep learning: two-valley physics, network
experiments, the book around them.

What follows is for a program of one's own; more stands in `valleys.toy`, `valleys.nets` and
`valleys.results`.
"""

from valleys import face

# for readers of types, as of `typing`, whose import would take longer than all of this
TYPE_CHECKING = False
if TYPE_CHECKING:
    from valleys import nets, results, toy
    from valleys.nets.engine.problem import load_problem, make_problem
    from valleys.nets.experiments.ensemble import train_ensemble
    from valleys.results.computing import compute
    from valleys.results.estimates import Estimate
    from valleys.results.executors import workers
    from valleys.results.grid import Grid
    from valleys.toy.landscapes.many_valleys import ManyValleys
    from valleys.toy.landscapes.two_valley import TwoValley
    from valleys.toy.simulation.langevin import phase_diagram
    from valleys.toy.theory.diagnosis import diagnose

__all__ = [
    "Estimate",
    "Grid",
    "ManyValleys",
    "TwoValley",
    "compute",
    "diagnose",
    "load_problem",
    "make_problem",
    "nets",
    "phase_diagram",
    "results",
    "toy",
    "train_ensemble",
    "workers",
]
HOMES = {  # where each name is defined
    "Estimate": "valleys.results.estimates",
    "Grid": "valleys.results.grid",
    "ManyValleys": "valleys.toy.landscapes.many_valleys",
    "TwoValley": "valleys.toy.landscapes.two_valley",
    "compute": "valleys.results.computing",
    "diagnose": "valleys.toy.theory.diagnosis",
    "load_problem": "valleys.nets.engine.problem",
    "make_problem": "valleys.nets.engine.problem",
    "nets": "valleys.nets",
    "phase_diagram": "valleys.toy.simulation.langevin",
    "results": "valleys.results",
    "toy": "valleys.toy",
    "train_ensemble": "valleys.nets.experiments.ensemble",
    "workers": "valleys.results.executors",
}

__getattr__, __dir__ = face.offering("valleys", HOMES)
