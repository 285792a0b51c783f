"""Two soft Q-functions as one policy."""
