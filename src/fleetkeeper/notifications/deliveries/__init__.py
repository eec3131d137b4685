"""What goes out, to whom, and how that went. Owns the way from events to deliveries, their retries and their log."""
