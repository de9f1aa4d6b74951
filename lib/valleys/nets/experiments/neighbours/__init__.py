"""What neighbouring work claims of stochastic gradient descent, each claim measured."""
