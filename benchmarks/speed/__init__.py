"""How fast and how large the core is, beside what people use today."""
