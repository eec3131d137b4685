"""Names beyond ASCII come in by one door and go out by all others, each as itself."""

import json
from datetime import timedelta

import pytest

from fleetkeeper.identity.permissions import Role
from fleetkeeper.kit.clock import utc_now
from fleetkeeper_protocol.metrics import format_channel, parse_channel
from tests.console.conftest import sign_in
from tests.factories.senders import WRITE, headers_of, now_ms, series, snappy
from tests.telemetry.exporting.test_export import read

NAMES = ("温度", "湿度", "a-b", "a_b", "a.b", 'quo"te', "back\\slash", "x{y}", "a, b", "=1+1", "🙂" * 50)
LABEL = "größe.m"
VALUES = ("ü", 'with "quotes", commas\nand lines\r\n', "C:\\new", "'; DROP TABLE x --", "=1+1", "\u2028")


@pytest.fixture
async def sent(app, admin) -> str:
    """A device with one series of each name; its id."""
    at = now_ms() - 1000
    body = b"".join(
        series({"__name__": name, "instance": "web1", LABEL: "ü"}, [(at, float(number))])
        for number, name in enumerate(NAMES)
    )
    answer = await admin.post(WRITE, content=snappy(body), headers=headers_of())
    assert answer.status_code == 204, answer.text
    await app.state.door.freshness._try_flush()
    return (await admin.get("/api/v1/devices")).json()["results"][0]["id"]


def quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


@pytest.mark.parametrize("name", NAMES)
def test_a_channel_is_read_as_it_is_written(name):
    for labels in ({}, {LABEL: "ü", "a": '"'}):
        assert parse_channel(format_channel(name, labels)) == (name, labels)


@pytest.mark.parametrize(
    "text", ['{"a"', '{""}', '{"a"b="c"}', '{"a",="c"}', '{"a",""="c"}', '{"a\\u0000"}', '{"\x01"}', "温度"]
)
def test_other_spellings_are_refused(text):
    with pytest.raises(ValueError, match=r".+"):
        parse_channel(text)


async def test_promql_selects_each_by_its_name(sent, admin):
    prometheus = "/prometheus/api/v1"
    for number, name in enumerate(NAMES):
        for query in (format_channel(name), f'{{__name__={quoted(name)},"{LABEL}"="ü"}}'):
            answer = (await admin.get(f"{prometheus}/query", params={"query": query})).json()
            (found,) = answer["data"]["result"]
            assert (found["metric"]["__name__"], found["metric"][LABEL]) == (name, "ü")
            assert found["value"][1] == str(number)
    answer = (
        await admin.get(f"{prometheus}/query", params={"query": f'count by ("{LABEL}") ({{"温度"}})'})
    ).json()
    assert answer["data"]["result"][0]["metric"] == {LABEL: "ü"}
    for spelled in ("gr%C3%B6%C3%9Fe.m", "U__gr_f6__df_e_2e_m"):
        answer = await admin.get(f"{prometheus}/label/{spelled}/values")
        assert answer.json()["data"] == ["ü"]
    answer = (await admin.get(f"{prometheus}/label/__name__/values")).json()
    assert set(NAMES) <= set(answer["data"])
    shown = (
        await admin.get(f"{prometheus}/format_query", params={"query": f'{{"{LABEL}"="ü", "温度"}}'})
    ).json()
    assert shown["data"] == f'{{"{LABEL}"="ü",__name__="温度"}}'


async def test_every_other_door_knows_them(sent, admin, connection):
    now = utc_now()
    span = {"from": (now - timedelta(hours=1)).timestamp(), "to": (now + timedelta(minutes=1)).timestamp()}
    latest = (await admin.get(f"/api/v1/telemetry/latest?device={sent}")).text
    for number, name in enumerate(NAMES):
        key = format_channel(name, {LABEL: "ü", "instance": "web1"})
        answer = await admin.get(
            "/api/v1/telemetry/range", params={**span, "device": sent, "metric": key, "agg": "raw"}
        )
        assert answer.status_code == 200, answer.text
        (found,) = answer.json()["series"]
        assert [point[1] for point in found["points"]] == [float(number)]
        answer = await admin.get("/api/v1/telemetry/last", params={"device": sent, "metric": key})
        assert answer.status_code == 200, answer.text
    assert "温度" in latest
    rows = connection.execute("SELECT name FROM metrics WHERE name = ANY(%s)", (list(NAMES),)).fetchall()
    assert {row[0] for row in rows} == set(NAMES)


@pytest.fixture
async def disks(app, admin) -> dict[str, float]:
    """A metric of the documents with each of the label values, as a sender writes it; its samples by that value."""
    body = b"".join(
        series(
            {"__name__": "disk_device_busy_percent", "instance": "web2", "device": text}, [(now_ms(), number)]
        )
        for number, text in enumerate(VALUES, 1)
    )
    answer = await admin.post(WRITE, content=snappy(body), headers=headers_of())
    assert answer.status_code == 204, answer.text
    return {text: float(number) for number, text in enumerate(VALUES, 1)}


@pytest.mark.parametrize("file_format", ["csv", "parquet", "arrow"])
async def test_exports_have_them(sent, disks, admin, file_format):
    span = {"from": utc_now().timestamp() - 3600, "to": utc_now().timestamp() + 60, "format": file_format}
    answer = await admin.get("/api/v1/telemetry/export", params=span)
    rows = read(answer.content, file_format)
    names = {row["metric"]: float(row["value"]) for row in rows if row["device_id"] == sent}
    # A spreadsheet would take what begins so for a formula.
    shown = {f"'{name}" if file_format == "csv" and name[0] == "=" else name for name in NAMES}
    assert names.keys() == shown
    labels = [(json.loads(row["labels"]), float(row["value"])) for row in rows if row["device_id"] != sent]
    assert {found["device"]: value for found, value in labels} == disks


async def test_sql_views_have_them(sent, disks, connection):
    rows = connection.execute(
        "SELECT metric_name, metadata ->> %s FROM telemetry WHERE device_id = %s", (LABEL, sent)
    ).fetchall()
    assert set(rows) == {(name, "ü") for name in NAMES}
    rows = connection.execute(
        "SELECT metadata ->> 'device', value_numeric::float FROM telemetry WHERE device_id <> %s", (sent,)
    ).fetchall()
    assert dict(rows) == disks
    snapshots = connection.execute(
        "SELECT metric_data -> 'disk' -> 'devices' FROM metrics_snapshot "
        "WHERE metric_type = 'disk' AND device_id <> %s",
        (sent,),
    ).fetchall()
    found = {key: parts["busy_percent"] for (devices,) in snapshots for key, parts in devices.items()}
    assert found == disks


async def test_pages_show_them(sent, app):
    browser = await sign_in(app, "maria", Role.ADMIN)
    for path in (f"/devices/{sent}", "/explore", "/senders"):
        answer = await browser.client.get(path)
        assert answer.status_code == 200
    await browser.client.aclose()
