"""Results of studies: computed here or elsewhere, kept whole, named by what made them, shipped and verified."""
