"""The versions of alert rules: what each changed, and going back to one. The database keeps them."""
