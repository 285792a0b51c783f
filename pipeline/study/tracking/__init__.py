"""MLflow: live curves while a stage trains, and what is published from files."""
