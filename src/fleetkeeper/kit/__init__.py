"""Helpers without a domain word in them. Imports no room."""
