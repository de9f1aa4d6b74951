"""The executable edition of a physics paper on deep learning: two-valley physics, network experiments, the book around them."""
