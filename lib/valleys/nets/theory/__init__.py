"""Closed forms for a run in a quadratic valley."""
