"""Pages that people mark for themselves. Owns them; what a page shows is asked of it anew each time."""
