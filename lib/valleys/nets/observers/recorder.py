"""What is written down about networks while they train."""

from collections.abc import Collection, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

import numpy as np
import torch
from threadpoolctl import threadpool_limits
from torch import Tensor

from valleys.nets.engine.networks import SECOND_LAYER, Networks
from valleys.nets.engine.training import Samples, evaluate
from valleys.nets.measures.lanczos import top_eigenpairs
from valleys.nets.measures.layer_hessian import TOP, flatness, layer_curvature

DESCRIPTIONS = {
    "train_loss": "mean cross-entropy on the training set",
    "train_accuracy": "fraction of the training set that is right",
    "test_loss": "mean cross-entropy on the paper's small test set",
    "test_accuracy": "fraction of the small test set that is right",
    "full_accuracy": "fraction of all test images that is right",
    "flatness": "inverse geometric mean of the ten largest eigenvalues of the second layer's "
    "Hessian (Eq. 6)",
    "weight_norm": "Euclidean norm of the second layer's matrix",
}
EIGENVALUES = {"long_name": "ten largest eigenvalues of the second layer's Hessian"}


def flatness_records(n_records: int, every: int) -> set[int]:
    """Records at which the flatness is measured: every so many, and the last; 0 for the last
    only.
    """
    return {*(range(0, n_records, every) if every else ()), n_records - 1}


def second_layer_eigenvalues(networks: Networks, images: Tensor, index: int) -> np.ndarray:
    """The ten largest eigenvalues of one network's second-layer Hessian, (10,); NaN where the
    network is not finite.
    """
    if not bool(networks.alive[index]):
        return np.full(TOP, np.nan)
    return top_eigenpairs(layer_curvature(networks, images, index), TOP).values


@dataclass
class Recorder:
    """A visit that keeps loss, accuracy, curvature and, if asked, the second-layer weights.

    Attributes:
        n_networks: how many networks there will be; those not there yet keep NaN.
        steps: steps of the records, (n_records,).
        train: training set.
        test: small test set.
        full_test: all test images; None to leave them out.
        flatness_records: records at which the flatness is measured.
        keep_weights: whether to keep the second layer's matrix.
        values: what was found, by name, (n_networks, n_records).
        eigenvalues: the ten largest of the second layer's Hessian, (n_networks, n_records, 10).
        weights: second-layer matrices, float32, (n_networks, n_records, n_in, n_out), or empty.
        wrong: which images of the small test set are misclassified, bool, (n_networks, n_records,
            N).
        wrong_full: the same of all test images, eight to a byte (`numpy.packbits`), (n_networks,
            n_records, ⌈N/8⌉).
    """

    n_networks: int
    steps: Iterable[int]
    train: Samples
    test: Samples
    full_test: Samples | None = None
    flatness_records: Collection[int] = ()
    keep_weights: bool = False
    values: dict[str, np.ndarray] = field(init=False)
    eigenvalues: np.ndarray = field(init=False)
    weights: np.ndarray = field(init=False)
    wrong: np.ndarray = field(init=False)
    wrong_full: np.ndarray = field(init=False)

    def __post_init__(self) -> None:
        """Nothing is known yet."""
        self._steps = [int(step) for step in self.steps]
        names = [
            name for name in DESCRIPTIONS if name != "full_accuracy" or self.full_test is not None
        ]
        self.values = {name: np.full((self.n_networks, len(self._steps)), np.nan) for name in names}
        self.eigenvalues = np.full((self.n_networks, len(self._steps), TOP), np.nan)
        self.weights = np.empty(0)
        shape, n_full = (self.n_networks, len(self._steps)), len(self.full_test or ())
        self.wrong = np.ones((*shape, len(self.test)), dtype=bool)
        self.wrong_full = np.full((*shape, -(-n_full // 8)), 255, dtype=np.uint8)
        # once, because the curvature wants float64 at each record
        self._images = self.train.images.double()

    def __call__(self, step: int, networks: Networks) -> None:
        """Write down the record of this step."""
        record = self._steps.index(step)
        for name, value in self._measure(record, networks).items():
            self.values[name][: len(networks), record] = value
        if record in self.flatness_records:
            self._measure_curvature(record, networks)
        if self.keep_weights:
            self._keep_weights(record, networks)

    def _measure(self, record: int, networks: Networks) -> dict[str, np.ndarray]:
        train, test = evaluate(networks, self.train), evaluate(networks, self.test)
        self.wrong[: len(networks), record] = test.misclassified.cpu().numpy()
        norm = torch.linalg.matrix_norm(networks.weights[SECOND_LAYER])
        found = {
            "train_loss": train.loss,
            "train_accuracy": train.accuracy,
            "test_loss": test.loss,
            "test_accuracy": test.accuracy,
            "weight_norm": norm,
        }
        if self.full_test is not None:
            full = evaluate(networks, self.full_test)
            self.wrong_full[: len(networks), record] = np.packbits(
                full.misclassified.cpu().numpy(), axis=1
            )
            found["full_accuracy"] = full.accuracy
        return {
            name: torch.where(networks.alive, value, torch.nan).cpu().numpy()
            for name, value in found.items()
        }

    def _measure_curvature(self, record: int, networks: Networks) -> None:
        """Curvature of each network, side by side in as many threads as this process may use,
        one for the linear algebra of each.
        """
        n_threads = torch.get_num_threads()  # before the limit, which torch obeys too
        with threadpool_limits(1), ThreadPoolExecutor(n_threads) as pool:
            every = list(
                pool.map(
                    lambda index: second_layer_eigenvalues(networks, self._images, index),
                    range(len(networks)),
                )
            )
        for index, found in enumerate(every):
            self.eigenvalues[index, record] = found
            self.values["flatness"][index, record] = (
                np.nan if np.isnan(found).any() else flatness(found)
            )

    def _keep_weights(self, record: int, networks: Networks) -> None:
        matrices = networks.weights[SECOND_LAYER].mT.float().cpu().numpy()
        if not self.weights.size:
            self.weights = np.full(
                (self.n_networks, len(self._steps), *matrices.shape[1:]), np.nan, dtype=np.float32
            )
        self.weights[: len(networks), record] = matrices
