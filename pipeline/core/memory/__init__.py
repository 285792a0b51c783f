"""What was experienced: replay and rollout buffers."""
