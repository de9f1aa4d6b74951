"""The training of many networks as others write it: what our engine is timed against."""

import os
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch import nn
from torch.func import functional_call, grad, stack_module_state, vmap

from valleys.errors import BookError

SIZES = (588, 50, 50, 10)  # of the published network, on the span of its training images
N_SAMPLES = 1000
LEARNING_RATE = 0.01
ONE_THREAD = "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1"
INSTALL = "JAX is not installed; `pip install '.[bench]'` brings it, or leave out network_step"


def drawn_samples(shape: tuple[int, ...] = SIZES[:1]) -> tuple[np.ndarray, np.ndarray]:
    """Random images and labels, as many as the published training set."""
    rng = np.random.default_rng(0)
    images = rng.standard_normal((N_SAMPLES, *shape)).astype(np.float32)
    return images, rng.integers(SIZES[-1], size=N_SAMPLES)


def orders(n_networks: int, batch_size: int, n_steps: int) -> np.ndarray:
    """Sample indices of every batch, (n_steps, n_networks, batch_size)."""
    rng, n_epochs = np.random.default_rng(1), -(-n_steps * batch_size // N_SAMPLES)
    runs = [
        np.concatenate([rng.permutation(N_SAMPLES) for _ in range(n_epochs)])
        for _ in range(n_networks)
    ]
    kept = np.stack(runs)[:, : n_steps * batch_size]
    return kept.reshape(n_networks, n_steps, batch_size).swapaxes(0, 1)


def layers() -> nn.Sequential:
    """The published network as torch layers."""
    first, second, third, last = SIZES
    hidden = nn.Linear(first, second), nn.ReLU(), nn.Linear(second, third), nn.ReLU()
    return nn.Sequential(*hidden, nn.Linear(third, last))


def convolutional() -> nn.Sequential:
    """The network of Fig. S5: three convolutions of 32, 64 and 64 channels, two dense layers."""
    parts: list[nn.Module] = []
    for n_in, n_out in ((3, 32), (32, 64), (64, 64)):
        parts += [nn.Conv2d(n_in, n_out, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2)]
    return nn.Sequential(*parts, nn.Flatten(), nn.Linear(1024, 128), nn.ReLU(), nn.Linear(128, 10))


def by_jax(n_networks: int, batch_size: int, n_steps: int) -> Callable[[], None]:
    """All steps by JAX's vmap, scan and jit on the processor; compiled already.

    Raises:
        BookError: JAX is not installed.
    """
    os.environ.setdefault("XLA_FLAGS", ONE_THREAD)  # read when it is loaded
    try:
        import jax
        from jax import numpy as jnp
    except ImportError:
        raise BookError(INSTALL) from None
    images, labels = (jnp.asarray(part) for part in drawn_samples())
    batches = jnp.asarray(orders(n_networks, batch_size, n_steps))
    start = [
        (jnp.asarray(layer.weight.detach().numpy()), jnp.asarray(layer.bias.detach().numpy()))
        for layer in layers()
        if isinstance(layer, nn.Linear)
    ]

    def loss(network: Any, chosen: Any) -> Any:
        value = images[chosen]
        for weight, bias in network[:-1]:
            value = jax.nn.relu(value @ weight.T + bias)
        scores = value @ network[-1][0].T + network[-1][1]
        wrong = jax.nn.log_softmax(scores)
        return -wrong[jnp.arange(len(chosen)), labels[chosen]].mean()

    def step(networks: Any, chosen: Any) -> tuple[Any, None]:
        slopes = jax.vmap(jax.grad(loss))(networks, chosen)
        return jax.tree.map(
            lambda part, slope: part - LEARNING_RATE * slope, networks, slopes
        ), None

    stacked = jax.tree.map(lambda part: jnp.repeat(part[None], n_networks, axis=0), start)
    run = jax.jit(lambda networks: jax.lax.scan(step, networks, batches)[0])
    jax.block_until_ready(run(stacked))
    return lambda: jax.block_until_ready(run(stacked))


def by_vmap(n_networks: int, batch_size: int, n_steps: int) -> Callable[[], None]:
    """All steps by torch.func: vmap over grad, on stacked modules."""
    images, labels = (torch.from_numpy(part) for part in drawn_samples())
    batches = torch.from_numpy(orders(n_networks, batch_size, n_steps))
    module = layers()
    parameters, _ = stack_module_state([module] * n_networks)

    def loss(network: dict[str, torch.Tensor], pixels: torch.Tensor, right: torch.Tensor) -> Any:
        return nn.functional.cross_entropy(functional_call(module, network, pixels), right)

    def run() -> None:
        networks = {name: part.detach().clone() for name, part in parameters.items()}
        for chosen in batches:
            slopes = vmap(grad(loss))(networks, images[chosen], labels[chosen])
            for name, part in networks.items():
                part.sub_(slopes[name], alpha=LEARNING_RATE)

    return run


def one_after_another(
    module: nn.Module, shape: tuple[int, ...], n_networks: int, batch_size: int, n_steps: int
) -> Callable[[], None]:
    """All steps by autograd and torch.optim.SGD, network after network; images with their channels
    last.
    """
    images, labels = (torch.from_numpy(part) for part in drawn_samples(shape))
    if len(shape) == 3:
        images = images.contiguous(memory_format=torch.channels_last)
        module = module.to(memory_format=torch.channels_last)  # pyright: ignore[reportCallIssue]
    batches = torch.from_numpy(orders(n_networks, batch_size, n_steps))

    def run() -> None:
        for network in range(n_networks):
            method = torch.optim.SGD(module.parameters(), lr=LEARNING_RATE)
            for chosen in batches[:, network]:
                method.zero_grad()
                nn.functional.cross_entropy(module(images[chosen]), labels[chosen]).backward()
                method.step()

    return run
