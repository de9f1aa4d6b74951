"""A small convolutional network for images of any size."""

from collections.abc import Sequence

from torch import nn

SMALLEST_POOLED = 4  # pixels of a side: what is pooled has two left


def small_network(
    image_shape: Sequence[int], n_classes: int, channels: Sequence[int] = (8, 16)
) -> nn.Sequential:
    """3×3 convolutions with ReLU, halved by 2×2 max-pooling while images are large enough, and one
    linear layer.

    Args:
        image_shape: (height, width), or (height, width, channels).
        n_classes: number of scores.
        channels: width of each convolution.

    Example:
        >>> from valleys.nets.engine.convolutional import small_network
        >>> sum(part.numel() for part in small_network((8, 8), 10, (8, 16)).parameters())
        1898
    """
    height, width, depth = (*image_shape, 1)[:3]
    layers: list[nn.Module] = []
    for n_channels in channels:
        layers += [nn.Conv2d(depth, n_channels, 3, padding=1), nn.ReLU()]
        depth = n_channels
        if min(height, width) >= SMALLEST_POOLED:
            layers.append(nn.MaxPool2d(2))
            height, width = height // 2, width // 2
    return nn.Sequential(*layers, nn.Flatten(), nn.Linear(depth * height * width, n_classes))
