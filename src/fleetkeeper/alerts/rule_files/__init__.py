"""Prometheus' rule files: read, written, and kept as alert rules of the origin `file` and as recording rules."""
