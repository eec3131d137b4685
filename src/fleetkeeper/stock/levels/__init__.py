"""How many of a part lie where: on hand, reserved, available; and each movement that made it so."""
