"""Networks, optimiser, noise and compiled updates of a whole population."""
