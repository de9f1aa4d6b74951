"""Results: what keeps, names and carries what the studies compute; it imports neither `toy`, `nets` nor `book`."""
