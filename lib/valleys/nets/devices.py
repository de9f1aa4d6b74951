"""Where torch can compute on this machine."""

import torch


def available() -> list[str]:
    """Names of all devices that torch finds, such as cpu, cuda:0 and, short for it, cuda."""
    graphics = (
        [f"cuda:{index}" for index in range(torch.cuda.device_count())]
        if torch.cuda.is_available()
        else []
    )
    return ["cpu", *graphics, *(["cuda"] if graphics else [])]


def check(device: str) -> None:
    """Refuse a device that is not there.

    Raises:
        ValueError: names those that are.
    """
    if device not in available():
        raise ValueError(
            "device must be one that torch finds on this machine, "
            f"{' or '.join(available())}; got {device[:40]!r}"
        )
