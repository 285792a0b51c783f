"""Every figure of the report, drawn from data files alone, one module per topic."""
