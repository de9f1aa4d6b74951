"""The studies of the two-valley model and what they can be asked for."""
