"""Spectra of one network in all its weights and biases: of the covariance of its gradients, of
its Hessian as a whole, and the dimension that the latter gives an attractor.
"""

import numpy as np
import torch
from scipy.sparse.linalg import aslinearoperator

from valleys.nets.engine.networks import Networks
from valleys.nets.engine.training import Samples
from valleys.nets.measures.lanczos import top_eigenpairs
from valleys.nets.measures.sample_slopes import TOLERANCE, SampleSlopes


def noise_spectrum(slopes: SampleSlopes, count: int) -> np.ndarray:
    """The largest eigenvalues of the covariance Σ of the samples' gradients, (count,).

    They are those of the gradients' inner products, centred and over N: each is a sum over layers
    of (x·x' + 1)(δ·δ'), with what the layer receives and the slope in what it gives.
    """
    pairs = zip(slopes.inputs, slopes.slopes, strict=True)
    parts = [((x @ x.T + 1) * (slope @ slope.T)).double() for x, slope in pairs]
    products = torch.stack(parts).sum(dim=0)
    centred = products - products.mean(dim=0) - products.mean(dim=1, keepdim=True)
    matrix = (centred + products.mean()).cpu().numpy() / slopes.n_samples
    return top_eigenpairs(aslinearoperator(matrix), count, tolerance=TOLERANCE).values


def whole_spectrum(networks: Networks, samples: Samples, index: int = 0) -> np.ndarray:
    """Every eigenvalue of the Hessian of the mean cross-entropy of one of R networks, in falling
    order, (n,): for small networks, as it takes n products and a dense matrix.
    """
    double = Samples(samples.images.double(), samples.labels)
    slopes = SampleSlopes.of(networks.to(torch.float64), double, index)
    rows = [slopes.along(one) for one in torch.eye(slopes.size, dtype=torch.float64)]
    return np.linalg.eigvalsh(torch.stack(rows).cpu().numpy())[::-1]


def stretches(eigenvalues: np.ndarray, learning_rate: float) -> np.ndarray:
    """Logarithms of the factors by which a step θ − η∇L stretches directions, ln|1 − ηλ|, in
    falling order, (…, n), from eigenvalues of the Hessian, (…, n).
    """
    factors = np.abs(1 - learning_rate * np.asarray(eigenvalues, dtype=float))
    with np.errstate(divide="ignore"):  # a step to the bottom forgets its direction
        return np.sort(np.log(factors), axis=-1)[..., ::-1]


def sharpness_dimension(exponents: np.ndarray) -> float:
    """Dimension of an attractor by its mean stretches s in falling order, (n,): the most
    directions j of which the sum is not negative, and Σ_{i≤j} s_i / |s_{j+1}| (Tuci et al. 2026,
    after Kaplan and Yorke); n where no sum is negative.
    """
    sums = np.cumsum(exponents)
    below = np.flatnonzero(sums < 0)
    if not below.size:
        return float(len(exponents))
    whole = int(below[0])
    kept = sums[whole - 1] if whole else 0.0
    return whole + float(kept / -exponents[whole])
