"""Results: what they are put together from, and the one way to ask for them."""
