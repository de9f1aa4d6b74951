"""Networks trained by stochastic gradient descent, and what is measured on them."""

from valleys import face

# for readers of types, as of `typing`, whose import would take longer than all of this
TYPE_CHECKING = False
if TYPE_CHECKING:
    from valleys.nets.datasets import load
    from valleys.nets.engine.networks import initialize
    from valleys.nets.engine.problem import load_problem, make_problem
    from valleys.nets.engine.training import Samples, evaluate
    from valleys.nets.experiments.ensemble import Ensemble, train_ensemble
    from valleys.nets.experiments.own_network import ask
    from valleys.nets.experiments.specs import SweepSpec
    from valleys.nets.experiments.sweep import sweep
    from valleys.nets.measures.gradient_noise import batch_factor, layer_noise
    from valleys.nets.measures.lanczos import top_eigenpairs
    from valleys.nets.measures.layer_hessian import flatness, full_spectrum, layer_curvature
    from valleys.nets.measures.noise_alignment import traces
    from valleys.nets.measures.solutions import (
        barrier,
        jaccard,
        path_losses,
        rise,
        similarity_matrix,
    )
    from valleys.nets.measures.whole_hessian import WholeNetwork
    from valleys.nets.statistics import fit_points, mean, pair_mean, ratio, share

__all__ = [
    "Ensemble",
    "Samples",
    "SweepSpec",
    "WholeNetwork",
    "ask",
    "barrier",
    "batch_factor",
    "evaluate",
    "fit_points",
    "flatness",
    "full_spectrum",
    "initialize",
    "jaccard",
    "layer_curvature",
    "layer_noise",
    "load",
    "load_problem",
    "make_problem",
    "mean",
    "pair_mean",
    "path_losses",
    "ratio",
    "rise",
    "share",
    "similarity_matrix",
    "sweep",
    "top_eigenpairs",
    "traces",
    "train_ensemble",
]
HOMES = {  # where each name is defined
    "Ensemble": "valleys.nets.experiments.ensemble",
    "Samples": "valleys.nets.engine.training",
    "SweepSpec": "valleys.nets.experiments.specs",
    "WholeNetwork": "valleys.nets.measures.whole_hessian",
    "ask": "valleys.nets.experiments.own_network",
    "barrier": "valleys.nets.measures.solutions",
    "batch_factor": "valleys.nets.measures.gradient_noise",
    "evaluate": "valleys.nets.engine.training",
    "fit_points": "valleys.nets.statistics",
    "flatness": "valleys.nets.measures.layer_hessian",
    "full_spectrum": "valleys.nets.measures.layer_hessian",
    "initialize": "valleys.nets.engine.networks",
    "jaccard": "valleys.nets.measures.solutions",
    "layer_curvature": "valleys.nets.measures.layer_hessian",
    "layer_noise": "valleys.nets.measures.gradient_noise",
    "load": "valleys.nets.datasets",
    "load_problem": "valleys.nets.engine.problem",
    "make_problem": "valleys.nets.engine.problem",
    "mean": "valleys.nets.statistics",
    "pair_mean": "valleys.nets.statistics",
    "path_losses": "valleys.nets.measures.solutions",
    "ratio": "valleys.nets.statistics",
    "rise": "valleys.nets.measures.solutions",
    "share": "valleys.nets.statistics",
    "similarity_matrix": "valleys.nets.measures.solutions",
    "sweep": "valleys.nets.experiments.sweep",
    "top_eigenpairs": "valleys.nets.measures.lanczos",
    "traces": "valleys.nets.measures.noise_alignment",
    "train_ensemble": "valleys.nets.experiments.ensemble",
}

__getattr__, __dir__ = face.offering("valleys.nets", HOMES)
