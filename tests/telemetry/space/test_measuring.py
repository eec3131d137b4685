"""Each sum is the same: groups, devices, the tier, and what the database says of its tables."""

import time
from datetime import datetime

import pytest

from fleetkeeper.database.engine import Database
from fleetkeeper.telemetry.space.counting import TIERS
from fleetkeeper.telemetry.space.jobs import (
    MEASURE_TASK,
    STEPS,
    measure_first,
    measure_space,
    next_measurement,
)
from tests.factories.archive import DAY_NUMBER, ArchivedStore
from tests.factories.telemetry import add_frames, make_channels, make_device, make_layout
from tests.telemetry.chunks.test_sealing import MINUTE, START, ramp

DAY = 86_400_000_000
TRUTH = {
    "hot": "SELECT sum(pg_total_relation_size(relid)) FROM pg_partition_tree('frames')",
    "sealed": "SELECT sum(pg_total_relation_size(relid)) FROM pg_partition_tree('chunks')",
    "rollups": "SELECT pg_total_relation_size('rollups') + pg_total_relation_size('hourly_statistics')",
    "archive": "SELECT coalesce(sum(size_bytes), 0) FROM archive_files WHERE state = 'live'",
}


class Measured(ArchivedStore):
    """A store that is measured."""

    async def measure(self) -> list[str]:
        steps: list[str] = []

        async def note(step: str) -> None:
            steps.append(step)

        database = Database(self.app_url, pool_size=1)
        try:
            await measure_space(database, progress=note)
        finally:
            await database.close()
        return steps

    def newest(self) -> dict[str, tuple[int, int]]:
        rows = self.connection.execute(
            "SELECT DISTINCT ON (tier) tier, samples, size_bytes FROM space_totals ORDER BY tier, measured_at DESC"
        ).fetchall()
        return {tier: (samples, size) for tier, samples, size in rows}

    def sums(self, table: str) -> dict[str, tuple[int, int]]:
        newest = (
            ""
            if table == "space_devices"
            else "WHERE measured_at = (SELECT max(measured_at) FROM space_totals)"
        )
        rows = self.connection.execute(
            f"SELECT tier, sum(samples), sum(size_bytes) FROM {table} {newest} GROUP BY tier"
        ).fetchall()
        return {tier: (int(samples), int(size)) for tier, samples, size in rows}

    def by(self, table: str, key: str) -> dict[tuple[str, object], tuple[int, int]]:
        newest = (
            ""
            if table == "space_devices"
            else "WHERE measured_at = (SELECT max(measured_at) FROM space_totals)"
        )
        rows = self.connection.execute(
            f"SELECT tier, {key}, samples, size_bytes FROM {table} {newest}"
        ).fetchall()
        return {(row[0], row[1]): (row[2], row[3]) for row in rows}


@pytest.fixture
def store(connection, app_url, tmp_path) -> Measured:
    return Measured(connection, app_url, tmp_path)


