"""How each person wants to be told: mail or not, quiet hours, digests. Owns their choices."""
