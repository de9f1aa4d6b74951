"""Methods of training held against each other at equal gradient evaluations."""
