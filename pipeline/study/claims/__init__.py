"""What papers claim, and what the runs of a study say about it."""
