"""What figures share: the look of the book, their pieces, and maps of settings."""
