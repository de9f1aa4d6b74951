"""Figures of what the model assumes, in real networks: noise, valleys, the choice of a valley."""
