"""Methods of training that are said to find flat solutions, at equal gradient evaluations."""
