"""The static site: built from executed chapters, checked, and told where it is public."""
