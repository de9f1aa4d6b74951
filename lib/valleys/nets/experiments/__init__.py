"""The studies of networks and what they can be asked for."""
