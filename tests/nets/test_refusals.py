"""What the public functions are given wrongly is named, in one line."""

import numpy as np
import pytest
from torch import nn

from valleys import nets
from valleys.nets import Samples, load_problem

PLAIN = load_problem("digits", train_per_class=4)
OWN = load_problem(
    "digits", train_per_class=4, model=nn.Sequential(nn.Flatten(), nn.Linear(64, 10))
)
START, IMAGES = PLAIN.start, PLAIN.train.images
CURVATURE = nets.layer_curvature(START, IMAGES)

REFUSED = {
    "module for networks": (
        lambda: nets.layer_curvature(OWN.start, OWN.train.images),
        "networks must be Networks, got Modules",
    ),
    "module for a whole network": (
        lambda: nets.WholeNetwork.of(OWN.start, OWN.train),
        "networks must be Networks, got Modules",
    ),
    "module on a path": (
        lambda: nets.path_losses(OWN.start, OWN.start, OWN.train),
        "first must be Networks, got Modules",
    ),
    "no such network": (
        lambda: nets.layer_curvature(START, IMAGES, 1),
        "index must lie between 0 and 0, got 1",
    ),
    "no such whole network": (
        lambda: nets.WholeNetwork.of(START, PLAIN.train, 2),
        "index must lie between 0 and 0, got 2",
    ),
    "no such module": (
        lambda: nets.curvature(OWN.start, OWN.train, 3),
        "index must lie between 0 and 0, got 3",
    ),
    "no such layer": (
        lambda: nets.layer_curvature(START, IMAGES, 0, 9),
        "layer must lie between 0 and 2, got 9",
    ),
    "a path of one point": (lambda: nets.barrier([1.0]), "both ends of a path"),
    "a path of words": (lambda: nets.rise(["a", "b"]), "both ends of a path"),
    "two sets of samples": (lambda: nets.jaccard([True], [True, False]), "the same samples"),
    "one solution": (lambda: nets.similarity_matrix([True, False]), r"\(S, n\)"),
    "other samples": (lambda: nets.layer_noise(CURVATURE, np.arange(3)), "those of 40 samples"),
    "no curvature": (lambda: nets.full_spectrum(3), "curvature must be LayerCurvature, got int"),
    "no matrix": (lambda: nets.top_eigenpairs(np.ones((2, 3)), 1), "must be symmetric"),
    "a lopsided matrix": (lambda: nets.top_eigenpairs(np.eye(3, k=1), 1), "must be symmetric"),
    "no pixels": (lambda: nets.initialize(0, 0), "n_features, hidden and n_classes"),
    "no seed": (lambda: nets.initialize(5, -1), "seed must be 0 or more, got -1"),
    "a method by its name": (lambda: nets.Recipe(0.1, 10, "adam"), "method must be one of"),
    "too few labels": (lambda: Samples.of(np.zeros((3, 4)), np.zeros(2)), "3 images and 2 labels"),
    "no problem": (lambda: nets.train_ensemble(3), "problem must be Problem, got int"),
    "no problems": (lambda: nets.ask([PLAIN, 3]), "load_problem or make_problem"),
    "one batch size": (lambda: nets.ask(PLAIN, batch_sizes=10), "batch_sizes must be a list"),
    "half a network": (lambda: load_problem("digits", hidden=[20.5]), "hidden must be a whole"),
}


@pytest.mark.parametrize("what", REFUSED)
def test_what_is_given_wrongly_is_named(what):
    call, word = REFUSED[what]
    with pytest.raises(ValueError, match=word):
        call()


def test_what_can_be_understood_is_taken():
    assert nets.barrier([0.25, 1.0, 0.75]) == nets.rise([0.25, 1.0, 0.75]) + 0.25
    assert nets.jaccard([True, True], [True, False]) == 0.5
    assert nets.top_eigenpairs(np.diag([1.0, 5.0, 3.0]), 2).values == pytest.approx([5, 3])
    assert nets.layer_curvature(START, IMAGES, np.int64(0)).size == 2500
    assert nets.curvature(START, PLAIN.train, -1, ["2.weight"]).size == 2500
