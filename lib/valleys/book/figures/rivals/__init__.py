"""Figures of methods of training held against each other."""
