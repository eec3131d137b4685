"""Live frames as Server-Sent Events. httpx's ASGI transport waits for whole answers, so the stream is read itself."""

import asyncio
import json
import time
from datetime import UTC, datetime
from uuid import UUID

import pytest

from fleetkeeper.errors import OverloadedError
from fleetkeeper.telemetry import stream as stream_module
from fleetkeeper.telemetry.stream import MAX_UNREAD, Watcher
from tests.factories.senders import WRITE, headers_of, series, snappy


@pytest.fixture
async def stream(app):
    """The application's stream, asked by the test instead of by the clock."""
    await app.state.stream._reader.stop()
    return app.state.stream


def read(event: bytes) -> dict:
    kind, data = event.decode().strip().split("\n")
    assert kind == "event: frame"
    return json.loads(data.removeprefix("data: "))


async def allowed() -> bool:
    return True


class TestEvents:
    async def test_frame_sent_after_the_opening_arrives_at_each_watcher(self, stream, device):
        key = UUID(device.id)
        watchers = [stream.events(frozenset({key}), allowed) for _ in range(2)]
        for watcher in watchers:
            assert (await anext(watcher)).startswith(b"retry:")
        now = time.time()
        await device.send((now, {"cpu_usage_percent": 45.25, "a": 1.0}))
        await stream._ask()
        for watcher in watchers:
            event = read(await anext(watcher))
            assert event["device"] == device.id
            assert event["ts"] == pytest.approx(now, abs=1e-6)
            assert event["values"] == {"cpu_usage_percent": 45.25, "a": 1.0}
            await watcher.aclose()
        assert not stream._watchers

    async def test_each_frame_comes_once_and_in_order(self, stream, device):
        watcher = stream.events(frozenset({UUID(device.id)}), allowed)
        await anext(watcher)
        now = time.time()
        for n in range(3):
            await device.send((now + n / 10, {"a": float(n)}))
            await stream._ask()
        assert [read(await anext(watcher))["values"]["a"] for _ in range(3)] == [0.0, 1.0, 2.0]
        (only,) = stream._watchers
        assert only.events.empty()
        await watcher.aclose()

    @pytest.mark.parametrize("ahead", [[290], [290, 295, 291], [6], [1, 290, 2]])
    async def test_frames_ahead_of_the_clock_neither_stall_it_nor_come_again(self, stream, device, ahead):
        heard = await self._opened(stream, device)
        now = time.time()
        moments = [now + seconds for seconds in (*ahead, 0, 0.1, 0.2)]
        for moment in moments:
            await device.send((moment, {"a": moment}))
            for _ in range(2):
                await stream._ask()
        assert [event["ts"] for event in heard()] == pytest.approx(moments, abs=1e-5)

    async def test_a_clock_that_is_ahead_all_the_time_is_followed(self, stream, device, connection):
        """With more frames ahead of the server than are told at once."""
        now = time.time()
        await device.send(*((now + 250 - n / 5, {"a": float(n)}) for n in range(1000)))
        heard = await self._opened(stream, device)
        assert len(heard()) == stream_module.FIRST_AHEAD
        for moment in (now + 251, now + 252, now + 100.05, now + 0.05):
            await device.send((moment, {"a": -1.0}))
            await stream._ask()
            await stream._ask()
            (event,) = heard()
            assert event["ts"] == pytest.approx(moment, abs=1e-5)

    async def test_what_was_ahead_does_not_come_again_when_its_time_has_come(
        self, stream, device, monkeypatch
    ):
        heard = await self._opened(stream, device)
        now = time.time()
        for seconds in (40, 20, 60):
            await device.send((now + seconds, {"a": 1.0}))
        await stream._ask()
        assert len(heard()) == 3
        clock = [now]
        monkeypatch.setattr(stream_module, "utc_now", lambda: datetime.fromtimestamp(clock[0], UTC))
        for _ in range(90):
            clock[0] += 1
            await stream._ask()
        assert heard() == []

    @pytest.mark.parametrize("behind", [60, 3000])
    async def test_a_clock_that_is_behind_is_followed(self, stream, device, behind):
        now = time.time() - behind
        await device.send((now, {"a": 0.0}), (now + 1, {"a": 1.0}))
        heard = await self._opened(stream, device)
        assert heard() == []
        for n in (2, 3):
            await device.send((now + n, {"a": float(n)}))
            await stream._ask()
        assert [event["values"]["a"] for event in heard()] == [2.0, 3.0]

    async def test_parts_of_one_moment_come_each_though_not_at_once(self, app, admin, stream, device):
        heard = await self._opened(stream, device)
        at = int(time.time() * 1000)
        for name, moment in (("m_a", at), ("m_b", at), ("m_c", at - 4000)):
            body = series({"__name__": name, "instance": "web-01"}, [(moment, 1.0)])
            answer = await admin.post(WRITE, content=snappy(body), headers=headers_of())
            assert answer.status_code == 204
            await stream._ask()
        told = [key for event in heard() for key in event["values"]]
        assert [key.partition("{")[0] for key in told] == ["m_a", "m_b", "m_c"]

    async def test_a_backlog_is_no_news(self, stream, device):
        heard = await self._opened(stream, device)
        now = time.time()
        await device.send((now, {"a": 1.0}))
        await device.send(*((now - 60 - n, {"a": 2.0}) for n in range(50)))
        await stream._ask()
        assert [event["values"]["a"] for event in heard()] == [1.0]

    async def test_a_server_whose_clock_steps_back_repeats_nothing(self, stream, device, monkeypatch):
        heard = await self._opened(stream, device)
        now = time.time()
        await device.send(*((now - n / 10, {"a": 1.0}) for n in range(10)))
        await stream._ask()
        assert len(heard()) == 10
        monkeypatch.setattr(stream_module, "utc_now", lambda: datetime.fromtimestamp(now - 600, UTC))
        await stream._ask()
        await device.send((now + 1, {"a": 2.0}))
        await stream._ask()
        assert [event["values"]["a"] for event in heard()] == [2.0]

    @staticmethod
    async def _opened(stream, device):
        """Watch a device; the events since the last call."""
        watcher = Watcher(frozenset({UUID(device.id)}))
        stream._watchers.add(watcher)
        await stream._ask()

        def heard() -> list[dict]:
            return [read(watcher.events.get_nowait()) for _ in range(watcher.events.qsize())]

        return heard

    async def test_watcher_hears_of_its_devices_only(self, stream, device):
        watcher = stream.events(frozenset({UUID(int=1)}), allowed)
        await anext(watcher)
        await device.send((time.time(), {"a": 1.0}))
        await stream._ask()
        (only,) = stream._watchers
        assert only.events.empty()
        await watcher.aclose()

    async def test_silence_is_broken_before_a_proxy_hangs_up(self, stream, monkeypatch):
        monkeypatch.setattr(stream_module, "RECHECK_SECONDS", 0)
        watcher = stream.events(frozenset(), allowed)
        await anext(watcher)
        assert await anext(watcher) == b": still here\n\n"
        await watcher.aclose()

    async def test_closing_ends_open_streams(self, stream):
        watcher = stream.events(frozenset(), allowed)
        await anext(watcher)
        waiting = asyncio.ensure_future(anext(watcher))
        await asyncio.sleep(0)
        stream.close()
        assert await waiting == b""
        with pytest.raises(StopAsyncIteration):
            await anext(watcher)

    def test_slow_watcher_loses_the_oldest(self):
        watcher = Watcher(frozenset())
        for n in range(MAX_UNREAD + 5):
            watcher.put(b"%d" % n)
        assert watcher.events.qsize() == MAX_UNREAD
        assert watcher.events.get_nowait() == b"5"


