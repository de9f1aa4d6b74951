"""Results on disk: what names them, where they lie, how they are computed side by side, shipped and checked."""
