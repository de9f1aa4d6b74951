"""What a sweep says within its cells, between neighbours, and of the column without noise."""
