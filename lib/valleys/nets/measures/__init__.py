"""What is measured on networks: curvature, gradient noise, likeness, the loss along lines."""
