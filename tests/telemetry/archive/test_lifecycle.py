"""The store as a state machine, with the archive: whatever happens in whatever order, nothing is lost or doubled."""

import asyncio
import tempfile
from pathlib import Path
from types import ModuleType
from typing import Any

import psycopg
import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test
from psycopg import AsyncConnection

from fleetkeeper.database.context import product_context
from fleetkeeper.database.engine import Database
from fleetkeeper.identity.actor import product_actor
from fleetkeeper.settings.telemetry import TelemetrySettings
from fleetkeeper.telemetry.archive import queries, runs, service
from fleetkeeper.telemetry.chunks import queries as chunk_queries
from fleetkeeper.telemetry.chunks.blocks import DAY
from fleetkeeper.telemetry.explore.service import FleetQuery, query_fleet
from fleetkeeper.telemetry.rollups import jobs as rollups
from fleetkeeper.telemetry.rollups import queries as rollup_queries
from fleetkeeper.telemetry.rollups.periods import HOUR, Tier
from tests.factories.archive import DAY_NUMBER, ArchivedStore
from tests.factories.telemetry import add_parts, moment
from tests.telemetry.chunks.test_lifecycle import LAYOUTS, SLOTS, STEP, Model
from tests.telemetry.chunks.test_sealing import START
from tests.telemetry.rollups.test_refresh import agree, plain, told

DAYS = st.integers(0, 2)
# Channels that senders deliver one by one.
PARTS = ("d", "e")
# Each example begins with nothing: runs are about the whole fleet.
EVERYTHING = (
    "archive_policy", "archive_files", "archive_parts", "raw_removed", "telemetry_deletions", "chunks", "frames",
    "rollups", "rollup_changes", "hourly_statistics", "device_layouts", "latest", "devices",
)  # fmt: skip
NAMES = st.sets(st.sampled_from("abc"), min_size=1)


