"""Tags and custom fields."""
