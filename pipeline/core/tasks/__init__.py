"""The tasks: a folder for each kind, and episodes of any of them."""
