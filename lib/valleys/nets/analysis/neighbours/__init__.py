"""Claims of neighbouring work in numbers with intervals."""
