"""What stands in the list of refused samples."""

from dataclasses import dataclass


@dataclass(frozen=True)
class RefusedExample:
    """What the newest answer said, where that is more than the reason, and the sample that it was about."""

    answer: str
    example: str