class TestDoor:
    @pytest.mark.parametrize(
        ("devices", "status"),
        [
            ([], 422),
            (["no-uuid"], 422),
            ([""], 422),
            ([str(UUID(int=n)) for n in range(51)], 422),
            ([str(UUID(int=1))], 404),
        ],
    )
    async def test_refusals(self, shared, devices, status):
        answer = await shared.viewer.get("/api/v1/telemetry/stream", params={"device": devices})
        assert answer.status_code == status

    async def test_one_too_many_is_told_before_the_answer_begins(
        self, app, admin, viewer, device, monkeypatch
    ):
        """Of one user, of one address, and of all."""

        async def once(*_):
            yield b"retry: 2000\n\n"

        monkeypatch.setattr(stream_module.FrameStream, "events", once)
        stream, path = app.state.stream, f"/api/v1/telemetry/stream?device={device.id}"
        stream.places.per_caller = 1
        (me,) = [
            user["id"]
            for user in (await admin.get("/api/v1/users")).json()["results"]
            if user["username"] == "admin"
        ]
        with stream.take_place(UUID(me), "192.0.2.1"):
            answer = await admin.get(path)
            assert answer.status_code == 429
            assert answer.json()["detail"] == "Too many live views at once from one caller."
            assert (await viewer.get(path)).status_code == 200
            stream.places.total = 1
            assert (await viewer.get(path)).status_code == 429
        assert (await admin.get(path)).status_code == 200
        assert stream.places.taken == stream.places_by_address.taken == 0

    async def test_one_address_gets_a_part(self, app):
        stream = app.state.stream
        stream.places_by_address.per_caller = 1
        with stream.take_place(UUID(int=1), "192.0.2.1"):
            with pytest.raises(OverloadedError):
                stream.take_place(UUID(int=2), "192.0.2.1")
            with stream.take_place(UUID(int=2), "192.0.2.2"):
                assert stream.places.taken == 2
        assert stream.places.taken == stream.places_by_address.taken == 0
