"""The sealer, the roll-up, the merger, the archiver and deletion, each a process of its own, killed at every boundary.

Before anybody comes to repair it each sample is readable exactly once; after the job has run again the store is as if
nothing had happened.
"""

import itertools
import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import psycopg
import pytest

from fleetkeeper.database.embedded import EmbeddedServer
from fleetkeeper.telemetry.chunks.blocks import DAY
from fleetkeeper.telemetry.rollups.jobs import refresh_rollups
from fleetkeeper.telemetry.rollups.periods import HOUR, Tier, start_of
from tests.factories.archive import DAY_NUMBER, ArchivedStore
from tests.faults import stopping
from tests.fixtures.database import new_database
from tests.fixtures.product import wait_for
from tests.telemetry.rollups.test_hourly import CPU, RAM, of_rollups, without_percentiles
from tests.telemetry.rollups.test_hourly import hours as hours_of_sql
from tests.telemetry.rollups.test_refresh import agree, percentiles_agree, plain, told

Model = dict[str, dict[int, float]]
STEP = DAY // 20
# A job with fewer boundaries than this did not do its work.
FEWEST = 6
# What each example begins without; the device stays.
EVERYTHING = (
    "archive_policy", "archive_files", "archive_parts", "raw_removed", "telemetry_deletions", "chunks",
    "frames", "rollups", "rollup_changes", "hourly_statistics",
)  # fmt: skip


