"""The same answers from the product's storage, hot and sealed, as from the samples in memory."""

import time
from collections.abc import Sequence

import pytest

from fleetkeeper.database.context import product_context
from fleetkeeper.identity.actor import EVERYWHERE, Actor
from fleetkeeper.identity.permissions import Permission
from fleetkeeper.telemetry.chunks import jobs
from fleetkeeper.telemetry.chunks import service as chunks
from fleetkeeper.telemetry.host_mark import HOST_MARK
from fleetkeeper.telemetry.promql.engine import Engine, Limits, Query
from fleetkeeper.telemetry.promql.fleet_source import FleetSource
from fleetkeeper.telemetry.promql.rendering import render
from fleetkeeper.telemetry.promql.source import SourceSeries
from fleetkeeper.telemetry.samples import SampleSeries
from fleetkeeper_protocol.metrics import format_channel
from tests.factories.telemetry import make_device
from tests.telemetry.promql.dataset import dataset
from tests.telemetry.promql.memory_source import MemorySource

READER = Actor("user", "reader", {Permission.TELEMETRY_READ: EVERYWHERE})
START = int(time.time()) - 10_800
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
)


def stored_series() -> list[SourceSeries]:
    return [item for item in dataset(START) if dict(item.labels)["__name__"] in NAMES]


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
    start, end = (START + 600) * 10**6, (START + 7000) * 10**6
    return {
        text: render(await engine.answer(Query.over_range(text, start, end, 60 * 10**6, 11_000), source))
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
            assert await chunks.seal_device(connection, fleet[host], (START + 3600) * 10**6)
    assert await answers(source, QUERIES) == expected
