"""Networks trained by stochastic gradient descent, and what is measured on them."""