class Installation(ArchivedStore):
    """A device that reports three measures, and what a plain model knows of it."""

    def __init__(self, connection: psycopg.Connection, app_url: str, home: Path) -> None:
        super().__init__(connection, app_url, home)
        connection.execute("DELETE FROM archive_policy")
        self.names = (CPU, RAM, "x")
        self.all_in_one = self.layout(*self.names)
        self.groups = {CPU: "cpu", RAM: "memory", "x": "other"}
        for metric, group in self.groups.items():
            connection.execute("UPDATE metrics SET metric_type = %s WHERE name = %s", (group, metric))
        self.model: Model = {name: {} for name in self.names}
        # What was there before policies took it away; rollups still tell of it.
        self.ever: Model = {name: {} for name in self.names}
        self.held_back: dict[int, list[float | None]] = {}

    def begin_anew(self) -> None:
        """Nothing but the device and its channels is there."""
        for table in EVERYTHING:
            self.connection.execute(f"DELETE FROM {table}")
        shutil.rmtree(self.folder, ignore_errors=True)
        self.model, self.ever = ({name: {} for name in self.names} for _ in range(2))
        self.held_back = {}

    def report(self, number: int) -> None:
        """A day's frames in a row, some of which come with the next day's."""
        start = (DAY_NUMBER + number) * DAY
        rows: dict[int, list[float | None]] = {
            start + n * STEP: [float(n * 7 % 50 + number), 40.0 + n, None if n % 3 else 1.5]
            for n in range(20)
        }
        late = {at: rows.pop(at) for at in sorted(rows)[5:8]}
        self.add_rows(self.held_back | rows)
        self.held_back = late

    def add_rows(self, rows: dict[int, list[float | None]]) -> None:
        self.add(self.all_in_one, rows)
        for at, values in rows.items():
            for name, value in zip(self.names, values, strict=True):
                if value is not None:
                    self.model[name][at] = self.ever[name][at] = value

    def forget(self, name: str, before_day: int) -> None:
        """A policy takes raw samples."""
        kept = {at: value for at, value in self.model[name].items() if at // DAY >= before_day}
        self.model[name] = kept

    @property
    def readable(self) -> Model:
        return {name: dict(sorted(series.items())) for name, series in self.model.items() if series}

    def run(self, job: str, *, today: int, kill_at: int = 0) -> bool:
        """Run a job as on noon of a day; returns whether it was killed."""
        now = ((DAY_NUMBER + today) * DAY + DAY // 2) / 1e6
        was_killed = stopping.run(job, self.app_url, self.settings.home, now, kill_at=kill_at)
        # The server ends the session of a client that is gone, and frees its locks, as soon as it notices.
        wait_for("end of the session", lambda: not self.sessions_of_jobs())
        return was_killed

    def sessions_of_jobs(self) -> int:
        row = self.connection.execute(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() "
            "AND pid <> pg_backend_pid() AND backend_type = 'client backend'"
        ).fetchone()
        return int(row[0])

    def stored_samples(self) -> int:
        """How many samples lie in all tiers together: more than there are when one lies in two."""
        row = self.connection.execute("""
            SELECT (SELECT count(v) FROM frames, unnest("values") AS v)
                 + (SELECT coalesce(sum(samples), 0) FROM chunks WHERE channel_id > 0)
                 + (SELECT coalesce(sum(p.rows), 0) FROM archive_parts p
                    JOIN archive_files f ON f.id = p.file_id AND f.state = 'live')
        """).fetchone()
        return int(row[0])

    async def assert_whole(self) -> None:
        """As if nothing had happened."""
        assert await self.read_all() == self.readable
        assert self.stored_samples() == sum(len(series) for series in self.model.values())
        locks = self.connection.execute(
            "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'"
        ).fetchone()
        assert locks == (0,)
        states = dict(self.connection.execute("SELECT path, state FROM archive_files").fetchall())
        assert set(states.values()) <= {"live", "gone"}
        on_disk = {str(path.relative_to(self.folder)) for path in self.folder.rglob("*") if path.is_file()}
        assert on_disk == set(states)

    async def assert_summed_up(self) -> None:
        """Rollups are the aggregates of all samples that ever were, and SQL sees the same hours."""
        assert self.count("rollup_changes") == 0
        agree(await told(self, Tier.HOUR), plain(self.ever, lambda at: at // HOUR * HOUR))
        for tier in (Tier.DAY, Tier.WEEK, Tier.MONTH):
            wanted = plain(self.ever, lambda at, tier=tier: start_of(tier, at // DAY) * DAY)
            agree(await told(self, tier), wanted)
        await percentiles_agree(self, Tier.HOUR, self.ever, HOUR)
        await percentiles_agree(self, Tier.DAY, self.ever, DAY)
        assert without_percentiles(hours_of_sql(self)) == await of_rollups(self)


@pytest.fixture
async def database_url(server: EmbeddedServer) -> AsyncIterator[str]:
    """One that nobody else is connected to."""
    async with new_database(server) as url:
        yield url


@pytest.fixture
def installation(connection: psycopg.Connection, app_url: str, tmp_path: Path) -> Installation:
    return Installation(connection, app_url, tmp_path / "home")


async def begin(installation: Installation) -> None:
    """A day in a file; another one in frames, with late samples of the first."""
    installation.begin_anew()
    installation.report(1)
    await installation.settle()
    await installation.archive(day=DAY_NUMBER + 1)
    installation.report(2)


async def seal_half(installation: Installation) -> None:
    await installation.seal((DAY_NUMBER + 2) * DAY + 12 * STEP)
    await refresh_rollups(installation.app_url, installation.settings)


def is_between(found: Model, before: Model, after: Model) -> bool:
    """All that stays is there, and nothing that never was."""
    return all(
        after.get(name, {}).items() <= found.get(name, {}).items() <= before.get(name, {}).items()
        for name in before.keys() | found.keys()
    )


async def run_killed(installation: Installation, job: str, number: int, before: Model) -> bool:
    """Kill a job at a boundary and let it run again; returns whether it came so far."""
    was_killed = installation.run(job, today=5, kill_at=number)
    assert is_between(await installation.read_all(), before, installation.readable)
    if was_killed:
        assert not installation.run(job, today=5)
    await installation.assert_whole()
    # What waits for the next roll-up, which runs with each sealing.
    await refresh_rollups(installation.app_url, installation.settings)
    await installation.assert_summed_up()
    return was_killed


async def test_the_sealer_and_the_roll_up(installation: Installation) -> None:
    for number in itertools.count(1):
        await begin(installation)
        was_killed = await run_killed(installation, "seal", number, installation.readable)
        assert installation.count("frames") == 0
        if not was_killed:
            break
    assert number > FEWEST


async def test_the_merger(installation: Installation) -> None:
    for number in itertools.count(1):
        await begin(installation)
        await seal_half(installation)
        await installation.settle()
        scattered = len(installation.axes())
        was_killed = await run_killed(installation, "merge", number, installation.readable)
        assert len(installation.axes()) < scattered
        if not was_killed:
            break
    assert number >= 3


async def test_the_archiver_and_retention(installation: Installation) -> None:
    """A day becomes a file; another file loses a metric that a policy takes, and chunks lose it too."""
    for number in itertools.count(1):
        await begin(installation)
        await installation.settle()
        installation.connection.execute(
            "INSERT INTO archive_policy (archive_enabled, archive_after_days, metric_group, downsample_enabled, "
            "downsample_after_days) VALUES (false, 1, NULL, false, 7), (false, 1, 'cpu', true, 3)"
        )
        before = installation.readable
        installation.forget(CPU, DAY_NUMBER + 2)
        was_killed = await run_killed(installation, "retain", number, before)
        assert installation.count("chunks") == 0
        await installation.clean()
        assert len(installation.files()) == len(installation.live())
        if not was_killed:
            break
    assert number > FEWEST


async def test_the_uniting_of_small_files(installation: Installation) -> None:
    installation.connection.execute(
        "INSERT INTO archive_policy (archive_enabled, archive_after_days, downsample_enabled, downsample_after_days) "
        "VALUES (false, 1, false, 7)"
    )
    for number in itertools.count(1):
        installation.begin_anew()
        for late in range(4):
            start = (DAY_NUMBER + 1) * DAY + late * STEP // 4
            installation.add_rows({start + n * STEP: [float(n), 40.0, float(late)] for n in range(5)})
            await installation.settle()
            await installation.archive(day=DAY_NUMBER + 1)
        assert len(installation.live()) == 4
        was_killed = await run_killed(installation, "retain", number, installation.readable)
        assert len(installation.live()) == 1
        if not was_killed:
            break
    assert number > FEWEST


async def test_deletion(installation: Installation) -> None:
    """Of a metric that lies in frames, chunks, files and rollups."""
    for number in itertools.count(1):
        await begin(installation)
        await seal_half(installation)
        before = installation.readable
        assert before["x"]
        installation.model["x"], installation.ever["x"] = {}, {}
        installation.connection.execute(
            "INSERT INTO telemetry_deletions (id, device_id, metric) VALUES (uuidv7(), %s, 'x')",
            (installation.device,),
        )
        if not await run_killed(installation, "delete", number, before):
            break
    assert number > FEWEST
