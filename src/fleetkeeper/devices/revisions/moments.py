"""Times in the addresses of lists that know their past."""

from collections.abc import Sequence
from datetime import datetime

from fleetkeeper.kit.moments import moment

AS_OF = "as_of"
CHANGED_SINCE = "changed_since"
# What such a list says of them.
SPECIAL = {
    AS_OF: "The list as it was at this time: epoch seconds or RFC 3339",
    CHANGED_SINCE: "Only what changed at or after this time: epoch seconds or RFC 3339",
}


def moment_in(parameters: Sequence[tuple[str, str]], name: str) -> datetime | None:
    """The time that a parameter asks for. Raises InvalidInputError."""
    text = next((told for key, told in parameters if key == name and told), None)
    return None if text is None else moment(name, text)


def without_moments(parameters: Sequence[tuple[str, str]]) -> list[tuple[str, str]]:
    """The other parameters."""
    return [(name, text) for name, text in parameters if name not in SPECIAL]
