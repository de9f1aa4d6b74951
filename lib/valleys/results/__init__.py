"""Results: the one way to ask for them, what names them, where they lie, and how they are computed, shipped and checked."""
