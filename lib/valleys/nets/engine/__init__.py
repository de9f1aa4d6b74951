"""Training many networks at once, from a common problem, and a plain reference."""
