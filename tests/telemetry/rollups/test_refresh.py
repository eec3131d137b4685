"""Rollups equal the aggregates of the samples, late ones included, and only what changed is made anew."""

import numpy as np
import pytest
from psycopg import IsolationLevel
from psycopg.errors import SerializationFailure

from fleetkeeper.telemetry.chunks.blocks import DAY
from fleetkeeper.telemetry.chunks.jobs import sealing_connection
from fleetkeeper.telemetry.rollups import jobs, queries
from fleetkeeper.telemetry.rollups.packing import unpack, unpack_quantiles, unpack_sketches
from fleetkeeper.telemetry.rollups.periods import HOUR, Tier, end_of, start_of
from fleetkeeper.telemetry.rollups.quantiles import SHARES
from fleetkeeper.telemetry.rollups.sketches import quantiles, side_by_side
from tests.telemetry.chunks.test_sealing import START, Store

TODAY = START // DAY
QUARTER = HOUR // 4


@pytest.fixture
def store(connection, app_url) -> Store:
    return Store(connection, app_url)


async def told(store: Store, tier: Tier, first_day: int = 0, next_day: int = 25_000):
    """Count, sum, min, max, last and the median of each bucket, by channel's name and the bucket's first moment."""
    names = dict(store.connection.execute("SELECT id, key FROM channels").fetchall())
    found = {}
    async with sealing_connection(store.app_url) as connection:
        rows = await queries.rows_between(connection, store.device, tier, first_day, next_day)
    for day, row in rows:
        statistics = unpack(row)
        sketches = unpack_sketches(row.sketches) if row.sketches else None
        for place, channel in enumerate(row.channel_ids):
            for bucket in np.flatnonzero(statistics.counts[place]).tolist():
                arrays = (
                    statistics.counts,
                    statistics.sums,
                    statistics.mins,
                    statistics.maxs,
                    statistics.lasts,
                )
                values = [array[place, bucket].item() for array in arrays]
                if sketches:
                    values.append(quantiles(side_by_side([sketches[place]]), 0.5).item())
                found[names[channel], day * DAY + bucket * HOUR] = values
    return found


def plain(samples, bucket_of):
    found = {}
    for name, series in samples.items():
        buckets: dict[int, list[float]] = {}
        for at in sorted(series):
            buckets.setdefault(bucket_of(at), []).append(series[at])
        for start, values in buckets.items():
            found[name, start] = [len(values), sum(values), min(values), max(values), values[-1]]
    return found


