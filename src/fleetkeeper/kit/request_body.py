"""Reads an ASGI request's body: within a bound, not slower than it may come, and as the type that a door expects."""

import asyncio
import re
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from typing import Any, TypeVar

import msgspec

from fleetkeeper.errors import FieldError, TimedOutError, TooLargeError
from fleetkeeper.kit.places import Place
from fleetkeeper.kit.wire import decode, decompress

_Message = TypeVar("_Message")
_DIGITS = re.compile(rb"[0-9]{1,18}")
# In a request's scope, from the server's protocol: the body has come already, so there is nothing to wait for.
BODY_IS_HERE = "fleetkeeper.body_is_here"
# For a length that is given and is no number that anybody could mean.
_ENDLESS = 10**18


class CallerGoneError(Exception):
    """The caller closed the connection before all of its body had come. Nobody waits for an answer."""


@dataclass(frozen=True)
class Pace:
    """How slowly a body may come: the time that each has, and the rate for what takes longer."""

    grace_seconds: float
    bytes_per_second: float


def announced_length(headers: Iterable[tuple[bytes, bytes]]) -> int | None:
    """How many bytes a request's body will have: 0 without one, None where only its end will tell."""
    length: int | None = 0
    for name, value in headers:
        if name == b"content-length":
            length = int(value) if _DIGITS.fullmatch(value) else _ENDLESS
        elif name == b"transfer-encoding":
            return None
    return length


async def read_body(
    scope: Any, receive: Callable[[], Awaitable[Any]], max_bytes: int, place: Place, pace: Pace
) -> bytes:
    """The whole body, which takes its room in `place`.

    Raises TooLargeError as soon as the announced or the received length exceeds `max_bytes`, TimedOutError for one
    that comes too slowly, OverloadedError without room, and CallerGoneError.
    """
    if BODY_IS_HERE in scope:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise CallerGoneError
        whole: bytes = message["body"]
        if len(whole) > max_bytes:
            raise _too_large(max_bytes)
        place.grow(len(whole))
        return whole
    if (announced_length(scope["headers"]) or 0) > max_bytes:
        raise _too_large(max_bytes)
    began = asyncio.get_running_loop().time()
    deadline = began + pace.grace_seconds
    body = bytearray()
    while True:
        try:
            async with asyncio.timeout_at(deadline):
                message = await receive()
        except TimeoutError:
            raise TimedOutError("The body came too slowly; send it again over a better connection.") from None
        if message["type"] == "http.disconnect":
            raise CallerGoneError
        part: bytes = message.get("body", b"")
        if len(body) + len(part) > max_bytes:
            raise _too_large(max_bytes)
        place.grow(len(part))
        if not message.get("more_body"):
            return bytes(body + part) if body else part
        body += part
        deadline = began + pace.grace_seconds + len(body) / pace.bytes_per_second


def read_message(
    body: bytes, encoding: str, decoder: "msgspec.json.Decoder[_Message]", max_bytes: int
) -> _Message:
    """Decompress and decode."""
    return decode(decompress(body, encoding, max_bytes), decoder)


def _too_large(max_bytes: int) -> TooLargeError:
    return TooLargeError(
        "The body is too large.", fields=[FieldError("body", f"has at most {max_bytes} bytes")]
    )
