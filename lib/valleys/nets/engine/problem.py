"""What every network study starts from: samples on a device, one initialization, one stream of random numbers per run."""

import struct
from dataclasses import dataclass, replace

import numpy as np
import torch

from valleys.nets import datasets
from valleys.nets.engine.networks import Networks, initialize
from valleys.nets.engine.training import Samples
from valleys.nets.experiments.specs import Spec

RANK_TOLERANCE = 1e-10  # of the largest singular value; smaller ones are rounding


@dataclass(frozen=True)
class Setting:
    """The three sample sets of a study on its device, and its one initialization, in coordinates of the training images' span.

    The first layer's gradient is a sum over training images, so what its matrix does outside their span never changes. In an orthogonal basis of
    the span every run is the same as in pixels, with fewer numbers; the rest of a test image gives a constant, its `offset`.
    """

    train: Samples
    test: Samples
    full_test: Samples
    start: Networks

    @classmethod
    def of(cls, spec: Spec) -> "Setting":
        """Load the data and draw the initialization."""
        data = datasets.load(spec.dataset, spec.train_per_class, spec.test_per_class)
        start, basis = initialize(data.train_images.shape[1], spec.seed), span(data.train_images)
        train = Samples.of(data.train_images @ basis, data.train_labels, device=spec.device)
        pairs = ((data.test_images, data.test_labels), (data.full_test_images, data.full_test_labels))
        return cls(train, *(samples_within(basis, *pair, start, device=spec.device) for pair in pairs), within(basis, start).to(spec.device))


def span(images: np.ndarray) -> np.ndarray:
    """Orthonormal basis of what images span, float64, (n_features, rank), from (N, n_features)."""
    _, sizes, rows = np.linalg.svd(images.astype(np.float64), full_matrices=False)
    return rows[sizes > RANK_TOLERANCE * sizes[0]].T


def within(basis: np.ndarray, networks: Networks) -> Networks:
    """The same networks on images given in a basis, (n_features, rank)."""
    first = networks.weights[0]
    return Networks(((first.double() @ torch.from_numpy(basis)).to(first.dtype), *networks.weights[1:]), networks.biases)


def samples_within(basis: np.ndarray, images: np.ndarray, labels: np.ndarray, start: Networks, *, device: str = "cpu") -> Samples:
    """Images in a basis, with what the first layer of the one network `start` makes of the part outside it, in the precision of its weights."""
    dtype, inside, first = start.weights[0].dtype, images @ basis, start.weights[0][0].double().numpy()
    offset = first @ images.T - (first @ basis) @ inside.T
    return replace(Samples.of(inside, labels, device=device, dtype=dtype), offset=torch.tensor(offset, dtype=dtype, device=device))


def streams(seed: int, batch_size: int, learning_rate: float, count: int) -> list[np.random.Generator]:
    """One generator of batch order per run, named by what the run is, so that it does not depend on the order of work."""
    cell = (batch_size, int.from_bytes(struct.pack(">d", learning_rate)))
    return [np.random.default_rng(np.random.SeedSequence(seed, spawn_key=(*cell, run))) for run in range(count)]
