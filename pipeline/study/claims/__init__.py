"""What papers claim, and what the runs of a study say about it: a file per paper."""
