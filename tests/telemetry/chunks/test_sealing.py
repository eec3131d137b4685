"""Frames become chunks and chunks merge, and each sample stays readable exactly once."""

import asyncio
from datetime import UTC, datetime

import numpy as np
import psycopg
import pytest
from psycopg import AsyncConnection

from fleetkeeper.database.context import product_context
from fleetkeeper.database.engine import Database
from fleetkeeper.settings.telemetry import TelemetrySettings
from fleetkeeper.telemetry import queries as telemetry
from fleetkeeper.telemetry.chunks import jobs, queries, service
from fleetkeeper.telemetry.chunks.blocks import DAY
from fleetkeeper.telemetry.reading import Channel, read_samples
from tests.factories.telemetry import add_frames, make_channels, make_device, make_layout, moment

SECOND = 1_000_000
START = 20_000 * DAY + 6 * 3600 * SECOND
MINUTE = 60 * SECOND
TOMORROW = (20_002 * DAY) / SECOND
Samples = dict[str, dict[int, float]]


class Store:
    """The telemetry of one test: a superuser's connection, and the application's way in."""

    def __init__(self, connection: psycopg.Connection, app_url: str) -> None:
        self.connection = connection
        self.app_url = app_url
        self.device = make_device(connection)

    def layout(self, *names: str) -> int:
        return make_layout(self.connection, self.device, make_channels(self.connection, *names))

    def add(self, layout: int, rows: dict[int, list[float | None]]) -> None:
        add_frames(self.connection, self.device, layout, rows)

    async def seal(self, until_us: int = 2**51) -> service.Sealed | None:
        async with jobs.sealing_connection(self.app_url) as connection:
            return await service.seal_device(connection, self.device, until_us)

    async def merge(self, day: int = START // DAY) -> bool | None:
        async with jobs.sealing_connection(self.app_url) as connection:
            return await service.merge_day(connection, self.device, day)

    async def read(self, start_us: int = 0, end_us: int = 2**51, *names: str) -> Samples:
        """What a range query reads, by channel and moment."""
        database = self.database()
        async with database.session(product_context("job", "test")) as session:
            rows = await telemetry.channels_of_device(session, self.device, names or None)
            channels = [Channel.from_row(row) for row in rows]
            series = await read_samples(
                session, channels, moment(start_us), moment(end_us), max_samples=10**7
            )
        await database.close()
        return {
            channel.metric: dict(zip(times.tolist(), values.tolist(), strict=True))
            for channel, (times, values) in zip(channels, series, strict=True)
            if len(times)
        }

    def database(self) -> Database:
        return Database(self.app_url, pool_size=1)

    def count(self, table: str) -> int:
        return self.connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0]

    def axes(self) -> list[tuple[datetime, datetime, int]]:
        return self.connection.execute(
            "SELECT start, ends, samples FROM chunks WHERE channel_id <= 0 ORDER BY start, channel_id"
        ).fetchall()


@pytest.fixture
def store(connection, app_url) -> Store:
    return Store(connection, app_url)


def ramp(
    count: int, start_us: int = START, step_us: int = MINUTE, width: int = 2
) -> dict[int, list[float | None]]:
    return {start_us + n * step_us: [float(n * width + k) for k in range(width)] for n in range(count)}