async def percentiles_agree(store: Store, tier: Tier, samples, width: int) -> None:
    """The median and the 95th percentile of each bucket are those of its samples."""
    names = dict(store.connection.execute("SELECT id, key FROM channels").fetchall())
    buckets: dict[tuple[str, int], list[float]] = {}
    for name, series in samples.items():
        for at, value in series.items():
            buckets.setdefault((name, at // width * width), []).append(value)
    async with sealing_connection(store.app_url) as connection:
        rows = await queries.rows_between(connection, store.device, tier, 0, 25_000)
    found = {}
    for day, row in rows:
        of_row = unpack_quantiles(row)
        for _, place, bucket in np.argwhere(~np.isnan(of_row)).tolist():
            found[names[row.channel_ids[place]], day * DAY + bucket * HOUR] = of_row[
                :, place, bucket
            ].tolist()
    assert found == {key: pytest.approx(np.quantile(values, SHARES)) for key, values in buckets.items()}


def agree(found, wanted, samples_of=None) -> None:
    assert found.keys() == wanted.keys()
    for key, values in wanted.items():
        assert found[key][:5] == pytest.approx(values), key


async def fill(store: Store, days: int = 40) -> None:
    """Every quarter of an hour something, with a channel that is there on some days only."""
    random = np.random.default_rng(5)
    both, one = store.layout("a", "b"), store.layout("c")
    for day in range(days):
        start = (TODAY + day) * DAY
        store.add(
            both,
            {
                start + n * QUARTER: [
                    round(float(v), 3) if random.random() > 0.1 else None for v in random.normal(50, 9, 2)
                ]
                for n in range(0, 96, 1 + day % 3)
            },
        )
        if day % 5 == 0:
            store.add(one, {start + 7 + n * HOUR: [float(n)] for n in range(3)})
    await store.seal()


class TestRefresh:
    async def test_each_tier_equals_its_samples(self, store):
        await fill(store)
        assert await jobs.refresh_rollups(store.app_url) == 40
        samples = await store.read()
        agree(await told(store, Tier.HOUR), plain(samples, lambda at: at // HOUR * HOUR))
        await percentiles_agree(store, Tier.HOUR, samples, HOUR)
        await percentiles_agree(store, Tier.DAY, samples, DAY)
        for tier in (Tier.DAY, Tier.WEEK, Tier.MONTH):
            wanted = plain(samples, lambda at, tier=tier: start_of(tier, at // DAY) * DAY)
            found = await told(store, tier)
            agree(found, wanted)
            for (name, start), values in found.items():
                inside = [v for at, v in samples[name].items() if start_of(tier, at // DAY) * DAY == start]
                low, high = (
                    np.quantile(inside, 0.5, method="lower"),
                    np.quantile(inside, 0.5, method="higher"),
                )
                assert low * 0.99 - 1e-9 <= values[5] <= high * 1.01 + 1e-9

    async def test_late_frames_refresh_their_periods_and_no_other(self, store):
        await fill(store, 10)
        await jobs.refresh_rollups(store.app_url)
        versions = "SELECT tier, start, xmin::text FROM rollups ORDER BY 1, 2"
        before = {row[:2]: row[2] for row in store.connection.execute(versions)}
        store.add(store.layout("a", "b"), {(TODAY + 3) * DAY + 5: [1000.0, -1000.0]})
        await store.seal()
        assert await jobs.refresh_rollups(store.app_url) == 1
        after = {row[:2]: row[2] for row in store.connection.execute(versions)}
        changed = {key for key in after if before.get(key) != after[key]}
        assert len(changed) == 4
        samples = await store.read()
        agree(await told(store, Tier.WEEK), plain(samples, lambda at: start_of(Tier.WEEK, at // DAY) * DAY))

    async def test_nothing_changed_nothing_made(self, store):
        await fill(store, 1)
        assert await jobs.refresh_rollups(store.app_url) == 1
        assert await jobs.refresh_rollups(store.app_url) == 0

    async def test_a_change_that_is_not_seen_is_not_taken(self, store):
        """Whose view of the data is older than the second of two changes must not take both away."""
        day = [(store.device, TODAY)]
        async with sealing_connection(store.app_url) as sealer, sealing_connection(store.app_url) as summer:
            async with sealer.transaction():
                await queries.note_changes(sealer, day)
            await summer.set_isolation_level(IsolationLevel.REPEATABLE_READ)
            with pytest.raises(SerializationFailure):
                async with summer.transaction():
                    await summer.execute("SELECT FROM chunks LIMIT 1")
                    async with sealer.transaction():
                        await queries.note_changes(sealer, day)
                    await queries.take_change(summer, store.device, TODAY)
        assert store.connection.execute("SELECT count(*) FROM rollup_changes").fetchone() == (1,)

    async def test_what_is_not_sealed_is_not_in(self, store):
        store.add(store.layout("a"), {START: [1.0], START + HOUR: [2.0]})
        await store.seal(START + 1)
        await jobs.refresh_rollups(store.app_url)
        assert await told(store, Tier.HOUR) == {("a", START): [1, 1.0, 1.0, 1.0, 1.0]}


class TestPeriods:
    @pytest.mark.parametrize("day", [0, 3, 4, 58, 59, 20_000, 20_361])
    @pytest.mark.parametrize("tier", Tier)
    def test_a_day_lies_in_its_period(self, tier, day):
        assert start_of(tier, day) <= day < end_of(tier, day)
        assert start_of(tier, end_of(tier, day)) == end_of(tier, day)
        assert start_of(tier, start_of(tier, day)) == start_of(tier, day)

    def test_weeks_begin_on_monday(self):
        assert start_of(Tier.WEEK, 20_000) == 19_996  # Friday 2024-10-04, Monday 2024-09-30

    def test_months_begin_on_the_first(self):
        assert (start_of(Tier.MONTH, 20_000), end_of(Tier.MONTH, 20_000)) == (19_997, 20_028)
