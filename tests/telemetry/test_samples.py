"""Samples that arrive series by series: stored once each, whatever requests bring them, and read back unchanged."""

import asyncio

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fleetkeeper.database.context import product_context
from fleetkeeper.telemetry import queries
from fleetkeeper.telemetry.chunks import jobs, service
from fleetkeeper.telemetry.chunks.codec import is_missing
from fleetkeeper.telemetry.device_parts import DeviceParts
from fleetkeeper.telemetry.frames import Plan, copy_payload, pack_parts
from fleetkeeper.telemetry.reading import Channel, read_samples
from fleetkeeper.telemetry.samples import SampleSeries, columns_of, partial_frames, united
from tests.factories.telemetry import make_device, moment
from tests.fixtures.began import began

STALE = np.array([0x7FF0000000000002], np.uint64).view(np.float64)


def now_us() -> int:
    return began() * 1_000_000


MINUTE = 60_000_000


def series(device, key, *samples):
    times, values = zip(*samples, strict=True)
    return SampleSeries(device.bytes, key, np.array(times, np.int64), np.array(values, np.float64))


async def read_bits(app, device):
    """Every sample of a device, values as their 64 bits."""
    async with app.state.database.session(product_context("job", "test")) as session:
        channels = [Channel.from_row(row) for row in await queries.channels_of_device(session, device)]
        found = await read_samples(session, channels, moment(0), moment(2**51), max_samples=10**7)
    return {
        channel.metric + str(channel.labels or ""): dict(
            zip(times.tolist(), values.view(np.uint64).tolist(), strict=True)
        )
        for channel, (times, values) in zip(channels, found, strict=True)
    }


def bits(value):
    return int(np.array([value], np.float64).view(np.uint64)[0])


async def seal(app_url, device):
    async with jobs.sealing_connection(app_url) as connection:
        return await service.seal_device(connection, device, 2**51)


class TestStoring:
    async def test_one_moment_in_two_requests_is_one_moment(self, app, connection):
        device = make_device(connection)
        door = app.state.door
        both = [
            series(device, name, (now_us(), value)) for name, value in (("a_total", 1.0), ("b_total", 2.0))
        ]
        first = await door.store_samples([both[0], series(device, "c_total", (now_us(), 3.0))])
        second = await door.store_samples([both[1]])
        assert (first.accepted, second.accepted) == (2, 1)
        assert await read_bits(app, device) == {
            "a_total": {now_us(): bits(1.0)},
            "b_total": {now_us(): bits(2.0)},
            "c_total": {now_us(): bits(3.0)},
        }

    async def test_a_channel_added_to_a_stored_moment_completes_its_frame(self, app, connection):
        device = make_device(connection)
        names = ["a_total", "b_total", "c_total"]
        await app.state.door.store_samples([series(device, name, (now_us(), 1.0)) for name in names])
        later = now_us() + 1_000_000
        for name in names:
            await app.state.door.store_samples([series(device, name, (later, 2.0))])
        assert connection.execute("SELECT count(*) FROM frames").fetchone()[0] == 2
        assert await read_bits(app, device) == {
            name: {now_us(): bits(1.0), later: bits(2.0)} for name in names
        }

    async def test_the_first_value_of_a_moment_stays(self, app, connection):
        device = make_device(connection)
        await app.state.door.store_samples([series(device, "a_total", (now_us(), 1.0))])
        again = await app.state.door.store_samples([series(device, "a_total", (now_us(), 9.0))])
        assert (again.accepted, again.duplicates) == (0, 1)
        twice = series(device, "b_total", (now_us(), 5.0), (now_us(), 6.0))
        await app.state.door.store_samples([twice])
        assert await read_bits(app, device) == {
            "a_total": {now_us(): bits(1.0)},
            "b_total": {now_us(): bits(5.0)},
        }

    async def test_requests_at_once_lose_nothing(self, app, connection):
        devices = [make_device(connection) for _ in range(3)]
        names = [f"metric_{n}" for n in range(90)]
        requests = [
            [series(device, name, (now_us() + k, float(k))) for name in names[part::6]]
            for device in devices
            for part in range(6)
            for k in range(4)
        ]
        stored = await asyncio.gather(*(app.state.door.store_samples(request) for request in requests))
        assert sum(item.accepted for item in stored) == 3 * 90 * 4
        for device in devices:
            assert await read_bits(app, device) == {
                name: {now_us() + k: bits(float(k)) for k in range(4)} for name in names
            }

    async def test_machines_of_a_kind_share_layouts(self, app, connection):
        names = [f'disk_bytes{{disk="{n}"}}' for n in range(100)]
        for offset in range(3):
            device = make_device(connection)
            # Each machine's requests are cut at other places.
            for part in (names[: 30 + offset], names[30 + offset :]):
                await app.state.door.store_samples([series(device, key, (now_us(), 1.0)) for key in part])
        assert connection.execute("SELECT count(*) FROM layouts").fetchone()[0] <= 3

    async def test_a_device_has_only_the_channels_it_sent(self, app, connection):
        rich, poor = make_device(connection), make_device(connection)
        names = [f'core_percent{{core="{n}"}}' for n in range(8)]
        await app.state.door.store_samples([series(rich, key, (now_us(), 1.0)) for key in names])
        await app.state.door.store_samples([series(poor, key, (now_us(), 1.0)) for key in names[:2]])
        async with app.state.database.session(product_context("job", "test")) as session:
            assert len(await queries.channels_of_device(session, rich)) == 8
            assert len(await queries.channels_of_device(session, poor)) == 2

    async def test_newest_values_are_put_together_from_all_requests(self, app, admin, connection):
        device = make_device(connection)
        await app.state.door.store_samples([series(device, "cpu_usage_percent", (now_us() - MINUTE, 20.0))])
        await app.state.door.store_samples([series(device, "memory_usage_percent", (now_us(), 30.0))])
        await app.state.door.freshness._try_flush()
        answer = (await admin.get("/api/v1/telemetry/latest", params={"device": str(device)})).json()
        assert {item["metric"]: item["value"] for item in answer["values"]} == {
            "cpu_usage_percent": 20.0,
            "memory_usage_percent": 30.0,
        }
        vitals = connection.execute(
            "SELECT cpu_percent, memory_percent, disk_percent FROM device_vitals WHERE device_id = %s",
            (device,),
        ).fetchone()
        assert vitals == (20.0, 30.0, None)


