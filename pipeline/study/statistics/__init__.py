"""Statistics over seeds: intervals, steps to a threshold, learning curves."""
