"""Saved views of lists. Owns them; does not know which lists there are."""
