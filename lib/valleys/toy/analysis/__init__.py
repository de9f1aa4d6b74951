"""What the studies of the two-valley model say."""
