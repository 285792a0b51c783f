"""This machine: its cores, threads, settings, and what it can compute."""
