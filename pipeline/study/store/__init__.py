"""Files of results: where they are, how they are written and read."""
