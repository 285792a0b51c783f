"""The search for temperature and learning rates, with Optuna."""
