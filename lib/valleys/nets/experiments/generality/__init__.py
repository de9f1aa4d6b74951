"""How general the paper's findings are: other networks, other images, other starts."""
