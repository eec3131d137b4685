"""A week of twenty machines through all tiers: every door answers as a plain model does, and the space adds up."""

import csv
import io
import math
import time
from collections import defaultdict
from collections.abc import Callable
from itertools import pairwise, product

import numpy as np
import pytest

from fleetkeeper.telemetry.archive import runs
from fleetkeeper.telemetry.chunks import jobs as chunks
from fleetkeeper.telemetry.chunks import service as sealing
from fleetkeeper.telemetry.rollups import jobs as rollups
from fleetkeeper.telemetry.space.jobs import measure_space
from tests.factories.telemetry import add_frames, make_channels, make_device, make_layout

MINUTE = 60_000_000
HOUR, DAY = 60 * MINUTE, 1440 * MINUTE
EVERY = 20 * MINUTE
DEVICES = 20
METRICS = ("cpu_usage_percent", "memory_usage_percent", "sent_total")
Series = dict[int, float]


class Week:
    """What was sent, by device and metric: three days of it in files, then chunks, then frames."""

    def __init__(self) -> None:
        self.end = int(time.time()) * 1_000_000 // DAY * DAY
        self.start = self.end - 7 * DAY
        self.samples: dict[str, dict[str, Series]] = {}

    @property
    def span(self) -> dict[str, float]:
        return {"from": self.start / 1e6, "to": self.end / 1e6}

    def of(self, metric: str) -> list[Series]:
        return [series[metric] for series in self.samples.values()]

    @property
    def count(self) -> int:
        return sum(len(series) for device in self.samples.values() for series in device.values())


