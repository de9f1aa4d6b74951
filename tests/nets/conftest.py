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
