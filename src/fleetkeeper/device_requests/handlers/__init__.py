"""Handlers: who answers which types of requests, and for how long each may take."""
