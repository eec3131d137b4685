"""Reads an ASGI request's body within a bound, and as the type that a door expects."""

import re
from collections.abc import AsyncIterator
from typing import TypeVar

import msgspec

from fleetkeeper.errors import FieldError, TooLargeError
from fleetkeeper.kit.wire import decode, decompress

_Message = TypeVar("_Message")


def _exceeds(digits: str, bound: int) -> bool:
    # Python refuses to read numbers of many thousand digits.
    return len(digits) > 18 or int(digits) > bound


async def read_bounded(stream: AsyncIterator[bytes], content_length: str | None, max_bytes: int) -> bytes:
    """The whole body. Raises TooLargeError as soon as the announced or the received length exceeds `max_bytes`."""
    too_large = TooLargeError(
        "The body is too large.", fields=[FieldError("body", f"has at most {max_bytes} bytes")]
    )
    if (
        content_length is not None
        and re.fullmatch("[0-9]+", content_length)
        and _exceeds(content_length, max_bytes)
    ):
        raise too_large
    parts, length = [], 0
    async for part in stream:
        length += len(part)
        if length > max_bytes:
            raise too_large
        parts.append(part)
    return b"".join(parts)


def read_message(
    body: bytes, encoding: str, decoder: "msgspec.json.Decoder[_Message]", max_bytes: int
) -> _Message:
    """Decompress and decode."""
    return decode(decompress(body, encoding, max_bytes), decoder)