class TestSealing:
    async def test_nothing_to_seal(self, store):
        assert await store.seal() == service.Sealed()

    async def test_frames_leave_and_samples_stay(self, store):
        layout = store.layout("a", "b")
        store.add(layout, ramp(300))
        before = await store.read()
        assert before["b"] == {START + n * MINUTE: 2.0 * n + 1 for n in range(300)}
        sealed = await store.seal()
        assert (sealed.frames, sealed.samples, sealed.is_finished) == (300, 600, True)
        assert store.count("frames") == 0
        assert store.count("chunks") == 3
        assert await store.read() == before

    async def test_chunks_say_what_is_in_them(self, store):
        store.add(store.layout("a"), {START + n: [float(v)] for n, v in enumerate([3, 9, 1, 4])})
        await store.seal()
        found = store.connection.execute(
            "SELECT samples, min, max, sum, first, last, start, ends FROM chunks WHERE channel_id > 0"
        ).fetchone()
        assert found == (4, 1, 9, 17, 3, 4, moment(START), moment(START + 3))

    async def test_newest_frames_stay_hot(self, store):
        store.add(store.layout("a", "b"), ramp(10))
        before = await store.read()
        sealed = await store.seal(START + 4 * MINUTE)
        assert sealed.frames == 4
        assert store.count("frames") == 6
        assert await store.read() == before

    async def test_days_are_kept_apart(self, store):
        store.add(store.layout("a", "b"), ramp(40, START // DAY * DAY + DAY - 20 * MINUTE))
        before = await store.read()
        await store.seal()
        assert [axis[2] for axis in store.axes()] == [20, 20]
        assert await store.read() == before

    async def test_missing_values_stay_missing_and_nan_stays_nan(self, store):
        rows: dict[int, list[float | None]] = {
            START: [1.0, None, 2.0],
            START + 1: [None, None, float("nan")],
            START + 2: [None, 5.0, float("inf")],
        }
        store.add(store.layout("a", "b", "c"), rows)
        await store.seal()
        found = await store.read()
        assert found["a"] == {START: 1.0}
        assert found["b"] == {START + 2: 5.0}
        assert np.isnan(found["c"][START + 1])
        assert found["c"][START + 2] == float("inf")

    async def test_a_device_that_measured_no_number(self, store):
        store.add(store.layout("a"), {START + n: [float("nan")] for n in range(3)})
        await store.seal()
        found = await store.read()
        assert list(found["a"]) == [START, START + 1, START + 2]
        assert np.isnan(list(found["a"].values())).all()

    async def test_layouts_that_follow_each_other_share_an_axis(self, store):
        store.add(store.layout("a", "b"), ramp(5))
        store.add(store.layout("a", "b", "c"), ramp(5, START + 5 * MINUTE, width=3))
        before = await store.read()
        await store.seal()
        assert [axis[2] for axis in store.axes()] == [10]
        assert await store.read() == before

    async def test_layouts_with_nothing_in_common_keep_their_own(self, store):
        store.add(store.layout("a"), {START + n * MINUTE: [float(n)] for n in range(5)})
        store.add(store.layout("b"), {START + 1 + n * 7 * SECOND: [float(n)] for n in range(40)})
        before = await store.read()
        await store.seal()
        assert sorted(axis[2] for axis in store.axes()) == [5, 40]
        assert await store.read() == before

    async def test_range_reads_its_part(self, store):
        store.add(store.layout("a", "b"), ramp(100))
        await store.seal(START + 50 * MINUTE)
        found = await store.read(START + 40 * MINUTE, START + 60 * MINUTE, "b")
        assert found == {"b": {START + n * MINUTE: 2.0 * n + 1 for n in range(40, 60)}}

    async def test_more_than_memory_takes_goes_in_steps(self, store, monkeypatch):
        monkeypatch.setattr(service, "MAX_CELLS", 200)
        store.add(store.layout("a", "b"), ramp(250))
        before = await store.read()
        steps = [await store.seal() for _ in range(3)]
        assert [step.frames for step in steps] == [100, 100, 50]
        assert [step.is_finished for step in steps] == [False, False, True]
        assert await store.read() == before

    async def test_a_chunk_is_no_longer_than_allowed(self, store, monkeypatch):
        monkeypatch.setattr(queries, "MAX_MOMENTS", 30)
        store.add(store.layout("a", "b"), ramp(100))
        before = await store.read()
        await store.seal()
        assert [axis[2] for axis in store.axes()] == [25, 25, 25, 25]
        assert await store.read() == before

    async def test_many_rhythms_share_the_last_axis(self, store, monkeypatch):
        monkeypatch.setattr(queries, "MAX_AXES", 3)
        for n in range(6):
            store.add(store.layout(f"m{n}"), {START + n + k * 10: [float(k)] for k in range(3)})
        before = await store.read()
        await store.seal()
        assert await store.read() == before
        numbers = store.connection.execute("SELECT min(axis), max(axis) FROM chunks").fetchone()
        assert numbers[1] < 3

    async def test_the_newest_frame_of_a_silent_device_is_still_known(self, store, app_url):
        store.add(store.layout("a", "b"), ramp(3))
        database = Database(app_url, pool_size=1)
        async with database.session(product_context("job", "test")) as session:
            await telemetry.store_latest(session, [(store.device, moment(START + 2 * MINUTE), 0)])
        await store.seal()
        async with database.session(product_context("job", "test")) as session:
            rows = await telemetry.latest_of_device(session, store.device)
        await database.close()
        assert [(row.ts, row.value) for row in rows] == [
            (moment(START + 2 * MINUTE), 4.0),
            (moment(START + 2 * MINUTE), 5.0),
        ]


class TestLateFrames:
    async def test_frames_between_sealed_ones_are_merged_in(self, store):
        layout = store.layout("a", "b")
        rows = ramp(60)
        late = {at: rows.pop(at) for at in sorted(rows)[20:40]}
        store.add(layout, rows)
        await store.seal()
        store.add(layout, late)
        assert await store.read() == await self.whole(store, rows | late)
        await store.seal()
        assert [axis[2] for axis in store.axes()] == [60]
        assert await store.read() == await self.whole(store, rows | late)

    async def test_a_repeated_frame_changes_nothing(self, store):
        layout = store.layout("a", "b")
        rows = ramp(20)
        store.add(layout, rows)
        await store.seal()
        again = {at: [-1.0, -1.0] for at in sorted(rows)[5:8]}
        store.add(layout, again)
        assert await store.read() == await self.whole(store, rows)
        await store.seal()
        assert await store.read() == await self.whole(store, rows)

    async def test_a_frame_that_lacked_values_is_completed(self, store):
        layout = store.layout("a", "b")
        store.add(layout, {START: [1.0, None]})
        await store.seal()
        store.add(layout, {START: [9.0, 2.0]})
        await store.seal()
        assert await store.read() == {"a": {START: 1.0}, "b": {START: 2.0}}

    async def whole(self, store: Store, rows: dict[int, list[float | None]]) -> Samples:
        return {"a": {at: row[0] for at, row in rows.items()}, "b": {at: row[1] for at, row in rows.items()}}


class TestMerging:
    async def test_small_chunks_become_one(self, store):
        layout = store.layout("a", "b")
        for part in range(6):
            store.add(layout, ramp(50, START + part * 50 * MINUTE))
            await store.seal()
        before = await store.read()
        assert len(store.axes()) == 6
        work = await jobs.merge_chunks(store.app_url, now=TOMORROW)
        assert work.merged_days == 1
        assert [axis[2] for axis in store.axes()] == [300]
        assert await store.read() == before
        assert (await jobs.merge_chunks(store.app_url, now=TOMORROW)).merged_days == 0

    async def test_today_is_left_alone(self, store):
        layout = store.layout("a", "b")
        for part in range(2):
            store.add(layout, ramp(50, START + part * 50 * MINUTE))
            await store.seal()
        assert (await jobs.merge_chunks(store.app_url, now=START / SECOND + 7200)).merged_days == 0


class TestWhatIsDue:
    settings = TelemetrySettings(seal_after_minutes=60, seal_after_frames=100, seal_settle_seconds=300)

    async def run(self, store: Store, after_minutes: float) -> jobs.Work:
        return await jobs.seal_frames(store.app_url, self.settings, now=START / SECOND + after_minutes * 60)

    async def test_by_age(self, store):
        store.add(store.layout("a", "b"), ramp(30))
        assert (await self.run(store, 59)).frames == 0
        assert (await self.run(store, 61)).frames == 30

    async def test_by_number(self, store):
        store.add(store.layout("a", "b"), ramp(100, step_us=5 * SECOND))
        assert (await self.run(store, 9)).frames == 0
        work = await self.run(store, 14)
        assert (work.frames, work.devices) == (100, 1)

    async def test_each_of_many_devices(self, connection, app_url):
        stores = [Store(connection, app_url) for _ in range(5)]
        for one in stores:
            one.add(one.layout("a"), {START: [1.0]})
        work = await self.run(stores[0], 61)
        assert (work.devices, work.frames) == (5, 5)

    async def test_empty_days_are_dropped_and_come_back(self, store):
        layout = store.layout("a", "b")
        store.add(layout, ramp(30))
        day = "frames_2024_10_04"
        assert store.connection.execute("SELECT to_regclass(%s)", (day,)).fetchone()[0]
        assert (await self.run(store, 61)).dropped_days == 1
        assert store.connection.execute("SELECT to_regclass(%s)", (day,)).fetchone()[0] is None
        store.add(layout, ramp(1, START + 40 * MINUTE))
        assert len((await store.read())["a"]) == 31


class TestTogether:
    async def test_two_sealers_share_the_work(self, connection, app_url):
        stores = [Store(connection, app_url) for _ in range(6)]
        for one in stores:
            one.add(one.layout("a", "b"), ramp(50))
        settings = TelemetrySettings(seal_after_minutes=1)
        works = await asyncio.gather(*[jobs.seal_frames(app_url, settings, now=TOMORROW) for _ in range(3)])
        assert sum(work.frames for work in works) == 300
        for one in stores:
            assert len((await one.read())["a"]) == 50

    async def test_who_is_late_leaves_a_device_to_the_other(self, store):
        store.add(store.layout("a", "b"), ramp(5))
        async with jobs.sealing_connection(store.app_url) as other, other.transaction():
            await queries.lock_device(other, store.device)
            assert await store.seal() is None
        assert (await store.seal()).frames == 5

    async def test_what_arrives_while_sealing_stays_hot(self, store, monkeypatch):
        layout = store.layout("a", "b")
        store.add(layout, ramp(10))
        delete = queries.delete_frames

        async def arriving(connection: AsyncConnection, device, until_us):
            store.add(layout, {START + 30 * SECOND: [7.0, 8.0]})
            return await delete(connection, device, until_us)

        monkeypatch.setattr(queries, "delete_frames", arriving)
        assert (await store.seal()).frames == 10
        assert store.count("frames") == 1
        assert (await store.read())["a"][START + 30 * SECOND] == 7.0


class TestKilled:
    @pytest.mark.parametrize("step", ["hot_blocks", "store_blocks", "delete_frames"])
    async def test_at_each_step_nothing_is_lost_or_doubled(self, store, monkeypatch, step):
        layout = store.layout("a", "b")
        store.add(layout, ramp(20))
        await store.seal()
        store.add(layout, ramp(20, START + 10 * MINUTE + 1))
        before = await store.read()
        inner = getattr(queries, step)

        async def killed(connection: AsyncConnection, *arguments, **more):
            await inner(connection, *arguments, **more)
            # As the server sees a client that was killed: its connection is gone.
            store.connection.execute("SELECT pg_terminate_backend(%s)", (connection.info.backend_pid,))
            await connection.execute("SELECT 1")

        monkeypatch.setattr(queries, step, killed)
        with pytest.raises(psycopg.OperationalError):
            await store.seal()
        assert await store.read() == before
        monkeypatch.setattr(queries, step, inner)
        assert (await store.seal()).frames == 20
        assert await store.read() == before


def test_the_start_is_where_the_tests_think_it_is():
    assert datetime.fromtimestamp(START / SECOND, UTC) == datetime(2024, 10, 4, 6, tzinfo=UTC)
