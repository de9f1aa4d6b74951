"""Simulated walkers: compiled loops, and a plain reference."""
