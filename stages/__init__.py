"""One short module per DVC stage: read files, call the pipeline, write files."""
