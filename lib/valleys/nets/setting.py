"""What every network study starts from: samples on a device, one initialization, one stream of random numbers per run."""

import struct
from dataclasses import dataclass

import numpy as np

from valleys.nets import datasets
from valleys.nets.ensemble import Samples
from valleys.nets.networks import Networks, initialize
from valleys.nets.specs import Spec


@dataclass(frozen=True)
class Setting:
    """The three sample sets of a study on its device, and its one initialization."""

    train: Samples
    test: Samples
    full_test: Samples
    start: Networks

    @classmethod
    def of(cls, spec: Spec) -> "Setting":
        """Load the data and draw the initialization."""
        data = datasets.load(spec.dataset, spec.train_per_class, spec.test_per_class)
        pairs = ((data.train_images, data.train_labels), (data.test_images, data.test_labels), (data.full_test_images, data.full_test_labels))
        samples = (Samples.of(images, labels, device=spec.device) for images, labels in pairs)
        return cls(*samples, initialize(data.train_images.shape[1], spec.seed).to(spec.device))


def streams(seed: int, batch_size: int, learning_rate: float, count: int) -> list[np.random.Generator]:
    """One generator of batch order per run, named by what the run is, so that it does not depend on the order of work."""
    cell = (batch_size, int.from_bytes(struct.pack(">d", learning_rate)))
    return [np.random.default_rng(np.random.SeedSequence(seed, spawn_key=(*cell, run))) for run in range(count)]
