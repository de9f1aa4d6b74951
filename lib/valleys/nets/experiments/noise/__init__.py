"""Experiments on the noise itself: its shape."""
