"""The hours that SQL sees are those of the rollups: exact, incremental, and gone when those go."""

from datetime import datetime
from uuid import UUID

import numpy as np
import pytest

from fleetkeeper.telemetry.chunks.blocks import DAY
from fleetkeeper.telemetry.rollups import jobs
from fleetkeeper.telemetry.rollups.periods import HOUR, Tier
from tests.factories.telemetry import make_device, moment
from tests.telemetry.archive.test_runs import Keeper
from tests.telemetry.chunks.test_sealing import MINUTE
from tests.telemetry.rollups.test_refresh import TODAY, told
from tests.telemetry.test_views import HOURLY_STATISTICS

CPU, RAM = "cpu_usage_percent", "memory_usage_percent"
START = TODAY * DAY


@pytest.fixture
def store(connection, app_url, tmp_path) -> Keeper:
    connection.execute("DELETE FROM archive_policy")
    return Keeper(connection, app_url, tmp_path)


def fill(store: Keeper, days: int = 2, *, step_us: int = 5 * MINUTE, start_us: int = START) -> None:
    """Processor use with gaps, memory on even days only, and hours without either."""
    random = np.random.default_rng(7)
    both, cpu = store.layout(CPU, RAM, "x"), store.layout(CPU)
    for day in range(days):
        rows: dict[int, list[float | None]] = {}
        for at in range(start_us + day * DAY, start_us + (day + 1) * DAY, step_us):
            if at // HOUR % 24 in (3, 4):
                continue
            load = round(float(random.normal(50, 20)), 2) if random.random() > 0.1 else None
            rows[at] = [load, 40.0 + day, 1.0] if day % 2 == 0 else [load]
        store.add(both if day % 2 == 0 else cpu, rows)


def hours(store: Keeper, digits: int = 9) -> dict[tuple[datetime, UUID], tuple]:
    rows = store.connection.execute("SELECT * FROM hourly_performance_stats").fetchall()
    assert len({row[:2] for row in rows}) == len(rows)
    return {row[:2]: rounded(*row[2:], digits=digits) for row in rows}


async def of_rollups(store: Keeper) -> dict[tuple[datetime, UUID], tuple]:
    """Samples, average and maximum of both measures, as the rollups have them."""
    found: dict[tuple[datetime, UUID], dict[str, tuple]] = {}
    for (key, start), (count, total, _, most, *_) in (await told(store, Tier.HOUR)).items():
        if key in (CPU, RAM):
            found.setdefault((moment(start), store.device), {})[key] = (count, total / count, most)
    nothing = (0, None, None)
    return {
        key: rounded(*measures.get(CPU, nothing), *measures.get(RAM, nothing)[1:])
        for key, measures in found.items()
    }


def without_percentiles(found: dict) -> dict:
    """Samples, average and maximum of both measures."""
    return {key: (row[3], row[4], row[5], row[7], row[8]) for key, row in found.items()}


def rounded(*numbers: float | None, digits: int = 9) -> tuple[float | None, ...]:
    """A sum may differ in its last bits."""
    return tuple(None if number is None else round(number, digits) for number in numbers)


async def test_it_is_what_the_documents_statement_answers(store):
    fill(store)
    wanted = {row[:2]: row[2:] for row in store.connection.execute(HOURLY_STATISTICS)}
    assert len(wanted) == 44
    assert hours(store) == {}
    await store.settle()
    found = hours(store, digits=17)
    assert found.keys() == wanted.keys()
    for key, (average, most, percentile) in wanted.items():
        assert found[key][:3] == (pytest.approx(average, abs=2e-9), most, percentile)
        assert found[key][4:7] == found[key][:3]


async def test_memory_is_there_where_it_was_measured(store):
    fill(store)
    await store.settle()
    by_day: dict[int, set] = {}
    for (hour, _), row in hours(store).items():
        by_day.setdefault(hour.toordinal(), set()).add(row[7:])
    assert list(by_day.values()) == [{(40.0, 40.0, 40.0)}, {(None, None, None)}]


async def test_late_samples_change_their_hours_and_no_other(store):
    fill(store)
    await store.settle()
    versions = "SELECT hour, xmin::text FROM hourly_statistics"
    before = dict(store.connection.execute(versions).fetchall())
    late = START + 3 * HOUR + 7
    store.add(store.layout(CPU, RAM, "x"), {START + 7: [99.5, 41.0, 1.0], late: [10.0, None, 1.0]})
    await store.settle()
    after = dict(store.connection.execute(versions).fetchall())
    changed = {hour for hour in after if before.get(hour) != after[hour]}
    assert changed == {moment(START), moment(START + 3 * HOUR)}
    assert hours(store)[moment(START + 3 * HOUR), store.device][:4] == (10.0, 10.0, 10.0, 1)
    assert without_percentiles(hours(store)) == await of_rollups(store)


