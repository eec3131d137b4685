"""Exports: every sample once, in each format, hot or sealed; and nothing for a spreadsheet to run."""

import csv
import io
import json

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from fleetkeeper.telemetry.chunks import jobs, service
from tests.factories.telemetry import make_device
from tests.telemetry.test_samples import now_us, series

DAY = 86_400_000_000


def span() -> dict[str, float]:
    """Three days, and a minute that is to come."""
    return {"from": (now_us() - 3 * DAY) / 1e6, "to": now_us() / 1e6 + 60}


@pytest.fixture
async def fleet(app, app_url, connection):
    """Two machines, of which one is sealed and has a name that a spreadsheet would run."""
    first, second = make_device(connection, "=cmd()"), make_device(connection, "plain")
    store = app.state.door.store_samples
    for device in (first, second):
        times = [now_us() - 2 * DAY + k * 60_000_000 for k in range(50)] + [now_us()]
        await store([series(device, "load", *((at, float(k)) for k, at in enumerate(times)))])
        await store([series(device, 'disk_bytes{disk="-1"}', (now_us(), 7.0))])
    async with jobs.sealing_connection(app_url) as sealing:
        await service.seal_device(sealing, first, 2**51)
    return first, second


def read(content: bytes, file_format: str) -> list[dict]:
    if file_format == "csv":
        return list(csv.DictReader(io.StringIO(content.decode())))
    table = (
        pq.read_table(io.BytesIO(content))
        if file_format == "parquet"
        else pa.ipc.open_stream(content).read_all()
    )
    return table.to_pylist()


class TestFormats:
    @pytest.mark.parametrize("file_format", ["csv", "parquet", "arrow"])
    async def test_every_sample_once(self, admin, fleet, file_format):
        answer = await admin.get("/api/v1/telemetry/export", params={**span(), "format": file_format})
        assert answer.status_code == 200
        assert f'filename="telemetry.{file_format}"' in answer.headers["content-disposition"]
        rows = read(answer.content, file_format)
        keys = [(row["device_id"], row["metric"], row["labels"], str(row["ts"])) for row in rows]
        assert len(keys) == len(set(keys)) == 2 * 52
        assert {row["device_id"] for row in rows} == {str(device) for device in fleet}
        for device in fleet:
            values = [float(row["value"]) for row in rows if row["device_id"] == str(device)]
            assert sorted(values) == sorted([*map(float, range(51)), 7.0])

    async def test_a_spreadsheet_runs_nothing(self, admin, fleet):
        answer = await admin.get("/api/v1/telemetry/export", params={**span(), "format": "csv"})
        names = {row["device"] for row in read(answer.content, "csv")}
        assert names == {"'=cmd()", "plain"}

    async def test_a_time_keeps_its_microseconds(self, app, admin, connection):
        device = make_device(connection)
        await app.state.door.store_samples([series(device, "load", (now_us() + 123_456, 1.0))])
        answer = await admin.get("/api/v1/telemetry/export", params={**span(), "format": "csv"})
        (row,) = read(answer.content, "csv")
        assert row["ts"].endswith(".123456Z")


class TestChoice:
    async def test_of_some_devices_and_metrics(self, admin, fleet):
        answer = await admin.get(
            "/api/v1/telemetry/export", params={**span(), "device": str(fleet[0]), "metric": "disk_bytes"}
        )
        (row,) = read(answer.content, "csv")
        assert (row["device_id"], row["value"]) == (str(fleet[0]), "7")
        own = {"instance": "=cmd()", "device_id": str(fleet[0]), "device_type": "server"}
        labels = {"disk": "-1"} | own
        assert json.loads(row["labels"]) == labels

    async def test_nothing_is_a_file_too(self, admin):
        answer = await admin.get("/api/v1/telemetry/export", params={**span(), "format": "csv"})
        assert answer.text.splitlines() == ['"device_id","device","metric","labels","ts","value"']

    @pytest.mark.parametrize(
        ("wrong", "field"),
        [({"to": 0}, "to"), ({"metric": "no name"}, "metric"), ({"device": "x"}, "device")],
    )
    async def test_what_is_wrong_is_named(self, admin, wrong, field):
        answer = await admin.get("/api/v1/telemetry/export", params={**span(), **wrong})
        assert answer.status_code == 422
        assert [item["field"].removeprefix("query.") for item in answer.json()["errors"]] == [field]

    async def test_the_audit_log_knows(self, admin, fleet, connection):
        await admin.get("/api/v1/telemetry/export", params={**span(), "metric": "load"})
        entry = connection.execute(
            "SELECT actor_name, details FROM audit_log WHERE action = 'telemetry.exported'"
        ).fetchone()
        assert entry[0] == "admin"
        assert entry[1]["devices"] == 2
