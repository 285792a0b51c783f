"""Maximum-entropy reinforcement learning: the science and the study around it."""
