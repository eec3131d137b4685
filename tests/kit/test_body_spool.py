"""Bodies that go to a file: whole and hashed, or gone without a trace."""

import asyncio
import hashlib
from pathlib import Path

import pytest

from fleetkeeper.errors import OverloadedError, TimedOutError, TooLargeError
from fleetkeeper.kit.body_front import BodyFront, Door, Doors
from fleetkeeper.kit.body_spool import SPOOLED_BODY, BodySpool
from fleetkeeper.kit.places import Places
from fleetkeeper.kit.request_body import CallerGoneError, Pace

PACE = Pace(10.0, 1000)
MEGABYTE = 1024 * 1024


@pytest.fixture
def spool(tmp_path) -> BodySpool:
    return BodySpool(tmp_path / "incoming", Places(4, 2, 8 * MEGABYTE))


def coming(*pieces: bytes, is_cut: bool = False):
    """An ASGI `receive` for these pieces."""
    left = [{"type": "http.request", "body": piece, "more_body": True} for piece in pieces]
    left.append({"type": "http.disconnect"} if is_cut else {"type": "http.request", "body": b""})

    async def receive():
        return left.pop(0)

    return receive


async def read(spool: BodySpool, receive, max_bytes: int = 5 * MEGABYTE, pace: Pace = PACE):
    with spool.places.take("caller") as place:
        return await spool.read({"headers": []}, receive, max_bytes, place, pace)


def left_in(spool: BodySpool) -> list[Path]:
    return list(spool.folder.iterdir())


async def test_the_whole_body_is_there_with_its_hash(spool):
    pieces = [bytes([number]) * 300_000 for number in range(9)]
    body = await read(spool, coming(*pieces))
    whole = b"".join(pieces)
    assert body.path.read_bytes() == whole
    assert (body.size_bytes, body.sha256) == (len(whole), hashlib.sha256(whole).hexdigest())
    assert body.path.stat().st_mode & 0o777 == 0o600
    assert spool.places.size_bytes == 0


@pytest.mark.parametrize(
    ("error", "receive", "max_bytes", "pace"),
    [
        (TooLargeError, coming(b"x" * 2000), 1999, PACE),
        (CallerGoneError, coming(b"x" * 2000, is_cut=True), 5000, PACE),
        (TimedOutError, None, 5000, Pace(0.01, 1000)),
        (OverloadedError, coming(b"x" * 9 * MEGABYTE), 10 * MEGABYTE, PACE),
    ],
)
async def test_what_does_not_come_whole_leaves_nothing(spool, error, receive, max_bytes, pace):
    async def never():

        await asyncio.Event().wait()

    with pytest.raises(error):
        await read(spool, receive or never, max_bytes, pace)
    assert left_in(spool) == []
    assert spool.places.taken == 0


@pytest.mark.parametrize("is_kept", [False, True])
async def test_a_file_goes_with_its_request_unless_it_is_kept(spool, tmp_path, is_kept):
    target, seen = tmp_path / "kept" / "file", {}

    async def app(scope, receive, send):
        seen.update(body=(await receive())["body"], spooled=scope["state"][SPOOLED_BODY])
        if is_kept:
            seen["spooled"].keep_as(target)

    door = Door("/files", frozenset({"POST"}), 5000, is_spooled=True)
    places = Places(4, 2, MEGABYTE)
    front = BodyFront(
        app,
        find_doors=lambda: Doors([door]),
        answer=None,
        callers=places,
        strangers=places,
        pace=PACE,
        spool=spool,
    )
    scope = {"type": "http", "method": "POST", "path": "/files", "headers": [], "state": {}, "client": None}
    await front(scope, coming(b"content"), None)
    # What stands before the application tells two bodies apart by it.
    assert seen["body"].decode() == hashlib.sha256(b"content").hexdigest() == seen["spooled"].sha256
    assert left_in(spool) == []
    assert target.exists() is is_kept
