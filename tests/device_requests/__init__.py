"""Requests of devices."""
