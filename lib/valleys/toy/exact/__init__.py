"""Without sampling and without theory: densities carried on a grid."""
