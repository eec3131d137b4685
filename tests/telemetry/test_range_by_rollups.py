"""Rollups and samples answer the same; the plan says who answered what."""

import numpy as np
import pytest

from fleetkeeper.database.context import product_context
from fleetkeeper.database.engine import Database
from fleetkeeper.identity.actor import product_actor
from fleetkeeper.settings.telemetry import TelemetrySettings
from fleetkeeper.telemetry import range_query
from fleetkeeper.telemetry.rollups import jobs
from fleetkeeper.telemetry.rollups.periods import HOUR
from tests.factories.telemetry import moment
from tests.telemetry.chunks.test_sealing import START, Store

EVERY = HOUR // 12
AGGREGATES = ("avg", "min", "max", "last", "sum", "count")


@pytest.fixture
def store(connection, app_url) -> Store:
    return Store(connection, app_url)


def rows(first: int, count: int, seed: int = 1) -> dict[int, list[float | None]]:
    random = np.random.default_rng(seed)
    values = random.normal(50, 9, (count, 2)).round(3)
    gaps = random.random((count, 2)) < 0.05
    return {
        first + n * EVERY: [None if gap else float(v) for v, gap in zip(values[n], gaps[n], strict=True)]
        for n in range(count)
    }


async def ask(store: Store, start_us: int, end_us: int, step_hours: int, aggregates=AGGREGATES):
    query = range_query.RangeQuery(
        [store.device],
        ["a", "b"],
        moment(start_us),
        moment(end_us),
        step_hours * 3600,
        600,
        aggregates,
        explain=True,
    )
    database = Database(store.app_url, pool_size=1)
    async with database.session(product_context("job", "test")) as session:
        answer = await range_query.query_range(
            session, product_actor("job", "test"), query, TelemetrySettings()
        )
    await database.close()
    plan = [
        (step.source, (step.start * 1e6 - START) / HOUR, (step.end * 1e6 - START) / HOUR)
        for step in answer.plan
    ]
    return {(one.metric, one.agg): one.points for one in answer.series}, plan


async def agree(store: Store, monkeypatch, start_us: int, end_us: int, step_hours: int):
    """Ask with rollups and without; returns the plan."""
    planned, plan = await ask(store, start_us, end_us, step_hours)
    with monkeypatch.context() as patch:
        patch.setattr(range_query, "_is_sparse", lambda *_: True)
        plain, _ = await ask(store, start_us, end_us, step_hours)
    assert planned.keys() == plain.keys()
    for key, points in plain.items():
        assert [at for at, _ in planned[key]] == [at for at, _ in points]
        found = [value for _, value in planned[key]]
        assert found == pytest.approx([value for _, value in points], rel=1e-12), key
    return plan


class TestAnswers:
    @pytest.mark.parametrize("step_hours", [1, 2, 5])
    async def test_rollups_say_what_samples_say(self, store, monkeypatch, step_hours):
        store.add(store.layout("a", "b"), rows(START, 12 * 60))
        await store.seal(START + 50 * HOUR)
        await jobs.refresh_rollups(store.app_url)
        plan = await agree(store, monkeypatch, START + HOUR // 2, START + 59 * HOUR + 7, step_hours)
        assert plan == [
            ("samples", 0.5, 1.0),
            ("hour", 1.0, 50.0),
            ("samples", 50.0, pytest.approx(59.0)),
        ]

    @pytest.mark.parametrize("step_hours", [24, 168])
    async def test_steps_of_days_are_answered_by_days(self, store, monkeypatch, step_hours):
        store.add(store.layout("a", "b"), rows(START, 12 * 60))
        await store.seal(START + 50 * HOUR)
        await jobs.refresh_rollups(store.app_url)
        plan = await agree(store, monkeypatch, START + HOUR // 2, START + 59 * HOUR + 7, step_hours)
        assert plan == [
            ("samples", 0.5, 1.0),
            ("hour", 1.0, 18.0),
            ("day", 18.0, 42.0),
            ("hour", 42.0, 50.0),
            ("samples", 50.0, pytest.approx(59.0)),
        ]

    async def test_a_late_frame_counts_before_the_rollups_know_it(self, store, monkeypatch):
        layout = store.layout("a", "b")
        store.add(layout, rows(START, 12 * 80))
        await store.seal()
        await jobs.refresh_rollups(store.app_url)
        store.add(layout, {START + 30 * HOUR + 5: [1e6, -1e6]})
        hot = await agree(store, monkeypatch, START, START + 80 * HOUR, 1)
        assert ("samples", 30.0, 80.0) in hot
        await store.seal()
        changed = await agree(store, monkeypatch, START, START + 80 * HOUR, 1)
        assert changed == [("hour", 0.0, 18.0), ("samples", 18.0, 42.0), ("hour", 42.0, 80.0)]
        await jobs.refresh_rollups(store.app_url)
        fresh = await agree(store, monkeypatch, START, START + 80 * HOUR, 1)
        assert fresh == [("hour", 0.0, 80.0)]

    async def test_few_samples_an_hour_are_read_as_they_are(self, store, monkeypatch):
        store.add(store.layout("a", "b"), {START + n * HOUR // 2: [float(n), 1.0] for n in range(100)})
        await store.seal()
        await jobs.refresh_rollups(store.app_url)
        assert await agree(store, monkeypatch, START, START + 50 * HOUR, 1) == [("samples", 0.0, 50.0)]

    @pytest.mark.parametrize("aggregates", [("rate",), ("avg", "rate"), ("raw",)])
    async def test_what_needs_samples_gets_samples(self, store, aggregates):
        store.add(store.layout("a", "b"), rows(START, 100))
        await store.seal()
        await jobs.refresh_rollups(store.app_url)
        _, plan = await ask(store, START, START + 5 * HOUR, 1, aggregates)
        assert plan == [("samples", 0.0, 5.0)]

    async def test_a_plan_is_told_to_who_asks(self, admin, device):
        query = {
            "device": device.id,
            "metric": "cpu_usage_percent",
            "from": "0",
            "to": "86400",
            "step": "3600",
        }
        assert "plan" not in (await admin.get("/api/v1/telemetry/range", params=query)).json()
        told = (await admin.get("/api/v1/telemetry/range", params=query | {"explain": "1"})).json()
        assert [(step["source"], step["from"], step["to"]) for step in told["plan"]] == [
            ("samples", 0, 86400)
        ]
