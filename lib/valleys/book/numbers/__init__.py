"""Numbers that chapters hand to the text, and the claims that they decide."""