@pytest.fixture
async def all_tiers(store) -> Measured:
    """Three devices with samples in every tier; some of the hot ones have gaps and values that are no numbers."""
    store.connection.execute("INSERT INTO metrics (name, metric_type) VALUES ('a', 'cpu'), ('b', 'memory')")
    devices = [store.device, make_device(store.connection), make_device(store.connection)]
    for number, device in enumerate(devices):
        layout = make_layout(store.connection, device, make_channels(store.connection, "a", "b", "c"))
        for day in (0, 1):
            add_frames(store.connection, device, layout, ramp(200 + number, START + day * DAY, width=3))
        store.device = device
        await store.settle()
        await store.archive("a", "b", "c", devices=[device])
        add_frames(store.connection, device, layout, ramp(70 + number, START + 3 * DAY, width=3))
        gaps = {START + 3 * DAY + 5 * DAY // 24 + n * MINUTE: [1.0, None, float("nan")] for n in range(7)}
        add_frames(store.connection, device, layout, gaps)
    return store


class TestSums:
    async def test_all_are_the_same(self, all_tiers):
        assert await all_tiers.measure() == list(STEPS)
        totals = all_tiers.newest()
        assert set(totals) == set(TIERS)
        assert all(samples > 0 and size > 0 for samples, size in totals.values())
        assert all_tiers.sums("space_groups") == totals
        assert all_tiers.sums("space_devices") == totals
        for tier, statement in TRUTH.items():
            assert totals[tier][1] == all_tiers.connection.execute(statement).fetchone()[0], tier

    async def test_samples_are_those_that_are_there(self, all_tiers):
        await all_tiers.measure()
        totals = all_tiers.newest()
        assert totals["hot"][0] == (70 + 71 + 72) * 3 + 3 * 7
        assert totals["sealed"][0] == (200 + 201 + 202) * 3
        assert totals["archive"][0] == (200 + 201 + 202) * 3
        groups = all_tiers.by("space_groups", "metric_type")
        assert groups["hot", "cpu"][0] == 70 + 71 + 72 + 21
        assert groups["hot", "test"][0] == 70 + 71 + 72
        assert groups["archive", "memory"][0] == 200 + 201 + 202
        devices = all_tiers.by("space_devices", "device_id")
        assert devices["archive", all_tiers.device][0] == 202 * 3

    async def test_more_samples_take_more_bytes(self, all_tiers):
        await all_tiers.measure()
        groups = all_tiers.by("space_groups", "metric_type")
        assert groups["hot", "cpu"][1] > groups["hot", "memory"][1] > 0

    async def test_nothing_at_all(self, store):
        await store.measure()
        totals = store.newest()
        assert [totals[tier][0] for tier in TIERS] == [0, 0, 0, 0]
        assert totals["archive"] == (0, 0)
        assert store.sums("space_devices") == store.sums("space_groups") == {}

    async def test_parts_from_before_rows_were_counted_by_group(self, all_tiers):
        all_tiers.connection.execute("UPDATE archive_parts SET group_rows = '{}'")
        await all_tiers.measure()
        assert all_tiers.sums("space_groups") == all_tiers.newest()


class TestHistory:
    async def test_devices_are_those_of_the_newest_measurement(self, all_tiers):
        await all_tiers.measure()
        all_tiers.connection.execute("DELETE FROM frames")
        await all_tiers.measure()
        assert "hot" not in all_tiers.sums("space_devices")
        assert all_tiers.count("space_totals") == 2 * len(TIERS)

    async def test_old_measurements_go(self, all_tiers):
        await all_tiers.measure()
        connection = all_tiers.connection
        for age in ("400 days", "3 days", "3 days 1 minute", "1 hour"):
            for table, columns in (
                ("space_totals", "tier, samples, size_bytes"),
                ("space_groups", "tier, metric_type, samples, size_bytes"),
            ):
                connection.execute(
                    f"INSERT INTO {table} SELECT date_trunc('day', now()) + interval '12 hours' - interval '{age}', "
                    f"{columns} FROM {table} WHERE measured_at = (SELECT max(measured_at) FROM {table} "
                    f"WHERE measured_at > now() - interval '1 minute')"
                )
        connection.execute(
            "INSERT INTO intake_minutes VALUES (now() - interval '9 days', 'native', 'accepted', '', 1), "
            "(now() - interval '7 days', 'native', 'accepted', '', 1)"
        )
        await all_tiers.measure()
        ages = connection.execute("SELECT count(DISTINCT measured_at) FROM space_totals").fetchone()[0]
        assert ages == 5
        assert connection.execute("SELECT count(DISTINCT measured_at) FROM space_groups").fetchone()[0] == 4
        assert all_tiers.count("intake_minutes") == 1


class TestChannels:
    async def test_each_device_counts_its_own(self, store):
        layout = store.layout("a", "b")
        store.add(layout, {START: [1.0, 2.0]})
        store.layout("b", "c")
        await store.measure()
        rows = store.connection.execute("SELECT device_id, channels FROM space_channels").fetchall()
        assert rows == [(store.device, 3)]


assert DAY_NUMBER == START // DAY


class TestFirst:
    async def test_it_is_measured_as_soon_as_there_is_something(self, app, device, connection):
        async def waits() -> bool:
            asked = await measure_first(app.state.database)
            rows = connection.execute(
                "SELECT count(*) FROM procrastinate_jobs WHERE task_name = %s", (MEASURE_TASK,)
            )
            assert rows.fetchone()[0] == int(asked)
            return asked

        assert not await waits()
        await measure_space(app.state.database)
        assert not await waits()
        await device.send((time.time(), {"cpu_usage_percent": 5.0}))
        await app.state.intake.flush()
        assert await waits()
        connection.execute("DELETE FROM procrastinate_jobs")
        await measure_space(app.state.database)
        assert not await waits()

    @pytest.mark.parametrize(
        ("now", "at"),
        [
            ("2026-11-27T08:18:59+00:00", "2026-11-27T08:19:00+00:00"),
            ("2026-11-27T08:19:00+00:00", "2026-11-27T09:19:00+00:00"),
            ("2026-12-31T23:40:00+00:00", "2027-01-01T00:19:00+00:00"),
        ],
    )
    def test_when_it_is_measured_next(self, now, at):
        assert next_measurement(datetime.fromisoformat(now)) == datetime.fromisoformat(at)
