"""Two departments side by side, as the attacks have them."""

from tests.attacks.conftest import recorded_sides, sides

__all__ = ["recorded_sides", "sides"]
