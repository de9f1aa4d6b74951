"""Where the paper's claims hold, over networks that differ in one thing each."""
