"""Sphinx extensions with the directives that fill one page or one box: ledger, status, how to
run.
"""
