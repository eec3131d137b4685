"""Rollup rows in slices of channels: the same numbers, of which a question reads few."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fleetkeeper.database.context import product_context
from fleetkeeper.database.engine import Database
from fleetkeeper.identity.actor import product_actor
from fleetkeeper.settings.telemetry import TelemetrySettings
from fleetkeeper.telemetry.explore.service import FleetQuery, query_fleet
from fleetkeeper.telemetry.rollups import jobs, packing, queries
from fleetkeeper.telemetry.rollups.packing import (
    SLICE,
    UNSLICED,
    joined,
    pack,
    sliced,
    slices_of,
    unpack,
    unpack_sketches,
)
from fleetkeeper.telemetry.rollups.periods import HOUR
from fleetkeeper.telemetry.rollups.sketches import sketch_of
from fleetkeeper.telemetry.rollups.statistics import NAMES, Statistics
from tests.factories.telemetry import moment
from tests.telemetry.chunks.test_sealing import START, Store

CHANNELS = [f"c{n:02}" for n in range(40)]


@pytest.fixture
def store(connection, app_url) -> Store:
    return Store(connection, app_url)


@given(st.sets(st.integers(1, 200), min_size=1, max_size=60), st.integers(1, 24), st.booleans())
def test_slices_are_the_row(channels, buckets, with_sketches):
    random = np.random.default_rng(len(channels))
    shape = len(channels), buckets
    whole = Statistics(
        np.array(sorted(channels), np.int32),
        random.integers(0, 9, shape),
        *(random.normal(0, 9, shape) for _ in NAMES),
    )
    sketches = [sketch_of(random.normal(5, 3, n % 4)) for n in range(len(channels))]
    row = pack(whole, sketches if with_sketches else None)
    parts = sliced(row)
    assert [number for number, _ in parts] == slices_of(channels)[1:]
    for number, part in parts:
        assert {channel // SLICE for channel in part.channel_ids} == {number}
    again = joined([part for _, part in parts])
    assert again.channel_ids == row.channel_ids
    for name in ("counts", *NAMES):
        assert np.array_equal(getattr(unpack(again), name), getattr(whole, name))
    if with_sketches:
        for one, other in zip(unpack_sketches(again.sketches), sketches, strict=True):
            assert np.array_equal(one.bins, other.bins)
            assert np.array_equal(one.counts, other.counts)


async def ask(store: Store, aggregate: str) -> dict[str, list[float | None]]:
    database = Database(store.app_url, pool_size=1)
    query = FleetQuery(
        [CHANNELS[0], CHANNELS[39]], moment(START), moment(START + 30 * HOUR), aggregate=aggregate,
        step="hour" if aggregate == "avg" else "day", whole=True, explain=True,
    )  # fmt: skip
    async with database.session(product_context("job", "test")) as session:
        answer = await query_fleet(session, product_actor("job", "test"), query, TelemetrySettings())
    await database.close()
    assert {part.source for part in answer.plan} <= {"hour", "day"}
    return {series.metric: [value for _, value in series.points] for series in answer.series}


@pytest.mark.parametrize("aggregate", ["avg", "p95"])
async def test_rows_from_before_answer_as_slices_do(store, monkeypatch, aggregate):
    layout = store.layout(*CHANNELS)
    store.add(layout, {START + n * HOUR // 4: [float(n * 100 + c) for c in range(40)] for n in range(200)})
    await store.seal()
    with monkeypatch.context() as patch:
        patch.setattr(queries, "sliced", lambda row: [(UNSLICED, row)])
        await jobs.refresh_rollups(store.app_url)
    assert store.connection.execute("SELECT DISTINCT slice FROM rollups").fetchall() == [(UNSLICED,)]
    before = await ask(store, aggregate)
    store.connection.execute(
        "INSERT INTO rollup_changes SELECT device_id, (start AT TIME ZONE 'UTC')::date FROM rollups WHERE tier = 1"
    )
    await jobs.refresh_rollups(store.app_url)
    held = store.connection.execute("SELECT slice, channel_ids FROM rollups").fetchall()
    assert len({number for number, _ in held}) >= 3
    assert all(channel // packing.SLICE == number for number, channels in held for channel in channels)
    assert await ask(store, aggregate) == before
    assert all(value is not None for value in before["c39"])
