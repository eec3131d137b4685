"""Evaluates rules: claims what is due, looks at the samples, moves what it sees, and writes the log."""
