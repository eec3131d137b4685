"""What the bell in the header shows."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Unread:
    """How many notifications the reader has not read."""

    number: int
