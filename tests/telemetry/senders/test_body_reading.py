"""Who is read for, and for how long: no caller has all readers, and nothing is read for nobody."""

import asyncio
import threading

import pytest

from fleetkeeper.errors import OverloadedError
from fleetkeeper.kit.request_body import CallerGoneError
from fleetkeeper.settings.telemetry import TelemetrySettings
from fleetkeeper.telemetry.senders.batches import Columns, SeriesCache
from fleetkeeper.telemetry.senders.body_reading import AT_ONCE_BYTES, BodyReading, Packed
from tests.fixtures.client import enroll

LARGE = b"m,host=web-01 v=1 1\n" * AT_ONCE_BYTES


class Sender:
    """Sends large bodies, whose readers go on until they are told to end."""

    def __init__(self, reading: BodyReading, name: str) -> None:
        self.reading, self.name = reading, name
        self.begun, self.ended = threading.Event(), threading.Event()
        self.may_end, self.is_gone = threading.Event(), asyncio.Event()
        self.task = asyncio.ensure_future(reading.read(self._read, self._body(), SeriesCache(), name[0]))

    def _body(self) -> Packed:
        return Packed(LARGE, lambda body, most: body, len(LARGE), self._receive)

    async def _receive(self):
        await self.is_gone.wait()
        return {"type": "http.disconnect"}

    def _read(self, body, known, effort):
        self.begun.set()
        try:
            while not self.may_end.wait(0.001):
                effort.check()
        finally:
            self.ended.set()
        return Columns().batch()

    async def has_begun(self) -> bool:
        """Whether its body is read; those before it have had their turn."""
        for _ in range(10):
            await asyncio.sleep(0)
        return self.begun.is_set()


@pytest.fixture
def reading() -> BodyReading:
    return BodyReading(TelemetrySettings(max_sender_requests_in_flight=4, max_reading_seconds=60))


async def begun(*senders: Sender) -> None:
    for sender in senders:
        assert await asyncio.to_thread(sender.begun.wait, 30)


async def finish(*senders: Sender) -> None:
    for sender in senders:
        sender.may_end.set()
    await asyncio.gather(*(sender.task for sender in senders))


async def test_a_caller_with_many_bodies_has_one_reader_and_others_need_not_wait(reading):
    first, second, other = (Sender(reading, name) for name in ("a1", "a2", "b1"))
    await begun(first, other)
    assert not await second.has_begun()
    await finish(other)
    assert not await second.has_begun()
    await finish(first)
    await begun(second)
    await finish(second)


async def test_callers_take_turns(reading):
    first, _, _, other = senders = [Sender(reading, name) for name in ("a1", "a2", "a3", "b1")]
    third = Sender(reading, "c1")
    await begun(first, other)
    await finish(first)
    await begun(third)
    assert not await senders[1].has_begun()
    await finish(*senders[1:], third)


async def test_the_line_of_one_caller_is_bounded(reading):
    senders = [Sender(reading, f"a{number}") for number in range(4)]
    with pytest.raises(OverloadedError):
        await senders[3].task
    await finish(*senders[:3])


async def test_nothing_is_read_for_who_has_gone(reading):
    first, waiting = Sender(reading, "a1"), Sender(reading, "a2")
    await begun(first)
    for sender in (waiting, first):
        sender.is_gone.set()
        with pytest.raises(CallerGoneError):
            await sender.task
    # The thread has ended before its place is free for others.
    assert (first.ended.is_set(), waiting.begun.is_set()) == (True, False)
    again = Sender(reading, "a3")
    await begun(again)
    await finish(again)


async def test_a_request_whose_sender_has_gone_is_counted(app, admin, device):
    senders = app.state.senders
    other = await enroll(app, admin, "other-01")
    caller = await senders.callers.find(f"Bearer {other.key}", "127.0.0.1", {})

    async def gone():
        return {"type": "http.disconnect"}

    def read(body, known, effort):
        while True:
            effort.check()

    body = Packed(LARGE, lambda body, most: body, len(LARGE), gone)
    with pytest.raises(CallerGoneError):
        await senders.take("influx", caller, read, body)
    assert senders.tally.refused_requests == {("influx", "gone"): 1}
    await other.client.aclose()
