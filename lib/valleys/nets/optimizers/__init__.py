"""How networks are trained: methods, schedules, noise."""