class TestRefused:
    async def test_a_time_out_of_the_window_is_named(self, app, connection):
        device = make_device(connection)
        old = now_us() - 400 * 86_400_000_000
        stored = await app.state.door.store_samples(
            [
                series(device, "a_total", (old, 1.0), (now_us(), 2.0)),
                series(device, "b_total", (now_us(), 1.0)),
            ]
        )
        assert stored.accepted == 2
        assert [(item.index, item.samples) for item in stored.rejected] == [(0, 1)]
        assert "older than the server accepts" in stored.rejected[0].sentence

    async def test_channels_past_the_limit_are_refused_and_the_rest_is_kept(self, app, connection):
        device = make_device(connection)
        app.state.door.samples.homes.max_channels_per_device = 5
        names = [f"metric_{n}" for n in range(8)]
        stored = await app.state.door.store_samples([series(device, key, (now_us(), 1.0)) for key in names])
        assert stored.accepted == 5
        assert len(stored.rejected) == 3
        assert "limit" in stored.rejected[0].sentence
        # What is refused does not fill the catalog either.
        assert connection.execute("SELECT count(*) FROM channels").fetchone()[0] == 5

    async def test_a_name_that_is_none_is_refused(self, app, connection):
        device = make_device(connection)
        stored = await app.state.door.store_samples([series(device, "no name", (now_us(), 1.0))])
        assert (stored.accepted, len(stored.rejected)) == (0, 1)


class TestSealed:
    async def test_gaps_and_stale_markers_survive_sealing(self, app, app_url, connection):
        device = make_device(connection)
        names = [f"metric_{n}" for n in range(70)]
        await app.state.door.store_samples([series(device, key, (now_us(), 0.5)) for key in names])
        for k in range(1, 20):
            some = names[k % 3 :: 3]
            value = STALE[0] if k == 7 else float(k)
            await app.state.door.store_samples([series(device, key, (now_us() + k, value)) for key in some])
        before = await read_bits(app, device)
        assert before["metric_1"][now_us() + 7] == 0x7FF0000000000002
        sealed = await seal(app_url, device)
        assert sealed.frames > 0
        assert connection.execute("SELECT count(*) FROM frames").fetchone()[0] == 0
        assert await read_bits(app, device) == before


def frames_of(placed, plan):
    """The frames of series and their positions in a layout."""
    parts = DeviceParts()
    columns = columns_of([one for one, _ in placed])
    places = [parts.place(one.device_id, plan, position) for one, position in placed]
    found = np.array(places, np.int64)[columns.of]
    frames, counts = partial_frames(found, columns.times_us, columns.values, parts)
    assert counts == [int((~is_missing(frame.values)).sum()) for frame in frames]
    return frames


class TestFrames:
    """`partial_frames` and `united` against a plain dictionary."""

    @settings(suppress_health_check=[HealthCheck.too_slow])
    @given(
        st.lists(
            st.tuples(
                st.integers(0, 3),
                st.lists(st.tuples(st.integers(0, 4), st.floats(allow_nan=False)), min_size=1, max_size=6),
            ),
            max_size=8,
        )
    )
    def test_every_first_value_is_there(self, items):
        plan = Plan(7, 4, None)
        expected = {}
        placed = []
        for position, samples in items:
            for at, value in samples:
                expected.setdefault((at, position), value)
            times, values = zip(*samples, strict=True)
            one = SampleSeries(b"d" * 16, f"m{position}", np.array(times, np.int64), np.array(values))
            placed.append((one, position))
        half = len(placed) // 2
        frames = united(frames_of(placed[:half], plan) + frames_of(placed[half:], plan))
        found = {
            (frame.ts_us, position): value
            for frame in frames
            for position, value in enumerate(frame.values.tolist())
            if not is_missing(frame.values[position : position + 1])[0]
        }
        assert found == expected
        assert pack_parts(frames) == [frame.row() for frame in frames]
        assert len({frame.key for frame in frames}) == len(frames)


@pytest.mark.parametrize("present", [[], [0], [3], [0, 1, 2, 3]])
def test_a_partial_frame_is_read_back_as_it_was_packed(connection, present):
    device = make_device(connection)
    plan = Plan(7, 4, None)
    placed = [
        (SampleSeries(device.bytes, f"m{n}", np.array([now_us()]), np.array([n + 0.5])), n) for n in present
    ]
    rows = [frame.row() for frame in frames_of(placed, plan)]
    with connection.cursor().copy(
        "COPY frames (device_id, ts, layout_id, values, part) FROM STDIN (FORMAT BINARY)"
    ) as copy:
        copy.write(copy_payload(rows))
    stored = connection.execute("SELECT device_id, ts, layout_id, values, part FROM frames").fetchall()
    values = [n + 0.5 if n in present else None for n in range(4)]
    assert stored == ([(device, moment(now_us()), 7, values, 7)] if present else [])
