"""The two-valley model: landscape, simulation, theory."""
