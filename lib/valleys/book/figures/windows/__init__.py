"""Figures of noise in windows of training."""
