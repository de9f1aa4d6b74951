"""What noise in windows of training does, and by which way, as numbers."""
