"""The mark that stands for a device's own name in stored labels is seen at no door; filters go by the true labels."""

import asyncio
import contextlib
import json
from datetime import timedelta
from uuid import UUID

import pytest

from fleetkeeper.identity.permissions import Role
from fleetkeeper.kit.clock import utc_now
from fleetkeeper.telemetry.host_mark import HOST_MARK, key_with_host, with_host
from tests.console.conftest import sign_in
from tests.factories.senders import WRITE, headers_of, now_ms, series, snappy

HOST = "web1.example.com"
INSTANCE = f"{HOST}:9100"
METRIC = "disk_device_busy_percent"


async def write(client, value: float = 1.0, instance: str = INSTANCE, device: str = HOST) -> None:
    body = b"".join(
        series({"__name__": name, "instance": instance, "device": device}, [(now_ms(), value)])
        for name in (METRIC, "up")
    )
    assert (await client.post(WRITE, content=snappy(body), headers=headers_of())).status_code == 204


@pytest.fixture
async def sent(app, admin, connection) -> str:
    """A device that a sender made, renamed by a person since; its id. Two of its labels are stored with the mark."""
    rules = "/api/v1/telemetry/sender-rules"
    wanted = {"protocol": "prometheus", "labels": ["device"], "position": 1}
    assert (await admin.post(rules, json=wanted)).status_code == 201
    await app.state.senders.directory.refresh()
    await write(admin)
    await app.state.door.freshness._try_flush()
    stored = connection.execute("SELECT key FROM channels WHERE key LIKE 'up{%%'").fetchall()
    assert stored == [(f'up{{device="{HOST_MARK}",instance="{HOST_MARK}:9100"}}',)]
    device = (await admin.get("/api/v1/devices")).json()["results"][0]["id"]
    renamed = await admin.patch(f"/api/v1/devices/{device}", json={"name": "front door"})
    assert renamed.status_code == 200
    return device


def addresses(device: str) -> list[str]:
    """Every door that shows labels of a device, asked for all, and by the true label."""
    now = utc_now()
    start, end = (now - timedelta(hours=1)).timestamp(), (now + timedelta(minutes=1)).timestamp()
    span, prometheus = f"from={start}&to={end}", "/prometheus/api/v1"
    by_label = f'up{{instance="{INSTANCE}"}}'
    return [
        f"/api/v1/telemetry/latest?device={device}",
        f"/api/v1/telemetry/metrics?device={device}",
        *(
            f"{door}{metric}"
            for metric in ("up", by_label)
            for door in (
                f"/api/v1/telemetry/range?device={device}&{span}&agg=raw&metric=",
                f"/api/v1/telemetry/range?device={device}&{span}&step=3600&metric=",
                f"/api/v1/telemetry/query?{span}&by=label:instance&metric=",
                "/api/v1/telemetry/last?metric=",
                f"/api/v1/telemetry/export?format=csv&{span}&metric=",
                f"{prometheus}/query?query=",
                f"{prometheus}/query_range?start={start}&end={end}&step=60&query=",
                f"{prometheus}/series?match[]=",
            )
        ),
        f"{prometheus}/label/instance/values",
        f"{prometheus}/label/device/values",
    ]