@pytest.fixture
async def week(app, app_url, connection, settings) -> Week:
    week = Week()
    random = np.random.default_rng(11)
    channels = make_channels(connection, *METRICS)
    devices = [make_device(connection, f"host-{n}") for n in range(DEVICES)]
    late: dict = {}
    for n, device in enumerate(devices):
        layout = make_layout(connection, device, channels)
        times = [at + n * 1000 for at in range(week.start, week.end, EVERY) if random.random() > 0.02]
        load = np.clip(random.normal(40 + n, 10, len(times)), 0, 100).round(1)
        sent = np.cumsum(random.integers(0, 1000, len(times))).astype(float)
        sent[len(times) // 2 :] -= sent[len(times) // 2]
        rows = {
            at: [float(a), 50.0 + n if k % 2 else None, float(c)]
            for k, (at, a, c) in enumerate(zip(times, load, sent, strict=True))
        }
        week.samples[str(device)] = {
            metric: {at: row[place] for at, row in rows.items() if row[place] is not None}
            for place, metric in enumerate(METRICS)
        }
        # Some come a day late, when their day is archived or sealed already.
        late[device, layout] = {at: rows.pop(at) for at in times[30:400:37]}
        add_frames(connection, device, layout, rows)
    async with chunks.sealing_connection(app_url) as sealer:
        for until in (week.start + 2 * DAY, week.end - DAY // 2):
            for device in devices:
                await sealing.seal_device(sealer, device, until)
    await chunks.merge_chunks(app_url, now=(week.end - 2 * DAY) / 1e6)
    connection.execute("DELETE FROM archive_policy")
    connection.execute("INSERT INTO archive_policy (archive_enabled, archive_after_days) VALUES (false, 4)")
    await runs.retain(app.state.database, settings, now=week.end / 1e6)
    for (device, layout), rows in late.items():
        add_frames(connection, device, layout, rows)
    async with chunks.sealing_connection(app_url) as sealer:
        for device in devices[::2]:
            await sealing.seal_device(sealer, device, week.end - DAY // 2)
    await rollups.refresh_rollups(app_url, settings)
    return week


async def all_tiers_are_in_it(week, connection):
    for table in ("frames", "chunks", "archive_parts", "rollups", "hourly_statistics"):
        assert connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0] > DEVICES, table


async def ranges(admin, week):
    for device, metrics in week.samples.items():
        params = {**week.span, "device": device, "metric": list(METRICS), "agg": "raw", "points": 11000}
        answer = (await admin.get("/api/v1/telemetry/range", params=params)).json()
        found = {
            one["metric"]: {round(at * 1e6): value for at, value in one["points"]} for one in answer["series"]
        }
        assert found == metrics


def by_step(series: list[Series], width: int) -> dict[int, list[float]]:
    steps: dict[int, list[float]] = defaultdict(list)
    for one in series:
        for at, value in one.items():
            steps[at // width * width].append(value)
    return steps


STEPS = {"hour": HOUR, "day": DAY, "7200": 2 * HOUR, "1800": HOUR // 2}
AGGREGATES: dict[str, Callable[[list[float]], float]] = {
    "avg": lambda values: sum(values) / len(values), "sum": sum, "min": min, "max": max, "count": len,
}  # fmt: skip


async def questions_over_the_fleet(admin, week):
    for (step, width), (aggregate, plain) in product(STEPS.items(), AGGREGATES.items()):
        params = {**week.span, "metric": METRICS[1], "agg": aggregate, "step": step}
        answer = (await admin.get("/api/v1/telemetry/query", params=params)).json()
        [series] = answer["series"]
        found = {round(at * 1e6): value for at, value in series["points"] if value not in {None, 0}}
        wanted = {at: plain(values) for at, values in by_step(week.of(METRICS[1]), width).items()}
        assert found == pytest.approx(wanted), (step, aggregate)
        assert not answer["warnings"]


async def increase_of_a_counter(admin, week):
    params = {**week.span, "metric": METRICS[2], "agg": "increase", "step": "day", "by": "device"}
    answer = (await admin.get("/api/v1/telemetry/query", params=params)).json()
    wanted: dict[str, float] = {}
    for device, metrics in week.samples.items():
        values = [value for _, value in sorted(metrics[METRICS[2]].items())]
        wanted[device] = sum(
            after if after < before else after - before for before, after in pairwise(values)
        )
    total = sum(value or 0 for series in answer["series"] for _, value in series["points"])
    assert total == pytest.approx(sum(wanted.values()))


async def promql(admin, week):
    query = f"sum(count_over_time({METRICS[0]}[7d]))"
    params = {"query": query, "time": (week.end - 1000) / 1e6}
    answer = (await admin.get("/prometheus/api/v1/query", params=params)).json()
    [result] = answer["data"]["result"]
    assert float(result["value"][1]) == sum(len(series) for series in week.of(METRICS[0]))


async def export(admin, week):
    params = {**week.span, "format": "csv"}
    text = (await admin.get("/api/v1/telemetry/export", params=params)).text
    rows = list(csv.DictReader(io.StringIO(text)))
    assert len(rows) == week.count
    wanted = math.fsum(
        value for device in week.samples.values() for one in device.values() for value in one.values()
    )
    assert math.fsum(float(row["value"]) for row in rows) == pytest.approx(wanted)


async def hours_for_sql(week, connection):
    """Hours that are over in the sealed tiers; the newest are frames."""
    hot = connection.execute("SELECT min(ts) FROM frames WHERE ts >= now() - interval '36 hours'").fetchone()[
        0
    ]
    rows = connection.execute(
        "SELECT extract(epoch FROM time_bucket)::bigint * 1000000, sum(avg * sample_count), sum(sample_count)::bigint, "
        "max(max) FROM hourly_performance_stats WHERE time_bucket < date_trunc('hour', %s) "
        "AND system_id IN (SELECT device_id FROM frames GROUP BY 1 HAVING min(ts) >= %s) GROUP BY 1",
        (hot, hot),
    ).fetchall()
    whole = {
        str(row[0])
        for row in connection.execute("SELECT device_id FROM frames GROUP BY 1 HAVING min(ts) >= %s", (hot,))
    }
    assert len(whole) == DEVICES // 2
    steps = by_step([week.samples[device][METRICS[0]] for device in whole], HOUR)
    wanted = {
        at: (pytest.approx(sum(values)), len(values), max(values))
        for at, values in steps.items()
        if at < hot.timestamp() * 1e6 // HOUR * HOUR
    }
    assert {row[0]: row[1:] for row in rows} == wanted


async def test_every_door_answers_as_the_model(admin, week, connection):
    await all_tiers_are_in_it(week, connection)
    for check in (ranges, questions_over_the_fleet, increase_of_a_counter, promql, export):
        await check(admin, week)
    await hours_for_sql(week, connection)


async def test_the_space_adds_up_to_the_byte(app, admin, week, connection, settings):
    await measure_space(app.state.database)
    space = (await admin.get("/api/v1/telemetry/space")).json()
    tiers = {tier["tier"]: tier for tier in space["tiers"]}
    assert space["samples"] == week.count
    files = [path.stat().st_size for path in (settings.home / "archive").rglob("*.parquet")]
    assert len(files) == connection.execute("SELECT count(*) FROM archive_files").fetchone()[0]
    assert tiers["archive"]["size_bytes"] == sum(files)
    tables = {"hot": ["frames"], "sealed": ["chunks"], "rollups": ["rollups", "hourly_statistics"]}
    for tier, names in tables.items():
        size = connection.execute(
            "SELECT sum(pg_total_relation_size(coalesce(relid, t))) FROM unnest(%s::regclass[]) AS t "
            "LEFT JOIN LATERAL pg_partition_tree(t) ON true",
            (names,),
        ).fetchone()[0]
        assert tiers[tier]["size_bytes"] == size, tier
    assert space["size_bytes"] == sum(tier["size_bytes"] for tier in tiers.values())
    groups = sum(group["size_bytes"] for group in space["groups"])
    assert groups + space["unshared_bytes"] == space["size_bytes"]
    devices = (await admin.get("/api/v1/telemetry/space/devices", params={"limit": 100})).json()["results"]
    assert {device["device"] for device in devices} == set(week.samples)
    assert sum(device["samples"] for device in devices) == week.count
    assert sum(device["size_bytes"] for device in devices) + space["unshared_bytes"] == space["size_bytes"]
