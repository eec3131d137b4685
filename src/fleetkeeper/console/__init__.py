"""The console: server-rendered pages for people, over the rooms' services.

Owns templates, page contexts, the assets' manifest and the error pages. Owns no data and no rules: a page
takes typed dependencies, calls services, and renders a context. May use every room; no room knows it.
"""
