"""What the studies of networks say, with intervals."""
