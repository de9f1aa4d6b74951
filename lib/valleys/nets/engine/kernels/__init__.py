"""Matrix products inside compiled code."""
