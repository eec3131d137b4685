"""Bodies read within bounds: of size, of room and of time."""

import asyncio

import pytest

from fleetkeeper.errors import OverloadedError, TimedOutError, TooLargeError
from fleetkeeper.kit.places import Places
from fleetkeeper.kit.request_body import (
    PART_BYTES,
    CallerGoneError,
    Pace,
    announced_length,
    read_body,
    read_parts,
)

PACE = Pace(grace_seconds=10, bytes_per_second=1)


def sender(*parts: bytes, then=None):
    """What a server would hand over: the parts, then the end, or else what `then` says."""
    messages = [{"type": "http.request", "body": part, "more_body": True} for part in parts]
    messages.append(then or {"type": "http.request", "body": b"", "more_body": False})

    async def receive():
        return messages.pop(0)

    return receive


async def read(receive, announced=None, max_bytes=4, pace=PACE, room=1000) -> bytes:
    places = Places(1, 1, room)
    with places.take("caller") as place:
        length = [] if announced is None else [(b"content-length", b"%d" % announced)]
        return await read_body({"headers": length}, receive, max_bytes, place, pace)


async def never():
    raise AssertionError("the body was read")


class TestReadBody:
    async def test_within_the_bound(self):
        assert await read(sender(b"ab", b"", b"cd")) == b"abcd"

    @pytest.mark.parametrize("announced", [None, 1, 4])
    async def test_more_than_was_announced(self, announced):
        with pytest.raises(TooLargeError):
            await read(sender(b"abc", b"de"), announced)

    async def test_announced_length_is_refused_before_reading(self):
        with pytest.raises(TooLargeError):
            await read(never, 5)

    async def test_a_caller_that_goes_away(self):
        with pytest.raises(CallerGoneError):
            await read(sender(b"ab", then={"type": "http.disconnect"}))

    async def test_without_room(self):
        with pytest.raises(OverloadedError):
            await read(sender(b"ab", b"cd"), room=3)

    async def test_silence(self):
        async def silent():
            await asyncio.get_running_loop().create_future()

        with pytest.raises(TimedOutError):
            await read(silent, pace=Pace(0.01, 1))

    async def test_a_drip(self):
        """A byte now and then keeps no place."""
        sent = 0

        async def drip():
            nonlocal sent
            sent += 1
            await asyncio.sleep(0.002)
            return {"type": "http.request", "body": b"a", "more_body": True}

        with pytest.raises(TimedOutError):
            await read(drip, max_bytes=10**6, pace=Pace(0.02, 10_000), room=10**6)
        assert sent > 1

    async def test_what_comes_fast_enough_has_time(self):
        parts = [b"a" * 1000] * 5

        async def steady():
            await asyncio.sleep(0.01)
            return {"type": "http.request", "body": parts.pop(), "more_body": bool(parts)}

        assert len(await read(steady, max_bytes=5000, pace=Pace(0.03, 1000), room=5000)) == 5000


class TestReadParts:
    @staticmethod
    async def parts(receive, max_bytes=10**7) -> list[bytes]:
        with Places(1, 1, max_bytes).take("caller") as place:
            return await read_parts({"headers": []}, receive, max_bytes, place, PACE)

    async def test_large_pieces_stay_what_they_are(self):
        pieces = [bytes([number]) * PART_BYTES for number in range(3)]
        parts = await self.parts(sender(*pieces))
        assert [part[:1] for part in parts] == [b"\0", b"\1", b"\2"]
        assert {len(part) for part in parts} == {PART_BYTES}

    async def test_small_pieces_are_put_together(self):
        """Each piece for itself would take many times its bytes."""
        parts = await self.parts(sender(*([b"ab"] * PART_BYTES)))
        assert (len(parts), b"".join(parts)) == (2, b"ab" * PART_BYTES)

    async def test_nothing_is_a_part(self):
        assert await self.parts(sender()) == [b""]


class TestAnnouncedLength:
    @pytest.mark.parametrize(
        ("headers", "length"),
        [
            ([], 0),
            ([(b"content-length", b"0")], 0),
            ([(b"content-length", b"12")], 12),
            ([(b"transfer-encoding", b"chunked")], None),
            ([(b"content-length", b"12"), (b"transfer-encoding", b"chunked")], None),
            ([(b"content-length", b"9" * 5000)], 10**18),
            ([(b"content-length", b"-1")], 10**18),
            ([(b"content-length", "٣".encode())], 10**18),
        ],
    )
    def test_is(self, headers, length):
        assert announced_length(headers) == length
