"""What is found on noise that changes along the way."""
