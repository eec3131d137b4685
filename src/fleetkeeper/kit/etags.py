"""ETags of things that are counted up with each change: the one that goes out, and the one that comes back."""

import re
from typing import Annotated, Protocol, TypeVar

from fastapi import Depends, Header, Response

from fleetkeeper.errors import FieldError, InvalidInputError, PreconditionError

_ETAG = re.compile(r'(?:W/)?"(\d{1,9})"', re.ASCII)


def etag_of(version: int) -> str:
    """The ETag of a version, as an answer carries it."""
    return f'"{version}"'


class Versioned(Protocol):
    """What is counted up with each change."""

    version: int


Answer = TypeVar("Answer", bound=Versioned)


def tagged(response: Response, answer: Answer) -> Answer:
    """An answer whose ETag goes out with it."""
    response.headers["ETag"] = etag_of(answer.version)
    return answer


async def expected_version(
    if_match: Annotated[str | None, Header(description="ETag of the version that you changed")] = None,
) -> int | None:
    """The version that If-Match names; None where it is absent or `*`. Raises InvalidInputError."""
    if if_match is None or if_match == "*":
        return None
    match = _ETAG.fullmatch(if_match)
    if match is None:
        raise InvalidInputError(
            "The header is wrong.", fields=[FieldError("If-Match", 'is an ETag such as "3"')]
        )
    return int(match[1])


ExpectedVersion = Annotated[int | None, Depends(expected_version)]


def check_version(what: str, present: int, expected: int | None) -> None:
    """Raise PreconditionError when somebody else has changed it since; None expects nothing."""
    if expected is not None and expected != present:
        raise PreconditionError(
            f"The {what} has changed since you opened it and is at version {present} now; reload it and try again."
        )
