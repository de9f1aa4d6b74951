"""Figures of experiments on the noise itself."""
