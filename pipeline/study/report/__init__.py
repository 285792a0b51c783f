"""One page about a study, with its tables and figures."""
