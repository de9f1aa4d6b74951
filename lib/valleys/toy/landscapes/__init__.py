"""Losses of the model: two valleys, and rows of any number."""
