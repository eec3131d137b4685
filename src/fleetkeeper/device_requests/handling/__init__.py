"""Leases: handlers take requests on, and answer them, give them back or fail."""
