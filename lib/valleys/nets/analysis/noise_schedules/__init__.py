"""What schedules of noise did: contrasts at equal loss, and what they cost."""
