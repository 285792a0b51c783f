"""The equations of maximum-entropy reinforcement learning, as pure functions."""
