"""The training loop, its checkpoints, and the weights that come out of it."""
