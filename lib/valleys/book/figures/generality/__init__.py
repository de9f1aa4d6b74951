"""Figures of other networks, one an experiment."""
