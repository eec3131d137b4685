"""The doors: space, history, devices, health, cardinality."""

import time
from datetime import datetime, timedelta

import pytest

from fleetkeeper.database.context import product_context
from fleetkeeper.identity.permissions import Permission
from fleetkeeper.kit.clock import utc_now
from fleetkeeper.settings import Settings
from fleetkeeper.telemetry.chunks import jobs as chunks
from fleetkeeper.telemetry.rollups import jobs as rollups
from fleetkeeper.telemetry.space import service
from fleetkeeper.telemetry.space.jobs import MEASURE_TASK, measure_space
from tests.factories import identity
from tests.factories.telemetry import add_frames, make_channels, make_device, make_layout

PATH = "/api/v1/telemetry/space"
DAY = 86_400_000_000
MINUTE = 60_000_000


def now_us() -> int:
    return int(time.time() * 1e6)


@pytest.fixture
async def measured(app, device, connection, settings) -> str:
    """A device with a sealed day and fresh frames, measured; returns its id."""
    layout = make_layout(connection, device.id, make_channels(connection, "a", "b"))
    start = now_us() // DAY * DAY - 2 * DAY
    add_frames(connection, device.id, layout, {start + n * MINUTE: [1.0, float(n)] for n in range(500)})
    await chunks.seal_frames(app.state.database.url, settings.telemetry)
    await rollups.refresh_rollups(app.state.database.url, settings)
    add_frames(connection, device.id, layout, {now_us() - n * 1_000_000: [1.0, float(n)] for n in range(50)})
    await measure_space(app.state.database)
    return device.id


class TestSpace:
    async def test_before_the_first_measurement(self, app, admin):
        space = (await admin.get(PATH)).json()
        assert (space["measured_at"], space["tiers"], space["groups"], space["size_bytes"]) == (
            None,
            [],
            [],
            0,
        )
        assert space["compression_ratio"] is None
        assert (await admin.get(f"{PATH}/history")).json() == {"results": []}
        assert (await admin.get(f"{PATH}/devices")).json()["results"] == []

    async def test_it_adds_up(self, app, admin, measured):
        space = (await admin.get(PATH)).json()
        tiers = {tier["tier"]: tier for tier in space["tiers"]}
        assert list(tiers) == ["hot", "sealed", "rollups", "archive"]
        assert (tiers["hot"]["samples"], tiers["sealed"]["samples"]) == (100, 1000)
        assert space["samples"] == 1100
        assert space["size_bytes"] == sum(tier["size_bytes"] for tier in tiers.values())
        shared = sum(group["size_bytes"] for group in space["groups"])
        assert shared + space["unshared_bytes"] == space["size_bytes"]
        assert space["unshared_bytes"] == tiers["archive"]["size_bytes"] == 0
        hot, sealed = (tiers[name]["size_bytes"] / tiers[name]["samples"] for name in ("hot", "sealed"))
        assert space["compression_ratio"] == pytest.approx(hot / sealed)
        assert space["measured_tiers"] == 4

    async def test_empty_tables_are_told_apart(self, app, admin, connection):
        device = make_device(connection)
        add_frames(
            connection,
            device,
            make_layout(connection, device, make_channels(connection, "a")),
            {now_us(): [1.0]},
        )
        await measure_space(app.state.database)
        space = (await admin.get(PATH)).json()
        sizes = {tier["tier"]: tier["size_bytes"] for tier in space["tiers"]}
        assert space["unshared_bytes"] == sizes["sealed"] + sizes["rollups"] > 0
        assert [group["size_bytes"] for group in space["groups"]] == [sizes["hot"]]

    async def test_devices_with_a_search(self, app, admin, measured, connection):
        found = (await admin.get(f"{PATH}/devices")).json()
        [device] = found["results"]
        space = (await admin.get(PATH)).json()
        assert (device["device"], device["samples"], device["channels"]) == (str(measured), 1100, 2)
        parts = ("hot_bytes", "sealed_bytes", "rollups_bytes", "archive_bytes")
        assert device["size_bytes"] == sum(device[part] for part in parts) == space["size_bytes"]
        assert (await admin.get(f"{PATH}/devices", params={"q": device["name"]})).json()["count"] == 1
        assert (await admin.get(f"{PATH}/devices", params={"q": "no such"})).json()["count"] == 0
        assert (await admin.get(f"{PATH}/devices", params={"size_bytes__gte": "1"})).json()["count"] == 1

    async def test_the_history_has_each_measurement_until_there_are_many(self, app, admin, connection):
        for hours in range(48):
            connection.execute(
                "INSERT INTO space_totals VALUES (now() - %s * interval '1 hour', 'hot', 1, %s)",
                (hours, hours),
            )
        points = (await admin.get(f"{PATH}/history", params={"days": 1})).json()["results"]
        assert [point["tiers"]["hot"] for point in points][-3:] == [2, 1, 0]
        assert 24 <= len(points) <= 25
        many = (await admin.get(f"{PATH}/history", params={"days": 366})).json()["results"]
        assert len(many) < 5
        assert many[-1]["tiers"] == {"hot": 0}
        assert (await admin.get(f"{PATH}/history", params={"days": 0})).status_code == 422

    async def test_who_may(self, app, viewer, anonymous, admin):
        for path in ("", "/history", "/devices", "/health", "/cardinality"):
            assert (await admin.get(PATH + path)).status_code == 200
            assert (await viewer.get(PATH + path)).status_code == 403
            assert (await anonymous.get(PATH + path)).status_code == 401
        assert (await viewer.post(f"{PATH}/measure")).status_code == 403

    async def test_asking_for_a_measurement(self, app, admin, connection):
        answer = await admin.post(f"{PATH}/measure")
        assert (answer.status_code, answer.json()["is_new"]) == (202, True)
        assert (await admin.post(f"{PATH}/measure")).json() == answer.json() | {"is_new": False}
        assert (await admin.get(PATH)).json()["is_measuring"] is True
        waiting = connection.execute("SELECT task_name FROM procrastinate_jobs").fetchall()
        assert waiting == [(MEASURE_TASK,)]
        events = "SELECT count(*) FROM audit_log WHERE action = 'telemetry.measurement_asked'"
        assert connection.execute(events).fetchone()[0] == 2


