"""Draw `_static/drawings/misread.svg`: digits that one of two networks from one start misreads,
both of them, or the other (seconds).
"""

import numpy as np

from valleys.nets import load, load_problem, train_ensemble
from valleys.paths import book_root
from valleys.results import atomic

TRAINED_ON = {"train_per_class": 20, "test_per_class": 20}  # images of each digit
LEVELS = 4  # of grey
TILE = 6  # units a pixel
PLACES = (66, 156, 246)  # left edges of the three tiles
TOP = 46
DRAWING = """<svg xmlns="http://www.w3.org/2000/svg" class="drawing" width="360pt" height="206pt" viewBox="0 0 360 206" font-family="sans-serif" font-size="12">
  <title>Two networks misread different digits</title>
  <desc>Two circles that overlap, one for the digits that each of two networks misreads. {told}.</desc>
  <g fill="none" stroke="#222222" stroke-width="1.8">
    <circle cx="135" cy="106" r="88"/>
    <circle cx="225" cy="106" r="88"/>
  </g>
  <g fill="#222222">
{tiles}
  </g>
  <g fill="#222222" text-anchor="middle">
    <text x="56" y="15">one network</text>
    <text x="304" y="15">another</text>
    <text x="180" y="204">both</text>
{words}
  </g>
</svg>
"""  # noqa: E501


def answers(n_runs: int = 2, seed: int = 0) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Images that nobody trained on, (N, 8, 8) from 0 to 1, what they show, (N,), and what networks
    that differ in batch order alone read, (n_runs, N).
    """
    problem, data = load_problem("digits", **TRAINED_ON), load("digits", **TRAINED_ON)
    runs = train_ensemble(problem, n_runs=n_runs, batch_size=10, learning_rate=0.1, seed=seed)
    scores = runs.networks.scores(problem.full_test.images, problem.full_test.offset)
    images = (data.full_test_images.reshape(-1, *data.image_shape) + 1) / 2
    return images, data.full_test_labels, scores.argmax(dim=1).numpy()


def chosen(labels: np.ndarray, read: np.ndarray) -> list[int]:
    """The first image that the first network alone misreads, the first of both, and the first of
    the second alone; `labels` (N,), `read` (2, N).
    """
    first, second = read != labels
    return [
        int(np.flatnonzero(region)[0])
        for region in (first & ~second, first & second, second & ~first)
    ]


def tile(image: np.ndarray, left: int) -> str:
    """An image, (8, 8) from 0 to 1, as squares of a few greys."""
    grey = np.rint(image * LEVELS).astype(int)
    paths = [
        f'<path fill-opacity="{level / LEVELS:g}" d="'
        + "".join(f"M{x} {y}h1v1h-1z" for y, x in np.argwhere(grey == level))
        + '"/>'
        for level in range(1, LEVELS + 1)
    ]
    return f'    <g transform="translate({left} {TOP}) scale({TILE})">{"".join(paths)}</g>'


def readings(label: int, read: np.ndarray) -> list[str]:
    """What networks made of a digit, such as `read as 4` and `and as 9`."""
    wrong = sorted({int(answer) for answer in read if answer != label})
    return [f"{'and' if place else 'read'} as {answer}" for place, answer in enumerate(wrong)]


def words(label: int, read: np.ndarray, left: int) -> str:
    """What a tile shows and what was made of it, below it."""
    lines = [f"a {label}", *readings(label, read)]
    middle, under = left + 4 * TILE, TOP + 8 * TILE + 17
    return "\n".join(
        f'    <text x="{middle}" y="{under + 15 * place}">{line}</text>'
        for place, line in enumerate(lines)
    )


def main() -> None:
    """Train, choose and draw."""
    images, labels, read = answers()
    shown = [(images[at], int(labels[at]), read[:, at]) for at in chosen(labels, read)]
    told = ", ".join(
        f"{who} a {label} {' '.join(readings(label, each))}"
        for who, (_, label, each) in zip(
            ("In the first alone is", "in both", "in the second alone"), shown, strict=True
        )
    )
    places = list(zip(shown, PLACES, strict=True))
    tiles = "\n".join(tile(image, left) for (image, _, _), left in places)
    texts = "\n".join(words(label, each, left) for (_, label, each), left in places)
    drawing = DRAWING.format(told=told, tiles=tiles, words=texts)
    atomic.write(book_root() / "_static" / "drawings" / "misread.svg", drawing.encode())


if __name__ == "__main__":
    main()
