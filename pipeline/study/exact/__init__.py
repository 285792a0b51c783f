"""Exact answers as results: oracles, scores against them, compositions, theorems."""
