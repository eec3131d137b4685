"""Reads files that come from anywhere into rows of texts, within bounds. Owns no table."""
