"""Exact answers: problems small or regular enough to be solved without learning."""
