"""Train one run of a stage: processes, checkpoints, progress, files."""
