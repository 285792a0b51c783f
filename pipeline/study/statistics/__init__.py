"""Numbers over seeds: intervals, arrivals, learning curves."""
