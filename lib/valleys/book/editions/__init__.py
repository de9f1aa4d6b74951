"""Copies of the project to hand out, with and without solutions."""
