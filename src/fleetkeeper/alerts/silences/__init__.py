"""Silences and maintenance windows: which alerts are not told, and when. Owns them; routing heeds them."""
