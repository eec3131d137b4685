"""The store as a state machine: whatever happens in whatever order, each sample is readable exactly once."""

import asyncio
from typing import Any

import psycopg
import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test
from psycopg import AsyncConnection

from fleetkeeper.telemetry.chunks import queries
from fleetkeeper.telemetry.chunks.blocks import DAY
from fleetkeeper.telemetry.chunks.service import merge_day, seal_device
from fleetkeeper.telemetry.rollups import jobs as rollups
from fleetkeeper.telemetry.rollups.periods import HOUR, Tier
from tests.telemetry.chunks.test_sealing import START, Store
from tests.telemetry.rollups.test_refresh import agree, percentiles_agree, plain, told

SLOTS = 40
STEP = DAY // 30
LAYOUTS = (("a",), ("a", "b"), ("c",))
Model = dict[str, dict[int, float]]


class Lifecycle(RuleBasedStateMachine):
    """Frames are sent, repeated and late; they are sealed, merged and rolled up; processes die in the middle."""

    connection: psycopg.Connection
    app_url: str

    def __init__(self) -> None:
        super().__init__()
        self.store = Store(self.connection, self.app_url)
        self.layouts = [self.store.layout(*names) for names in LAYOUTS]
        self.model: Model = {}
        self.taken: set[int] = set()
        self.sealed_to = 0

    @rule(
        slots=st.sets(st.integers(0, SLOTS - 1), min_size=1, max_size=8),
        kind=st.integers(0, len(LAYOUTS) - 1),
        number=st.integers(0, 9),
    )
    def send(self, slots: set[int], kind: int, number: int) -> None:
        """New, repeated and late frames alike; the first that was acknowledged counts."""
        names = LAYOUTS[kind]
        rows: dict[int, list[float | None]] = {}
        for slot in slots:
            # Each kind of frame has moments of its own, as a device's own agent has.
            at = START + slot * STEP + kind
            rows[at] = [float(number + slot) for _ in names]
            for name, value in zip(names, rows[at], strict=True):
                self.model.setdefault(name, {}).setdefault(at, value)
        self.store.add(self.layouts[kind], rows)

    @rule(until=st.integers(0, SLOTS))
    def seal(self, until: int) -> None:
        asyncio.run(self.store.seal(START + until * STEP))

    @rule(day=st.integers(0, 2))
    def merge(self, day: int) -> None:
        asyncio.run(self.store.merge(START // DAY + day))

    @rule()
    def roll_up(self) -> None:
        asyncio.run(rollups.refresh_rollups(self.app_url))

    @rule(step=st.sampled_from(["store_blocks", "delete_frames", "delete_chunks"]), is_merge=st.booleans())
    def die(self, step: str, is_merge: bool) -> None:
        asyncio.run(self._die(step, is_merge=is_merge))

    async def _die(self, step: str, *, is_merge: bool) -> None:
        connection = await AsyncConnection.connect(
            self.app_url, autocommit=True, options="-c role=fleetkeeper_whole_fleet"
        )
        inner = getattr(queries, step)

        async def killed(*arguments: Any) -> Any:
            await inner(*arguments)
            self.connection.execute("SELECT pg_terminate_backend(%s)", (connection.info.backend_pid,))
            await connection.execute("SELECT 1")

        setattr(queries, step, killed)
        try:
            if is_merge:
                await merge_day(connection, self.store.device, START // DAY)
            else:
                await seal_device(connection, self.store.device, 2**51)
        except psycopg.OperationalError:
            pass
        finally:
            setattr(queries, step, inner)
            await connection.close()

    @invariant()
    def each_sample_is_there_once(self) -> None:
        assert asyncio.run(self.store.read()) == self.model

    @invariant()
    def chunks_do_not_overlap(self) -> None:
        overlapping = self.connection.execute(
            "SELECT count(*) FROM chunks x JOIN chunks y USING (device_id, channel_id) "
            "WHERE device_id = %s AND channel_id > 0 AND x.start < y.start AND y.start <= x.ends",
            (self.store.device,),
        ).fetchone()
        assert overlapping == (0,)

    def teardown(self) -> None:
        """In the end everything is sealed, and each rollup is the aggregate of its samples."""
        asyncio.run(self._settle())

    async def _settle(self) -> None:
        await self.store.seal()
        await rollups.refresh_rollups(self.app_url)
        agree(await told(self.store, Tier.HOUR), plain(self.model, lambda at: at // HOUR * HOUR))
        agree(await told(self.store, Tier.DAY), plain(self.model, lambda at: at // DAY * DAY))
        await percentiles_agree(self.store, Tier.HOUR, self.model, HOUR)
        await percentiles_agree(self.store, Tier.DAY, self.model, DAY)


@pytest.mark.filterwarnings("ignore::hypothesis.errors.NonInteractiveExampleWarning")
def test_nothing_is_lost_or_doubled(connection: psycopg.Connection, app_url: str) -> None:
    machine = type("ThisLifecycle", (Lifecycle,), {"connection": connection, "app_url": app_url})
    wanted = settings(
        max_examples=25,
        stateful_step_count=15,
        deadline=None,
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
    )
    run_state_machine_as_test(machine, settings=wanted)
