"""The log of alerts: what fired, what people did about it, and how long that took."""