class TestDoors:
    async def test_none_shows_the_mark_and_each_the_true_label(self, admin, sent):
        for address in addresses(sent):
            answer = await admin.get(address)
            assert answer.status_code == 200, (address, answer.text)
            text = answer.text if "ufffc" in answer.text else json.dumps(answer.text, ensure_ascii=False)
            assert HOST_MARK not in text, address
            assert "ufffc" not in text.lower(), address
            if "/telemetry/metrics" not in address or "results" in text:
                assert HOST in text, address

    async def test_the_pages_neither(self, app, sent):
        browser = await sign_in(app, "maria", Role.ADMIN)
        for address in ("/", "/devices", f"/devices/{sent}", "/explore", "/senders", "/dashboards", "/space"):
            answer = await browser.client.get(address, follow_redirects=True)
            assert HOST_MARK not in answer.text, address
        await browser.client.aclose()

    async def test_a_wrong_label_finds_nothing(self, admin, sent):
        for wrong in ("front door:9100", f"{HOST_MARK}:9100", "other:9100"):
            metric = f'up{{instance="{wrong}"}}'
            found = (await admin.get("/api/v1/telemetry/last", params={"metric": metric})).json()["results"]
            assert found == []
            start, end = utc_now() - timedelta(hours=1), utc_now() + timedelta(minutes=1)
            parameters = {
                "device": sent, "metric": metric, "from": start.timestamp(), "to": end.timestamp()
            }  # fmt: skip
            assert (await admin.get("/api/v1/telemetry/range", params=parameters)).json()["series"] == []

    async def test_last_looks_past_devices_without_the_label(self, app, admin, sent):
        await write(admin, instance="aaa:1", device="aaa")
        await write(admin, instance="zzz:1", device="zzz")
        await app.state.door.freshness._try_flush()
        for instance in (INSTANCE, "aaa:1", "zzz:1"):
            asked = {"metric": f'up{{instance="{instance}"}}', "limit": 1}
            (row,) = (await admin.get("/api/v1/telemetry/last", params=asked)).json()["results"]
            assert instance in next(iter(row["values"]))
        every = (await admin.get("/api/v1/telemetry/last", params={"metric": "up"})).json()["results"]
        assert len(every) == 3
        assert sent in {row["device"] for row in every}

    async def test_last_and_promql_name_the_same_host_after_a_rename(self, admin, sent):
        del sent
        (row,) = (await admin.get("/api/v1/telemetry/last?metric=up")).json()["results"]
        answer = (await admin.get("/prometheus/api/v1/query?query=up")).json()["data"]["result"]
        labels = {key: value for key, value in answer[0]["metric"].items() if key != "__name__"}
        assert [*row["values"]] == [f'up{{device="{labels["device"]}",instance="{labels["instance"]}"}}']

    async def test_the_stream(self, app, admin, sent):
        stream = app.state.stream
        events = stream.events(frozenset([UUID(sent)]), lambda: asyncio.sleep(0, True))
        async with contextlib.aclosing(events):
            await anext(events)
            waiting = asyncio.ensure_future(anext(events))
            await asyncio.sleep(0)
            await write(admin, 2.0)
            await stream._deliver()
            shown = (await waiting).decode()
            # Parts of one moment may come one by one, in any order.
            async with asyncio.timeout(60):
                while f'up{{device=\\"{HOST}\\",instance=\\"{INSTANCE}\\"}}' not in shown:
                    shown += (await anext(events)).decode()
        assert HOST_MARK not in shown


class TestSql:
    async def test_views_show_the_name(self, admin, sent, connection):
        del admin
        views = [
            name
            for (name,) in connection.execute(
                "SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind = 'v' "
                "AND has_table_privilege('dashboard_readonly', oid, 'SELECT')"
            )
        ]
        assert {"telemetry", "metrics_snapshot", "usage_metrics", "hourly_performance_stats"} <= {*views}
        with connection.transaction():
            connection.execute("SET LOCAL ROLE dashboard_readonly")
            for view in views:
                rows = connection.execute(f"SELECT v::text FROM {view} v").fetchall()
                assert not any(HOST_MARK in row[0] for row in rows), view
        found = connection.execute(
            "SELECT count(*) FROM telemetry WHERE metadata ->> 'instance' = %s AND device_id = %s",
            (INSTANCE, sent),
        ).fetchone()
        assert found == (2,)
        (part,) = connection.execute(
            "SELECT metric_data -> 'disk' -> 'devices' FROM metrics_snapshot WHERE metric_type = 'disk'"
        ).fetchone()
        assert part == {HOST: {"busy_percent": 1}}


class TestPure:
    def test_names_with_quotes_and_backslashes(self):
        assert key_with_host(f'up{{instance="{HOST_MARK}:1"}}', 'a"b\\c') == 'up{instance="a\\"b\\\\c:1"}'

    def test_other_labels_stay(self):
        labels = {"a": "x", "b": f"<{HOST_MARK}>"}
        assert with_host(labels, "h") == {"a": "x", "b": "<h>"}
        assert with_host({"a": "x"}, "h") == {"a": "x"}
