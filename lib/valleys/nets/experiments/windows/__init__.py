"""Noise in windows of training: what it does, and by which way."""
