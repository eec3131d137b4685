"""The reading path over all tiers: what is archived answers like what is not, and says when it cannot."""

from contextlib import asynccontextmanager

import numpy as np
import pytest

from fleetkeeper.database.context import product_context
from fleetkeeper.identity.actor import product_actor
from fleetkeeper.settings.telemetry import TelemetrySettings
from fleetkeeper.telemetry.chunks.blocks import DAY
from fleetkeeper.telemetry.explore.service import FleetQuery, query_fleet
from fleetkeeper.telemetry.range_query import RangeQuery, query_range
from fleetkeeper.telemetry.rollups.periods import HOUR
from tests.factories.archive import ArchivedStore
from tests.factories.telemetry import moment
from tests.telemetry.chunks.test_sealing import MINUTE, START, ramp


@pytest.fixture
def store(connection, app_url, tmp_path) -> ArchivedStore:
    return ArchivedStore(connection, app_url, tmp_path)


async def fill(store: ArchivedStore) -> None:
    """Three days: the first archived, the second sealed, the third hot."""
    layout = store.layout("a", "b")
    for day in range(2):
        store.add(layout, ramp(200, START + day * DAY))
    await store.settle()
    await store.archive()
    store.add(layout, ramp(200, START + 2 * DAY))


@asynccontextmanager
async def opened(store: ArchivedStore):
    database = store.database()
    async with database.session(product_context("job", "test")) as session:
        yield session
    await database.close()


async def ask_range(store: ArchivedStore):
    query = RangeQuery([store.device], ["a"], moment(START), moment(START + 3 * DAY), None, 10_000, ["raw"])
    async with opened(store) as session:
        return await query_range(session, product_actor("job", "test"), query, TelemetrySettings())


class TestAllTiers:
    async def test_a_range_over_three_tiers(self, store):
        await fill(store)
        answer = await ask_range(store)
        (series,) = answer.series
        assert [at for at, _ in series.points] == [
            (START + day * DAY + n * MINUTE) / 1e6 for day in range(3) for n in range(200)
        ]
        assert [value for _, value in series.points] == [float(2 * n) for n in range(200)] * 3
        assert not answer.warnings

    async def test_a_question_over_the_fleet(self, store):
        await fill(store)
        query = FleetQuery(["a"], moment(START), moment(START + 3 * DAY), aggregate="p50", by=(), step="3600")
        async with opened(store) as session:
            answer = await query_fleet(session, product_actor("job", "test"), query, TelemetrySettings())
        hours: dict[int, list[float]] = {}
        for n in range(200):
            hours.setdefault((START + n * MINUTE) // HOUR, []).append(2.0 * n)
        found = {
            at: value
            for at, value in answer.series[0].points
            if at * 1e6 < START + DAY // 2 and value is not None
        }
        assert found == {
            hour * HOUR / 1e6: pytest.approx(float(np.median(values))) for hour, values in hours.items()
        }

    async def test_late_samples_of_an_archived_day(self, store):
        await fill(store)
        layout = store.layout("a", "b")
        store.add(layout, {START + 30_000_000: [-1.0, -2.0]})
        before = await store.read()
        assert before["a"][START + 30_000_000] == -1.0
        await store.seal()
        assert await store.read() == before


class TestDamaged:
    @pytest.mark.parametrize("harm", ["gone", "cut"])
    async def test_what_cannot_be_read_is_told_and_the_rest_answers(self, store, harm):
        await fill(store)
        (file,) = store.folder.rglob("*.parquet")
        if harm == "gone":
            file.unlink()
        else:
            file.write_bytes(file.read_bytes()[:-50])
        answer = await ask_range(store)
        assert len(answer.series[0].points) == 400
        assert len(answer.warnings) == 1
        assert file.name in answer.warnings[0]

    async def test_promql_tells_it_too(self, admin, connection, app_url, settings):
        store = ArchivedStore(connection, app_url, settings.home)
        await fill(store)
        query = {"query": "sum(a)", "start": START / 1e6, "end": START / 1e6 + 3 * 86_400, "step": 300}
        moment = {"query": "count_over_time(a[3d])", "time": query["end"]}
        for path, parameters in (("query_range", query), ("query", moment)):
            answer = (await admin.get(f"/prometheus/api/v1/{path}", params=parameters)).json()
            assert "warnings" not in answer
        (file,) = store.folder.rglob("*.parquet")
        file.unlink()
        for path, parameters in (("query_range", query), ("query", moment)):
            answer = (await admin.get(f"/prometheus/api/v1/{path}", params=parameters)).json()
            (warning,) = answer["warnings"]
            assert file.name in warning
            assert answer["data"]["result"]
