"""Schedules of noise in networks, at equal samples and at equal training time."""
