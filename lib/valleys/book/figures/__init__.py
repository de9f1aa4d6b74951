"""Figure functions: each takes a dataset, draws it, returns the figure, and computes nothing."""

from valleys.book.figures.style import use_style

__all__ = ["use_style"]
