"""A fleet in trouble: a disk fills, a host dies, one flaps, a sensor sticks, and forty hosts go at once.

A real mail server, a webhook in Alertmanager's format and the log of alerts each tell of it once, grouped.
"""

import json
from collections import Counter
from datetime import datetime, timedelta

import pytest
from sqlalchemy import select

from fleetkeeper.alerts.engine.evaluating import CONTEXT
from fleetkeeper.alerts.models import AlertRule
from fleetkeeper.alerts.rules.builtin import install
from tests.factories.notifications import make_channel
from tests.factories.telemetry import make_device
from tests.notifications.conftest import mails, receiver, worker  # noqa: F401 - fixtures

STEP = 30
MINUTES = 34
CROWD = 40


class Fleet:
    """Machines that report as a test says, in the past half hour."""

    def __init__(self, connection, measure, watch):
        self.connection, self.measure, self.watch = connection, measure, watch
        self.crowd = [make_device(connection, f"rack-{number:02}") for number in range(CROWD)]
        self.full, self.dead, self.flapping, self.stuck = (
            make_device(connection, name) for name in ("full", "dead", "flapping", "stuck")
        )

    async def report(self, seconds: int, at: datetime) -> None:
        """What the fleet reports at so many seconds after the beginning."""
        minute = seconds / 60
        disk = 95.0 if 2 <= minute < 15 else 50.0
        await self._one(self.full, at, **{r"disk_partition_usage_percent{mountpoint=\"/srv\"}": disk})
        if not 3 <= minute < 14:
            await self._one(self.dead, at, cpu_usage_percent=5)
        hot = 4 <= minute < 12 and seconds // 60 % 2 == 0
        await self._one(self.flapping, at, memory_usage_percent=99 if hot else 20)
        steady = 40.0 if minute >= 4 else 40.0 + seconds % 7
        await self._one(self.stuck, at, cpu_temperature_celsius=steady)
        if not 8 <= minute < 13:
            self.seen(self.crowd, at)

    async def _one(self, device, at, **values):
        await self.measure(device, at, **values)
        self.seen([device], at)

    def seen(self, devices, at):
        self.connection.execute(
            "UPDATE devices SET last_seen = %s, first_seen = coalesce(first_seen, %s) WHERE id = ANY(%s)",
            (at, at, devices),
        )


@pytest.fixture
async def rules(watch, app):
    await install(app.state.database)
    async with watch.engine.database.session(CONTEXT) as session:
        for rule in await session.scalars(select(AlertRule)):
            if rule.origin_key == "memory-short":
                rule.for_seconds = 0
    await watch.rule(
        name="Sensor stuck",
        condition={"kind": "promql", "expr": "changes(cpu_temperature_celsius[5m]) == 0"},
        for_seconds=60,
    )
    async with watch.engine.database.session(CONTEXT) as session:
        return list(await session.scalars(select(AlertRule).where(AlertRule.enabled)))


async def test_each_is_told_once_grouped_and_resolved(
    admin,
    watch,
    measure,
    connection,
    rules,
    worker,  # noqa: F811 - fixtures
    mails,  # noqa: F811
    receiver,  # noqa: F811
):
    fleet = Fleet(connection, measure, watch)
    async with watch.engine.database.session(CONTEXT) as session:
        mail = await make_channel(session, worker.outgoing.sealer, kind="email", port=mails.port)
        hook = await make_channel(session, worker.outgoing.sealer, url=receiver.url, format="alertmanager")
    (root,) = (await admin.get("/api/v1/alert-routes")).json()["results"]
    (default,) = (await admin.get("/api/v1/alert-receivers")).json()["results"]
    answer = await admin.put(
        f"/api/v1/alert-receivers/{default['id']}",
        json={
            "name": "Default",
            "channel_ids": [str(mail.id), str(hook.id)],
            "addresses": ["ops@example.com"],
        },
    )
    assert answer.status_code == 200, answer.text
    assert root["receiver_id"] == default["id"]
    watch.now -= timedelta(minutes=MINUTES)
    for seconds in range(0, MINUTES * 60, STEP):
        at = watch.now + timedelta(seconds=seconds)
        await fleet.report(seconds, at)
        for rule in rules:
            await watch.evaluate(rule, seconds, running_since=watch.now)
        await watch.tell(seconds + 1)
    await worker.dispatch()
    delivered = 1
    while delivered:
        delivered = await worker.deliver()
    subjects = Counter(str(mail["subject"]).partition("; ")[0] for _, mail in mails.mails)
    assert subjects == {
        "High: Disk nearly full on full": 1,
        "Resolved: Disk nearly full on full": 1,
        "Critical: Device offline on dead": 1,
        f"Critical: Device offline on {CROWD + 1} devices": 1,
        f"Resolved: Device offline on {CROWD + 1} devices": 1,
        "High: Low memory on flapping": 1,
        "Resolved: Low memory on flapping": 1,
        "Warning: Sensor stuck on stuck": 1,
    }
    hooks = [json.loads(body) for _, body in receiver.requests]
    assert len(hooks) == len(mails.mails)
    assert all(one["version"] == "4" for one in hooks)
    offline = [one for one in hooks if one["groupLabels"].get("alertname") == "Device offline"]
    assert max(len(one["alerts"]) for one in offline) == CROWD + 1
    alerts = await watch.alerts()
    assert sum(one.name == "Device offline" for one in alerts) == CROWD + 1
    assert [one.name for one in alerts if one.resolved_at is None] == ["Sensor stuck"]
    assert all(one.annotations["summary"] for one in alerts if one.name != "Sensor stuck")
