"""How well policies do: evaluation, distances from exact ones, changed tasks."""