class TestHealth:
    async def test_of_nothing(self, app, admin):
        health = (await admin.get(f"{PATH}/health")).json()
        assert health["samples_per_second"] == 0
        assert len(health["rates"]) == 288
        assert health["arrived"] == []
        nothing = {"waiting": 0, "oldest": None}
        assert health["sealing"] == health["rollups"] == health["merging"] == nothing
        assert health["archive_run"] is None

    async def test_lag_of_the_sealer(self, app, admin, connection, settings):
        channels = make_channels(connection, "a")
        oldest = now_us() - 3 * 3600 * 1_000_000
        for times in ([oldest, now_us()], [oldest + 1000], [now_us() - 3600 * 1_000_000]):
            device = make_device(connection)
            layout = make_layout(connection, device, channels)
            add_frames(connection, device, layout, {at: [1.0] for at in times})
        sealing = (await admin.get(f"{PATH}/health")).json()["sealing"]
        assert sealing["waiting"] == 2
        assert round(datetime.fromisoformat(sealing["oldest"]).timestamp() * 1e6) == oldest
        await chunks.seal_frames(app.state.database.url, settings.telemetry)
        assert (await admin.get(f"{PATH}/health")).json()["sealing"] == {"waiting": 0, "oldest": None}

    async def test_backlogs_of_rollups_and_merging(self, app, admin, connection, settings):
        device = make_device(connection)
        layout = make_layout(connection, device, make_channels(connection, "a"))
        start = now_us() // DAY * DAY - 2 * DAY
        for part in range(2):
            rows = {start + (part * 100 + n) * MINUTE: [float(n)] for n in range(50)}
            add_frames(connection, device, layout, rows)
            await chunks.seal_frames(app.state.database.url, settings.telemetry)
        # A late part of a sealed range is merged at once, so the second range stands apart.
        health = (await admin.get(f"{PATH}/health")).json()
        assert (health["rollups"]["waiting"], health["merging"]["waiting"]) == (1, 1)
        assert health["rollups"]["oldest"] == health["merging"]["oldest"]
        await chunks.merge_chunks(app.state.database.url)
        await rollups.refresh_rollups(app.state.database.url, settings)
        health = (await admin.get(f"{PATH}/health")).json()
        assert health["rollups"]["waiting"] == health["merging"]["waiting"] == 0

    async def test_the_last_run_of_the_archive(self, app, admin, connection):
        connection.execute(
            "INSERT INTO job_runs (id, job, state, requested_at, error) VALUES "
            "(uuidv7(), 'telemetry.retain', 'done', now() - interval '1 day', ''), "
            "(uuidv7(), 'telemetry.retain', 'failed', now(), 'full'), (uuidv7(), 'a.b', 'done', now(), '')"
        )
        run = (await admin.get(f"{PATH}/health")).json()["archive_run"]
        assert (run["state"], run["error"]) == ("failed", "full")

    async def test_rates_of_a_day(self, app, connection):
        now = utc_now().replace(second=30)
        for minutes, number in ((0, 1000), (1, 600), (2, 1200), (1439, 3000), (1500, 5)):
            at = now.replace(second=0, microsecond=0) - timedelta(minutes=minutes)
            connection.execute(
                "INSERT INTO intake_minutes VALUES (%s, 'native', 'accepted', '', %s)", (at, number)
            )
        health = await service.read_health(app.state.database, Settings().telemetry, now=now)
        assert health.samples_per_second == (600 + 1200) / 120
        assert health.rates[0].samples_per_second == 3000 / 300
        assert health.rates[-1].samples_per_second == (600 + 1200) / 300
        assert health.arrived[0].number == 1000 + 600 + 1200 + 3000


