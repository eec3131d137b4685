"""What senders write, from `tests/corpus`: the answer, the counters, what is stored, and that it is found again."""

import contextlib
import io
import json
import time
from collections import Counter
from collections.abc import AsyncIterator, Iterable, Mapping
from dataclasses import dataclass
from itertools import count
from typing import Any

import httpx
import numpy as np
import psycopg
import pyarrow as pa
import pytest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceResponse

from fleetkeeper.identity.permissions import Role
from fleetkeeper.settings import Settings
from fleetkeeper.telemetry.host_mark import HOST_MARK
from fleetkeeper_protocol.metrics import format_channel
from tests.factories import corpus
from tests.factories.corpus import Case, Sent, microseconds, number_of
from tests.fixtures.client import TEST_WEB, EnrolledDevice, RunningApp, enroll, make_user, running_app
from tests.fixtures.database import application_login, new_database

DAY = 86_400
# What is told of series that a device sends itself, beside what it calls them.
ADDED = frozenset({"device_id", "instance", "device_type", "department"})
AGENT_JOB = "fleetkeeper-agent"
# A case's now is so long ago when its first request is sent.
SECONDS_BEFORE = 20
# Requests are sent again so often: what was learned from the first must read the same.
TIMES_AGAIN = 2
# Stands for the moment at which a request arrived.
ARRIVAL = 0
_numbers = count(1)
# By series as (microseconds, value).
Stored = dict[str, list[tuple[int, str]]]


@dataclass
class Ground:
    """An application for all cases, its administrator, and the database as its owner sees it."""

    app: RunningApp
    admin: httpx.AsyncClient
    connection: psycopg.AsyncConnection

    def counted(self, protocol: str) -> Counter[str]:
        """How many samples of a protocol were accepted, duplicates, or rejected by reason, so far."""
        if protocol == "native":
            outcomes = self.app.state.door.outcomes.items()
            return Counter({why or what: number for (what, why), number in outcomes if what != "refused"})
        tally = self.app.state.senders.tally
        found = Counter(accepted=tally.accepted[protocol], duplicate=tally.duplicates[protocol])
        found.update(
            {reason: number for (kind, reason), number in tally.rejected.items() if kind == protocol}
        )
        return found

    async def drop_day(self, days_ago: int) -> None:
        """Let a day's frames go, as the worker does once they are sealed."""
        day = time.strftime("%Y_%m_%d", time.gmtime(time.time() - days_ago * DAY))
        await self.connection.execute(f"DROP TABLE frames_{day}")

    async def devices(self, host: str) -> list[str]:
        """The devices of a case."""
        rows = await self.connection.execute(
            "SELECT id::text FROM devices WHERE lower(name) ~ %s ORDER BY name", (f"^{host}\\M",)
        )
        return [row[0] async for row in rows]

    async def read(self, path: str, parameters: Mapping[str, Any]) -> httpx.Response:
        """What a door answers; none shows the mark that stands for a device's own name."""
        answer = await self.admin.get(path, params=parameters)
        assert answer.status_code == 200, (path, parameters, answer.text)
        assert HOST_MARK.encode() not in answer.content
        assert b"ufffc" not in answer.content.lower()
        return answer

    async def stored(self, devices: list[str], now: int) -> Stored:
        """All samples of some devices, without the labels that an export adds."""
        asked = {"device": devices, "format": "arrow", "from": now - 400 * DAY, "to": now + DAY}
        answer = await self.read("/api/v1/telemetry/export", asked)
        table = pa.ipc.open_stream(io.BytesIO(answer.content)).read_all()
        arrived = (now + SECONDS_BEFORE) * 1_000_000
        moments = [
            ARRIVAL if arrived <= at < arrived + 200_000_000 else at
            for at in table.column("ts").cast(pa.int64()).to_pylist()
        ]
        found: Stored = {}
        for row, moment, value in zip(
            table.select(["device_id", "metric", "labels"]).to_pylist(),
            moments,
            spelled(table.column("value").to_numpy()),
            strict=True,
        ):
            labels = json.loads(row["labels"])
            if labels.get("device_id") == row["device_id"]:
                labels = without_added(labels)
            found.setdefault(format_channel(row["metric"], labels), []).append((moment, value))
        return {key: sorted(samples) for key, samples in sorted(found.items())}

    async def latest(self, device: str) -> dict[str, float]:
        """The newest value of each channel of a device."""
        answer = await self.read("/api/v1/telemetry/latest", {"device": device})
        return {
            format_channel(item["metric"], item["labels"]): item["value"] for item in answer.json()["values"]
        }

    async def asked(self, query: str, at: int) -> list[Any]:
        """What PromQL answers at a moment."""
        answer = await self.read("/prometheus/api/v1/query", {"query": query, "time": at})
        result: list[Any] = answer.json()["data"]["result"]
        return result


@pytest.fixture(scope="module")
async def ground(server, tmp_path_factory) -> AsyncIterator[Ground]:
    settings = Settings(home=tmp_path_factory.mktemp("corpus"), web=TEST_WEB)
    async with contextlib.AsyncExitStack() as stack:
        url = await stack.enter_async_context(new_database(server))
        app = await stack.enter_async_context(running_app(settings, application_login(url)))
        admin = app.client(await make_user(app.state.database, "admin", Role.ADMIN))
        connection = await psycopg.AsyncConnection.connect(url, autocommit=True)
        yield Ground(app, admin, await stack.enter_async_context(connection))


