"""Rules: what to look for, where, and what to say. Owns their making and changing; the engine evaluates them."""
