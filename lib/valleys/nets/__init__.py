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
    from valleys.nets.folders import load_folder
    from valleys.nets.measures.curvature import curvature
    from valleys.nets.measures.gradient_noise import layer_noise
    from valleys.nets.measures.lanczos import top_eigenpairs
    from valleys.nets.measures.layer_hessian import flatness, full_spectrum, layer_curvature
    from valleys.nets.measures.solutions import (
        barrier,
        jaccard,
        path_losses,
        rise,
        similarity_matrix,
    )
    from valleys.nets.measures.whole_hessian import WholeNetwork
    from valleys.nets.optimizers.freezing import FreezingAwareLR, FreezingMonitor
    from valleys.nets.optimizers.methods import method
    from valleys.nets.optimizers.recipe import Recipe
    from valleys.nets.statistics import mean, pair_mean, ratio

__all__ = [
    "Ensemble",
    "FreezingAwareLR",
    "FreezingMonitor",
    "Recipe",
    "Samples",
    "SweepSpec",
    "WholeNetwork",
    "ask",
    "barrier",
    "curvature",
    "evaluate",
    "flatness",
    "full_spectrum",
    "initialize",
    "jaccard",
    "layer_curvature",
    "layer_noise",
    "load",
    "load_folder",
    "load_problem",
    "make_problem",
    "mean",
    "method",
    "pair_mean",
    "path_losses",
    "ratio",
    "rise",
    "similarity_matrix",
    "sweep",
    "top_eigenpairs",
    "train_ensemble",
]
HOMES = {  # where each name is defined
    "Ensemble": "valleys.nets.experiments.ensemble",
    "FreezingAwareLR": "valleys.nets.optimizers.freezing",
    "FreezingMonitor": "valleys.nets.optimizers.freezing",
    "Recipe": "valleys.nets.optimizers.recipe",
    "Samples": "valleys.nets.engine.training",
    "SweepSpec": "valleys.nets.experiments.specs",
    "WholeNetwork": "valleys.nets.measures.whole_hessian",
    "ask": "valleys.nets.experiments.own_network",
    "barrier": "valleys.nets.measures.solutions",
    "curvature": "valleys.nets.measures.curvature",
    "evaluate": "valleys.nets.engine.training",
    "flatness": "valleys.nets.measures.layer_hessian",
    "full_spectrum": "valleys.nets.measures.layer_hessian",
    "initialize": "valleys.nets.engine.networks",
    "jaccard": "valleys.nets.measures.solutions",
    "layer_curvature": "valleys.nets.measures.layer_hessian",
    "layer_noise": "valleys.nets.measures.gradient_noise",
    "load": "valleys.nets.datasets",
    "load_folder": "valleys.nets.folders",
    "load_problem": "valleys.nets.engine.problem",
    "make_problem": "valleys.nets.engine.problem",
    "mean": "valleys.nets.statistics",
    "method": "valleys.nets.optimizers.methods",
    "pair_mean": "valleys.nets.statistics",
    "path_losses": "valleys.nets.measures.solutions",
    "ratio": "valleys.nets.statistics",
    "rise": "valleys.nets.measures.solutions",
    "similarity_matrix": "valleys.nets.measures.solutions",
    "sweep": "valleys.nets.experiments.sweep",
    "top_eigenpairs": "valleys.nets.measures.lanczos",
    "train_ensemble": "valleys.nets.experiments.ensemble",
}

__getattr__, __dir__ = face.offering("valleys.nets", HOMES)
