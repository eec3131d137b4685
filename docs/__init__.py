"""The documentation's own scripts."""
