"""Stores, as people keep them. Owns them and their credentials, which go in and never come out."""
