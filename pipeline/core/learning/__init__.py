"""How a population gathers experience, and when it learns from it."""
