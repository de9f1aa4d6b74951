"""Closed forms and integrals of the paper, for two valleys and for rows."""
