"""What each part of soft Q-learning is worth: variants with one switch changed."""
