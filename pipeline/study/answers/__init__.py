"""Exact answers as results: theorems, oracles, scores, compositions."""
