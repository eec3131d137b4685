"""The catalogue: parts, their variants, and what their prices were."""