def spelled(values: Any) -> list[str]:
    """Values so that those that differ read differently; a stale marker is a NaN of its own."""
    found = np.asarray(values, np.float64)
    stale = found.view(np.uint64) == corpus.STALE_BITS
    return [
        "stale" if is_stale else repr(value) for is_stale, value in zip(stale, found.tolist(), strict=True)
    ]


def expected_series(filled: Mapping[str, Any], now: int) -> Stored:
    """What a case says that is stored."""
    found: Stored = {}
    for key, samples in sorted(filled.get("stored", {}).items()):
        moments = [ARRIVAL if offset == "arrival" else microseconds(now, offset) for offset, _ in samples]
        values = spelled([number_of(value) for _, value in samples])
        found[key] = list(zip(moments, values, strict=True))
    return found


def check_answer(sent: Sent, answer: httpx.Response) -> None:
    """The status, words of the answer, and what the protocol says of partial success."""
    expected, text = sent.answer, answer.text
    assert answer.status_code == expected["status"], text
    if sent.url.startswith("/otlp") and answer.status_code == 200:
        is_json = sent.headers["content-type"].lower().startswith("application/json")
        rejected, text = _partial_success(answer.content, is_json=is_json)
        assert rejected == expected.get("rejected", 0), text
    for words in expected.get("says", ()):
        assert words in text
    if "written" in expected:
        assert answer.headers["X-Prometheus-Remote-Write-Samples-Written"] == str(expected["written"])
    if "json" in expected:
        assert answer.json() == expected["json"]


def _partial_success(content: bytes, *, is_json: bool) -> tuple[int, str]:
    if is_json:
        told = json.loads(content).get("partialSuccess", {})
        return int(told.get("rejectedDataPoints", 0)), told.get("errorMessage", "")
    message = ExportMetricsServiceResponse.FromString(content).partial_success
    return message.rejected_data_points, message.error_message


async def send(
    ground: Ground, requests: Iterable[Sent], device: EnrolledDevice | None, *, check: bool
) -> None:
    client = ground.admin if device is None else device.client
    for sent in requests:
        answer = await client.post(sent.url, content=sent.content, headers=sent.headers)
        if check:
            check_answer(sent, answer)


async def check_found_again(ground: Ground, stored: Stored, devices: list[str], now: int) -> None:
    """Each series is found by its own labels, alone, at the doors for people and programs."""
    for key, samples in stored.items():
        values = [(moment // 1000, value) for moment, value in samples if value != "stale"]
        if not values:
            continue
        answers = await ground.asked(f"{key}[400d]", now + DAY)
        (found,) = [item for item in answers if format_labels(item["metric"], devices) == key]
        answered = [(round(at * 1000), repr(float(text))) for at, text in found["values"]]
        assert [
            (at if of else of, text) for (at, text), (of, _) in zip(answered, values, strict=True)
        ] == values
    await ground.app.state.door.freshness._try_flush()
    for device in devices:
        for door in ("latest", "metrics"):
            await ground.read(f"/api/v1/telemetry/{door}", {"device": device})


@pytest.mark.parametrize("case", list(corpus.cases()), ids=lambda case: case.id)
async def test_case(ground: Ground, case: Case):
    host, now = f"case{next(_numbers)}", int(time.time()) - SECONDS_BEFORE
    filled = case.filled(host, now)
    is_device = case.protocol == "native" or filled.get("as") == "device"
    device = await enroll(ground.app, ground.admin, host) if is_device else None
    for days in filled.get("dropped_days", ()):
        await drop_known_day(ground, host, now, days)
    before = ground.counted(case.protocol)
    await send(ground, case.requests(filled, now), device, check=True)
    counted = ground.counted(case.protocol) - before
    assert counted == Counter(filled["counted"])
    devices, stored = await ground.devices(host), expected_series(filled, now)
    assert (await ground.stored(devices, now) if devices else {}) == stored
    for query, expected in filled.get("asked", {}).items():
        answers = await ground.asked(query, now + 60)
        assert sorted(format_labels(item["metric"], devices) for item in answers) == sorted(expected)
    await check_found_again(ground, stored, devices, now)
    if "latest" in filled:
        assert await ground.latest(devices[0]) == filled["latest"]
    if filled.get("once"):
        return
    # Again, all is known: nothing is new, and what was refused is refused.
    for _ in range(TIMES_AGAIN):
        before = ground.counted(case.protocol)
        await send(ground, case.requests(filled, now), device, check=False)
        again = ground.counted(case.protocol) - before
        counted["duplicate"] += counted.pop("accepted", 0)
        assert again == +counted
    assert (await ground.stored(devices, now) if devices else {}) == stored


def format_labels(metric: dict[str, str], devices: list[str]) -> str:
    """A series that PromQL answers with, as files write it: without what it adds where no instance was sent."""
    labels = without_added(metric) if metric.get("device_id") in devices else metric
    named = {key: text for key, text in labels.items() if key != "__name__"}
    return format_channel(metric["__name__"], named)


def without_added(labels: Mapping[str, str]) -> dict[str, str]:
    """The labels that were sent."""
    sent = {key: text for key, text in labels.items() if key not in ADDED}
    if sent.get("job") == AGENT_JOB:
        del sent["job"]
    return sent


async def drop_known_day(ground: Ground, host: str, now: int, days: int) -> None:
    """A day that this process has written to, and whose partition is gone since."""
    line = f"known,host={host}-before value=1 {now - days * DAY}"
    answer = await ground.admin.post("/influx/write?precision=s", content=line)
    assert answer.status_code == 204, answer.text
    await ground.drop_day(days)
