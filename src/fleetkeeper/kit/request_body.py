"""Reads an ASGI request's body: within a bound, not slower than it may come, and as the type that a door expects."""

import asyncio
import re
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable
from contextlib import aclosing
from dataclasses import dataclass
from typing import Any, TypeVar

import msgspec

from fleetkeeper.errors import FieldError, TimedOutError, TooLargeError
from fleetkeeper.kit.places import Place
from fleetkeeper.kit.wire import decode, decompress

_Message = TypeVar("_Message")
_DIGITS = re.compile(rb"[0-9]{1,18}")
# A body is kept in parts of at least so many bytes.
PART_BYTES = 256 * 1024
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
    """The whole body, as `read_parts` reads it."""
    parts = await read_parts(scope, receive, max_bytes, place, pace)
    return parts[0] if len(parts) == 1 else b"".join(parts)


async def read_parts(
    scope: Any, receive: Callable[[], Awaitable[Any]], max_bytes: int, place: Place, pace: Pace
) -> list[bytes]:
    """The whole body, which takes its room in `place`, in parts: a large one is never there twice.

    Raises TooLargeError as soon as the announced or the received length exceeds `max_bytes`, TimedOutError for one
    that comes too slowly, OverloadedError without room, and CallerGoneError.
    """
    if BODY_IS_HERE in scope:
        whole = await _body_that_is_here(receive, max_bytes)
        place.grow(len(whole))
        return [whole]
    parts = _Parts()
    async with aclosing(body_pieces(scope, receive, max_bytes, pace)) as pieces:
        async for piece in pieces:
            place.grow(len(piece))
            parts.add(piece)
    return parts.taken()


async def body_pieces(
    scope: Any, receive: Callable[[], Awaitable[Any]], max_bytes: int, pace: Pace
) -> AsyncGenerator[bytes, None]:
    """A body as it comes. Raises TooLargeError, TimedOutError and CallerGoneError as `read_parts` does."""
    if BODY_IS_HERE in scope:
        yield await _body_that_is_here(receive, max_bytes)
        return
    if (announced_length(scope["headers"]) or 0) > max_bytes:
        raise _too_large(max_bytes)
    began = asyncio.get_running_loop().time()
    deadline = began + pace.grace_seconds
    length, is_over = 0, False
    while not is_over:
        try:
            async with asyncio.timeout_at(deadline):
                message = await receive()
        except TimeoutError:
            raise TimedOutError(
                "The body arrived too slowly. Send it again over a better connection."
            ) from None
        if message["type"] == "http.disconnect":
            raise CallerGoneError
        piece: bytes = message.get("body", b"")
        length += len(piece)
        if length > max_bytes:
            raise _too_large(max_bytes)
        yield piece
        is_over = not message.get("more_body")
        deadline = began + pace.grace_seconds + length / pace.bytes_per_second


async def _body_that_is_here(receive: Callable[[], Awaitable[Any]], max_bytes: int) -> bytes:
    message = await receive()
    if message["type"] == "http.disconnect":
        raise CallerGoneError
    whole: bytes = message["body"]
    if len(whole) > max_bytes:
        raise _too_large(max_bytes)
    return whole


class _Parts:
    """What came so far. Small pieces are put together, as each of them takes more memory than its bytes."""

    def __init__(self) -> None:
        self._whole: list[bytes] = []
        self._last = bytearray()

    def add(self, piece: bytes) -> None:
        """Keep what came."""
        if len(self._last) + len(piece) >= PART_BYTES:
            self._whole.append(b"".join((self._last, piece)) if self._last else piece)
            self._last.clear()
        else:
            self._last += piece

    def taken(self) -> list[bytes]:
        """All parts; at least one."""
        if self._last or not self._whole:
            self._whole.append(bytes(self._last))
        return self._whole


def read_message(
    body: bytes, encoding: str, decoder: "msgspec.json.Decoder[_Message]", max_bytes: int
) -> _Message:
    """Decompress and decode."""
    return decode(decompress(body, encoding, max_bytes), decoder)


def _too_large(max_bytes: int) -> TooLargeError:
    return TooLargeError(
        "The body is too large.", fields=[FieldError("body", f"has at most {max_bytes} bytes")]
    )