async def test_archived_hours_stay(store):
    fill(store)
    await store.settle()
    before = hours(store)
    store.policy(archive_after_days=1)
    await store.apply(3)
    assert store.count("chunks") == 0
    store.add(store.layout(CPU), {START + 7: [100.0]})
    await store.settle()
    after = hours(store)
    assert {key for key in after if after[key] != before[key]} == {(moment(START), store.device)}
    assert after[moment(START), store.device][1] == 100.0


async def test_percentiles_stay_when_the_samples_are_gone(store):
    """A late sample of another measure makes the day anew; the processor's hours are final."""
    fill(store, 1)
    store.groups(**{CPU: "cpu", RAM: "memory", "x": "x"})
    await store.settle()
    before = hours(store)
    store.policy(metric_group="cpu", downsample_enabled=True, downsample_after_days=2)
    await store.apply(5)
    store.add(store.layout(CPU, RAM, "x"), {START + 7: [77.0, 60.0, 1.0]})
    await store.settle()
    after = hours(store)
    changed = (moment(START), store.device)
    assert {key for key in after if after[key] != before[key]} == {changed}
    assert after[changed][:7] == before[changed][:7]
    assert after[changed][8] == 60.0


async def test_they_go_with_the_rollups_of_hours(store):
    fill(store)
    store.groups(**{CPU: "cpu", RAM: "memory"})
    await store.settle()
    store.policy(metric_group="memory", hour_rollup_days=1)
    await store.apply(5)
    assert {row[7:] for row in hours(store).values()} == {(None, None, None)}
    assert without_percentiles(hours(store)) == await of_rollups(store)
    store.policy(hour_rollup_days=1)
    await store.apply(5)
    assert hours(store) == {}


@pytest.mark.parametrize("metric", [CPU, RAM, None])
async def test_they_go_when_a_devices_data_is_deleted(store, metric):
    fill(store)
    await store.settle()
    other, store.device = store.device, make_device(store.connection)
    fill(store)
    await store.settle()
    store.connection.execute(
        "INSERT INTO telemetry_deletions (id, device_id, metric) VALUES (uuidv7(), %s, %s)", (other, metric)
    )
    await store.apply(0)
    left = {key: row for key, row in hours(store).items() if key[1] == other}
    assert {key for key in hours(store) if key[1] == store.device} == (await of_rollups(store)).keys()
    store.device = other
    assert without_percentiles(left) == await of_rollups(store)
    assert any(row[0] is not None for row in left.values()) == (metric == RAM)
    assert any(row[7] is not None for row in left.values()) == (metric == CPU)


async def test_hours_of_an_older_version_are_spread_out(store):
    """A day that waits is made anew; the migration lets all of them wait."""
    fill(store)
    await store.settle()
    before = hours(store)
    store.connection.execute("DELETE FROM hourly_statistics")
    store.connection.execute(
        "INSERT INTO rollup_changes SELECT device_id, (start AT TIME ZONE 'UTC')::date FROM rollups WHERE tier = 1"
    )
    await jobs.refresh_rollups(store.app_url, store.settings)
    assert hours(store) == before


async def test_a_question_about_few_hours_reads_few_rows(store):
    fill(store)
    await store.settle()
    store.connection.execute("SET enable_seqscan = off")
    plan = store.connection.execute(
        "EXPLAIN SELECT * FROM hourly_performance_stats WHERE time_bucket >= %s", (moment(START + DAY),)
    ).fetchall()
    assert any("ix_hourly_statistics_hour" in row[0] for row in plan)


@pytest.mark.parametrize("role", ["dashboard_readonly", "analyst"])
async def test_readers_may(connection, role):
    statement = "SELECT has_table_privilege(%s, %s, 'SELECT'), has_table_privilege(%s, %s, 'INSERT')"
    for name in ("hourly_performance_stats", "hourly_statistics"):
        assert connection.execute(statement, (role, name, role, name)).fetchone() == (True, False)
    row = connection.execute("SELECT reloptions FROM pg_class WHERE relname = 'hourly_performance_stats'")
    assert row.fetchone()[0] == ["security_invoker=true"]
