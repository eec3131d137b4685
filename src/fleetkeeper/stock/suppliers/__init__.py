"""Suppliers, at which price they sell what, and which one is best for a quantity."""