class ArchiveLifecycle(RuleBasedStateMachine):
    """Frames are sent, sealed, merged, summed up, archived, kept by policy and deleted; processes die in the middle."""

    connection: psycopg.Connection
    app_url: str

    def __init__(self) -> None:
        super().__init__()
        for table in EVERYTHING:
            self.connection.execute(f"DELETE FROM {table}")
        self.folder = tempfile.TemporaryDirectory()
        self.store = ArchivedStore(self.connection, self.app_url, Path(self.folder.name))
        self.layouts = [self.store.layout(*names) for names in LAYOUTS]
        self.home = self.store.layout(*PARTS)
        self.model: Model = {}
        # Rollups of days whose raw samples a policy removed are final, which the plain model does not know.
        self.has_final_rollups = False

    @rule(
        slots=st.sets(st.integers(0, SLOTS - 1), min_size=1, max_size=8),
        kind=st.integers(0, len(LAYOUTS) - 1),
        number=st.integers(0, 9),
    )
    def send(self, slots: set[int], kind: int, number: int) -> None:
        """New, repeated and late frames alike; the first that was acknowledged counts."""
        rows: dict[int, list[float | None]] = {}
        for slot in slots:
            at = START + slot * STEP + kind
            rows[at] = [float(number + slot) for _ in LAYOUTS[kind]]
            for name, value in zip(LAYOUTS[kind], rows[at], strict=True):
                self.model.setdefault(name, {}).setdefault(at, value)
        self.store.add(self.layouts[kind], rows)

    @rule(
        slots=st.sets(st.integers(0, SLOTS - 1), min_size=1, max_size=8),
        name=st.sampled_from(PARTS),
        number=st.integers(0, 9),
    )
    def send_a_part(self, slots: set[int], name: str, number: int) -> None:
        """What a sender delivers: one channel of a moment in one request, the other in another."""
        rows: dict[int, list[float | None]] = {}
        for slot in slots:
            at = START + slot * STEP + len(LAYOUTS)
            rows[at] = [float(number + slot) if name == part else None for part in PARTS]
            self.model.setdefault(name, {}).setdefault(at, float(number + slot))
        add_parts(self.connection, self.store.device, self.home, rows)

    @rule(until=st.integers(0, SLOTS))
    def seal(self, until: int) -> None:
        asyncio.run(self.store.seal(START + until * STEP))

    @rule(day=DAYS)
    def merge(self, day: int) -> None:
        asyncio.run(self.store.merge(DAY_NUMBER + day))

    @rule()
    def roll_up(self) -> None:
        asyncio.run(rollups.refresh_rollups(self.app_url, self.store.settings))

    @rule(day=DAYS, names=NAMES)
    def archive(self, day: int, names: set[str]) -> None:
        asyncio.run(self.store.archive(*names, day=DAY_NUMBER + day))

    @rule(
        day=DAYS,
        step=st.sampled_from(["begin_file", "waits_for_rollups", "register_file", "delete_channels"]),
    )
    def die_archiving(self, day: int, step: str) -> None:
        with self._killer(queries, step):
            asyncio.run(self.store.archive(day=DAY_NUMBER + day))

    @rule(step=st.sampled_from(["hot_blocks", "delete_chunks", "store_blocks", "delete_frames"]))
    def die_sealing(self, step: str) -> None:
        with self._killer(chunk_queries, step):
            asyncio.run(self.store.seal())

    @rule(day=DAYS, step=st.sampled_from(["delete_chunks", "store_blocks"]))
    def die_merging(self, day: int, step: str) -> None:
        with self._killer(chunk_queries, step):
            asyncio.run(self.store.merge(DAY_NUMBER + day))

    @rule(step=st.sampled_from(["take_change", "store"]))
    def die_rolling_up(self, step: str) -> None:
        with self._killer(rollup_queries, step):
            asyncio.run(rollups.refresh_rollups(self.app_url, self.store.settings))

    @rule(name=st.sampled_from("abc"), step=st.sampled_from(["begin_file", "register_file", "retire_file"]))
    def die_rewriting(self, name: str, step: str) -> None:
        with self._killer(queries, step):
            asyncio.run(self._rewrite(name))

    async def _rewrite(self, name: str) -> None:
        connection = await AsyncConnection.connect(
            self.app_url, autocommit=True, options="-c role=fleetkeeper_whole_fleet"
        )
        async with connection:
            for file in await queries.live_files(connection):
                # Killed right after its last step it would be done; the copy keeps everything.
                await service.rewrite_file(connection, self.store.settings, file, lambda segment: segment)

    def _killer(self, owner: ModuleType, step: str) -> Any:
        connection = self.connection

        class Killer:
            def __enter__(self) -> None:
                self.inner = getattr(owner, step)

                async def killed(own: AsyncConnection[Any], *arguments: Any) -> None:
                    await self.inner(own, *arguments)
                    connection.execute("SELECT pg_terminate_backend(%s)", (own.info.backend_pid,))
                    await own.execute("SELECT 1")

                setattr(owner, step, killed)

            def __exit__(self, kind: type[BaseException] | None, *_: object) -> bool:
                setattr(owner, step, self.inner)
                return kind is not None and issubclass(kind, psycopg.OperationalError)

        return Killer()

    @rule()
    def clean(self) -> None:
        asyncio.run(self.store.clean())

    @rule(days=st.integers(1, 4), archive_after=st.integers(1, 2))
    def retain(self, days: int, archive_after: int) -> None:
        """A run on the day that lies so many days after the first one; raw samples go after three."""
        self.connection.execute(
            "INSERT INTO archive_policy (archive_after_days, retention_days) VALUES (%s, 3)", (archive_after,)
        )
        asyncio.run(self._retain(days))
        self.connection.execute("DELETE FROM archive_policy")
        for name, series in list(self.model.items()):
            kept = {at: value for at, value in series.items() if at // DAY >= DAY_NUMBER + days - 3}
            self.has_final_rollups = self.has_final_rollups or len(kept) < len(series)
            self.model[name] = kept
        self.model = {name: series for name, series in self.model.items() if series}

    async def _retain(self, days: int) -> None:
        await self.store.seal()
        database = Database(self.app_url, pool_size=1)
        found = await runs.retain(database, self.store.settings, now=(DAY_NUMBER + days) * DAY / 1e6)
        await database.close()
        assert found is not None
        assert found.errors == []

    @rule(name=st.sampled_from(["a", "b", "c", *PARTS, None]))
    def delete(self, name: str | None) -> None:
        """One metric of the device, or all that it has."""
        self.connection.execute(
            "INSERT INTO telemetry_deletions (id, device_id, metric) VALUES (uuidv7(), %s, %s)",
            (self.store.device, name),
        )
        asyncio.run(self._delete())
        if name is None:
            self.model.clear()
        self.model.pop(name, None)

    async def _delete(self) -> None:
        database = Database(self.app_url, pool_size=1)
        assert await runs.delete_requested(database, self.store.settings) == 1
        await database.close()

    @rule(name=st.sampled_from(["a", "b", "c", *PARTS]), what=st.sampled_from(["sum", "count", "max"]))
    def ask(self, name: str, what: str) -> None:
        """A question over the fleet by hours: rollups answer what they can, and samples the rest."""
        if self.has_final_rollups:
            return
        hours: dict[int, list[float]] = {}
        for at, value in self.model.get(name, {}).items():
            hours.setdefault(at // HOUR * HOUR, []).append(value)
        function = {"sum": sum, "count": len, "max": max}[what]
        wanted = {start / 1e6: function(values) for start, values in hours.items()}
        assert asyncio.run(self._ask(name, what)) == wanted

    async def _ask(self, name: str, what: str) -> dict[float, float]:
        first, following = moment(DAY_NUMBER * DAY), moment((DAY_NUMBER + 3) * DAY)
        query = FleetQuery([name], first, following, aggregate=what, by=(), step="hour")
        database = self.store.database()
        async with database.session(product_context("job", "test")) as session:
            answer = await query_fleet(session, product_actor("job", "test"), query, TelemetrySettings())
        await database.close()
        return {
            at: value
            for series in answer.series
            for at, value in series.points
            if value is not None and (what != "count" or value)
        }

    @invariant()
    def each_sample_is_there_once(self) -> None:
        found = asyncio.run(self.store.read_all())
        assert found == {name: dict(sorted(series.items())) for name, series in self.model.items()}

    def teardown(self) -> None:
        """In the end everything is sealed and each rollup is the aggregate of its samples."""
        asyncio.run(self._settle())
        self.folder.cleanup()

    async def _settle(self) -> None:
        await self.store.settle()
        if not self.has_final_rollups:
            agree(await told(self.store, Tier.HOUR), plain(self.model, lambda at: at // HOUR * HOUR))
            agree(await told(self.store, Tier.DAY), plain(self.model, lambda at: at // DAY * DAY))
        await self.store.clean()
        known = {row[0] for row in self.connection.execute("SELECT path FROM archive_files").fetchall()}
        assert {str(path.relative_to(self.store.folder)) for path in self.store.files()} <= known


@pytest.mark.filterwarnings("ignore::hypothesis.errors.NonInteractiveExampleWarning")
def test_nothing_is_lost_or_doubled(connection: psycopg.Connection, app_url: str) -> None:
    machine = type("ThisLifecycle", (ArchiveLifecycle,), {"connection": connection, "app_url": app_url})
    wanted = settings(
        max_examples=15,
        stateful_step_count=14,
        deadline=None,
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
    )
    run_state_machine_as_test(machine, settings=wanted)
