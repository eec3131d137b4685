"""The same answers from the product's storage, hot and sealed, as from the samples in memory."""

from collections.abc import Sequence

import pytest

from fleetkeeper.database.context import product_context
from fleetkeeper.identity.actor import EVERYWHERE, Actor
from fleetkeeper.identity.permissions import Permission
from fleetkeeper.telemetry import catalogue, reading
from fleetkeeper.telemetry.chunks import jobs
from fleetkeeper.telemetry.chunks import service as chunks
from fleetkeeper.telemetry.host_mark import HOST_MARK
from fleetkeeper.telemetry.promql.engine import Engine
from fleetkeeper.telemetry.promql.errors import ExecutionError
from fleetkeeper.telemetry.promql.fleet_source import FleetSource
from fleetkeeper.telemetry.promql.queries import Limits, Query
from fleetkeeper.telemetry.promql.rendering import render
from fleetkeeper.telemetry.promql.source import SourceSeries
from fleetkeeper.telemetry.samples import SampleSeries
from fleetkeeper_protocol.metrics import format_channel
from tests.factories.telemetry import make_device
from tests.fixtures.began import began
from tests.telemetry.promql.dataset import dataset
from tests.telemetry.promql.memory_source import MemorySource

READER = Actor("user", "reader", {Permission.TELEMETRY_READ: EVERYWHERE})


def start() -> int:
    """When the stored samples begin: three hours before the test."""
    return began() - 10_800


NAMES = {"temperature", "flapping", "strange", "http_requests_total", "latency_seconds_bucket"}
QUERIES = (
    "temperature",
    "flapping",
    "strange",
    'temperature{instance=~"[ab].*",room!="north"}',
    "rate(http_requests_total[5m])",
    "sum by (instance) (rate(http_requests_total[5m]))",
    "histogram_quantile(0.9, sum by (le) (rate(latency_seconds_bucket[5m])))",
    "count_over_time(flapping[10m])",
    "sum_over_time(strange[1m])",
    "temperature offset 10m",
    "max_over_time(rate(http_requests_total[2m])[10m:1m])",
    "temperature @ end() - temperature @ start()",
    'count by (__name__) ({job="node"})',
    "temperature or flapping or strange",
    'temperature{instance=~"a.*"} or flapping{instance=~"b.*"} or temperature{room!="north"} offset 5m',
    "temperature - temperature offset 30m",
    "rate(http_requests_total[2m]) or http_requests_total",
)


def stored_series() -> list[SourceSeries]:
    return [item for item in dataset(start()) if dict(item.labels)["__name__"] in NAMES]


@pytest.fixture
async def fleet(app, connection):
    """A device for each host, with its samples."""
    devices = {host: make_device(connection, host) for host in "abc"}
    for item in stored_series():
        labels = dict(item.labels)
        name, host = labels.pop("__name__"), labels["instance"][0]
        labels["instance"] = f"{HOST_MARK}:9100"
        series = SampleSeries(devices[host].bytes, format_channel(name, labels), item.times, item.values)
        stored = await app.state.door.store_samples([series])
        assert stored.accepted == len(item.times)
    return devices


async def answers(source, queries: Sequence[str]) -> dict[str, bytes]:
    engine = Engine(Limits())
    first, last = (start() + 600) * 10**6, (start() + 7000) * 10**6
    return {
        text: render(await engine.answer(Query.over_range(text, first, last, 60 * 10**6, 11_000), source))
        for text in queries
    }


async def test_storage_changes_no_answer(app, app_url, fleet):
    expected = await answers(MemorySource(stored_series()), QUERIES)
    assert all(len(body) > 1000 for body in expected.values())
    database, context = app.state.database, product_context("job", "test")
    source = FleetSource(lambda: database.session(context), READER, 1000, 10**7)
    assert await answers(source, QUERIES) == expected
    async with jobs.sealing_connection(app_url) as connection:
        # One machine stays as it is, so that both tiers answer.
        for host in "ab":
            assert await chunks.seal_device(connection, fleet[host], (start() + 3600) * 10**6)
    assert await answers(source, QUERIES) == expected


async def test_selectors_of_a_query_are_read_together(app, fleet, monkeypatch):
    """Five metrics cost the statements of one."""
    statements = []

    def count(module, name):
        original = getattr(module, name)

        async def counted(*arguments, **named):
            statements.append(name)
            return await original(*arguments, **named)

        monkeypatch.setattr(module, name, counted)

    count(reading, "read_stored")
    count(catalogue, "channels_and_devices")
    database, context = app.state.database, product_context("job", "test")
    source = FleetSource(lambda: database.session(context), READER, 1000, 10**7)
    await answers(source, ["temperature"])
    assert len(statements) == 2
    await answers(source, ["temperature or http_requests_total or rate(temperature[5m]) or flapping"])
    assert len(statements) == 4
    # What is on other machines is read apart: not each one's channels of all.
    apart = (
        'temperature{instance=~"a.*"} or flapping{instance=~"b.*"} or http_requests_total{instance=~"c.*"}'
    )
    await answers(source, [apart])
    assert len(statements) == 8


async def test_limits_hold_for_the_whole_query_and_for_each_selector(app, fleet):
    database, context = app.state.database, product_context("job", "test")
    hot = [item for item in stored_series() if dict(item.labels)["__name__"] == "temperature"]
    size = sum(len(item.times) for item in hot)

    def source(series: int, samples: int) -> FleetSource:
        return FleetSource(lambda: database.session(context), READER, series, samples)

    both = ["temperature or temperature{room='north'} or up"]
    assert await answers(source(len(hot), size), both)
    with pytest.raises(ExecutionError, match="more than"):
        await answers(source(len(hot) - 1, size), both)
    with pytest.raises(ExecutionError, match="too many samples"):
        await answers(source(100, size), ["temperature or flapping"])
