from types import SimpleNamespace

import numpy as np
import pytest
import torch

from valleys.nets import datasets
from valleys.nets.engine.training import Samples


@pytest.fixture(autouse=True, scope="session")
def _one_thread():
    torch.set_num_threads(1)


@pytest.fixture(scope="session")
def digits():
    data = datasets.load("digits")
    return Samples.of(data.train_images, data.train_labels)


@pytest.fixture
def blobs():
    """Thirty points of three classes in five dimensions, float64."""
    rng = np.random.default_rng(5)
    labels = np.arange(30) % 3
    images = rng.standard_normal((30, 5)) + 2 * np.eye(5)[labels]
    return Samples.of(images, labels, dtype=torch.float64)


@pytest.fixture
def store():
    """A store that keeps nothing and remembers what it was asked."""
    asked = []

    def load_or_compute_all(study, specs, *, executor=None):
        asked.extend(specs)
        return [study(spec) for spec in specs]

    def load_or_assemble(study, spec, assemble):
        return assemble()

    return SimpleNamespace(load_or_compute_all=load_or_compute_all, load_or_assemble=load_or_assemble, asked=asked)
