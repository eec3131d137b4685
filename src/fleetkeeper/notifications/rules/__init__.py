"""Which events go where. Owns rules; does not own channels."""
