"""Sphinx extensions that see to every page."""
