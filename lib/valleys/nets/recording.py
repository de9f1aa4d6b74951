"""What is written down about networks while they train."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import torch
from torch import Tensor

from valleys.nets.curvature import TOP, flatness, layer_curvature, top_eigenvalues
from valleys.nets.ensemble import Samples, evaluate
from valleys.nets.networks import SECOND_LAYER, Networks

DESCRIPTIONS = {
    "train_loss": "mean cross-entropy on the training set",
    "train_accuracy": "fraction of the training set that is right",
    "test_loss": "mean cross-entropy on the paper's small test set",
    "test_accuracy": "fraction of the small test set that is right",
    "flatness": "inverse geometric mean of the ten largest eigenvalues of the second layer's Hessian (Eq. 6)",
    "weight_norm": "Euclidean norm of the second layer's matrix",
}
EIGENVALUES = {"long_name": "ten largest eigenvalues of the second layer's Hessian"}


def second_layer_eigenvalues(networks: Networks, images: Tensor, index: int) -> np.ndarray:
    """The ten largest eigenvalues of one network's second-layer Hessian, (10,); NaN where the network is not finite."""
    if not bool(networks.alive[index]):
        return np.full(TOP, np.nan)
    return top_eigenvalues(layer_curvature(networks, images, index)).eigenvalues


@dataclass
class Recorder:
    """A visit that keeps loss, accuracy, curvature and, if asked, the second-layer weights.

    Attributes:
        n_networks: how many networks there will be; those not there yet keep NaN.
        steps: steps of the records, (n_records,).
        train: training set.
        test: small test set.
        flatness_records: records at which the flatness is measured.
        keep_weights: whether to keep the second layer's matrix.
        values: what was found, by name, (n_networks, n_records).
        eigenvalues: the ten largest of the second layer's Hessian, (n_networks, n_records, 10).
        weights: second-layer matrices, float32, (n_networks, n_records, n_in, n_out), or empty.
    """

    n_networks: int
    steps: Sequence[int]
    train: Samples
    test: Samples
    flatness_records: Sequence[int] = ()
    keep_weights: bool = False
    values: dict[str, np.ndarray] = field(init=False)
    eigenvalues: np.ndarray = field(init=False)
    weights: np.ndarray = field(init=False)

    def __post_init__(self) -> None:
        """Nothing is known yet."""
        self.steps = [int(step) for step in self.steps]
        self.values = {name: np.full((self.n_networks, len(self.steps)), np.nan) for name in DESCRIPTIONS}
        self.eigenvalues = np.full((self.n_networks, len(self.steps), TOP), np.nan)
        self.weights = np.empty(0)
        self._images = self.train.images.double()  # once, because the curvature wants float64 at each record

    def __call__(self, step: int, networks: Networks) -> None:
        """Write down the record of this step."""
        record = self.steps.index(step)
        for name, value in self._measure(networks).items():
            self.values[name][: len(networks), record] = value
        if record in self.flatness_records:
            self._bend(record, networks)
        if self.keep_weights:
            self._keep(record, networks)

    def _measure(self, networks: Networks) -> dict[str, np.ndarray]:
        train, test = evaluate(networks, self.train), evaluate(networks, self.test)
        norm = torch.linalg.matrix_norm(networks.weights[SECOND_LAYER])
        found = {"train_loss": train.loss, "train_accuracy": train.accuracy, "test_loss": test.loss, "test_accuracy": test.accuracy, "weight_norm": norm}
        return {name: torch.where(networks.alive, value, torch.nan).cpu().numpy() for name, value in found.items()}

    def _bend(self, record: int, networks: Networks) -> None:
        for index in range(len(networks)):
            found = second_layer_eigenvalues(networks, self._images, index)
            self.eigenvalues[index, record] = found
            self.values["flatness"][index, record] = np.nan if np.isnan(found).any() else flatness(found)

    def _keep(self, record: int, networks: Networks) -> None:
        matrices = networks.weights[SECOND_LAYER].mT.float().cpu().numpy()
        if not self.weights.size:
            self.weights = np.full((self.n_networks, len(self.steps), *matrices.shape[1:]), np.nan, dtype=np.float32)
        self.weights[: len(networks), record] = matrices