class TestCardinality:
    async def test_offenders_and_the_labels_that_make_them(self, app, admin, connection):
        device, quiet = make_device(connection, "noisy"), make_device(connection, "quiet")
        keys = [f'hits_total{{path="/{n}",code="{n % 3}"}}' for n in range(40)]
        metric = connection.execute(
            "INSERT INTO metrics (name, metric_type) VALUES ('hits_total', 'hits') RETURNING id"
        ).fetchone()[0]
        channels = [
            connection.execute(
                "INSERT INTO channels (metric_id, key, labels) VALUES (%s, %s, jsonb_build_object('path', %s::text, "
                "'code', %s::text)) RETURNING id",
                (metric, key, f"/{n}", str(n % 3)),
            ).fetchone()[0]
            for n, key in enumerate(keys)
        ]
        make_layout(connection, device, channels)
        make_layout(connection, quiet, channels[:1])
        connection.execute(
            "UPDATE channels SET first_seen = now() - interval '1 day' WHERE id = %s", (channels[0],)
        )
        await measure_space(app.state.database)
        found = (await admin.get(f"{PATH}/cardinality")).json()
        assert (found["channels"], found["metrics"], found["devices_near_limit"]) == (40, 1, 0)
        worst, second = found["offenders"]
        assert (worst["name"], worst["channels"], second["name"]) == ("noisy", 40, "quiet")
        assert worst["labels"] == [
            {"label": "path", "values": 40, "channels": 40},
            {"label": "code", "values": 3, "channels": 40},
        ]
        assert worst["share_of_limit"] == 40 / found["max_channels_per_device"]
        assert [day["channels"] for day in found["new_channels"]][-2:] == [1, 39]

    async def test_devices_near_the_limit(self, app, admin, connection):
        device = make_device(connection)
        connection.execute("INSERT INTO space_channels VALUES (%s, 4000)", (device,))
        assert (await admin.get(f"{PATH}/cardinality")).json()["devices_near_limit"] == 1


class TestVisibility:
    async def test_names_are_those_of_devices_whose_telemetry_one_may_read(self, app, connection):
        async with app.state.database.session(product_context("job", "test")) as session:
            north = await identity.make_department(session, "North")
            south = await identity.make_department(session, "South")
            user = await identity.make_user(session, "operator-of-north")
            await identity.give(session, user, await identity.make_role(session, Permission.CONFIG_READ))
            local = await identity.make_role(session, Permission.DEVICES_READ, Permission.TELEMETRY_READ)
            await identity.give(session, user, local, north)
            token = await identity.make_token(session, user)
        for name, department in (("near", north.id), ("far", south.id)):
            device = make_device(connection, name)
            connection.execute("UPDATE devices SET department_id = %s WHERE id = %s", (department, device))
            connection.execute("INSERT INTO space_devices VALUES (%s, 'hot', 1, 1)", (device,))
            connection.execute("INSERT INTO space_channels VALUES (%s, 7)", (device,))
        client = app.client(token)
        found = (await client.get(f"{PATH}/devices")).json()
        assert [device["name"] for device in found["results"]] == ["near"]
        offenders = (await client.get(f"{PATH}/cardinality")).json()["offenders"]
        assert [one["name"] for one in offenders] == ["near"]
        await client.aclose()
