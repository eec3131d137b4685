"""An engine over a small fleet, at instants that tests choose."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select, text

from fleetkeeper.alerts.engine.evaluating import CONTEXT, Engine
from fleetkeeper.alerts.engine.recording import Recorder
from fleetkeeper.alerts.models import AlertLog, AlertRule
from fleetkeeper.alerts.routing.telling import tell_of_alerts
from fleetkeeper.alerts.rules.schemas import AlertRuleWrite
from fleetkeeper.alerts.rules.service import values_of
from fleetkeeper.telemetry.product_samples import ProductSamples
from fleetkeeper.telemetry.promql.service import Promql


@dataclass
class Watch:
    """Rules, evaluated when a test says so."""

    engine: Engine
    now: datetime

    async def rule(self, **given: Any) -> AlertRule:
        wanted = AlertRuleWrite.model_validate({"name": "Hot", "detects_flapping": False} | given)
        async with self.engine.database.session(CONTEXT) as session:
            rule = AlertRule(**values_of(wanted))
            session.add(rule)
            await session.flush()
            await session.refresh(rule)
        return rule

    async def loaded(self, rule_id: UUID) -> AlertRule:
        """A rule that is there."""
        async with self.engine.database.session(CONTEXT) as session:
            return await session.get_one(AlertRule, rule_id)

    async def evaluate(self, rule: AlertRule, seconds: float = 0, **more: Any) -> None:
        """Evaluate at so many seconds after the beginning."""
        at = self.now + timedelta(seconds=seconds)
        async with self.engine.database.session(CONTEXT) as session:
            await self.engine.evaluate_rule(session, rule, at, more.pop("running_since", at), **more)

    async def alerts(self) -> list[AlertLog]:
        async with self.engine.database.session(CONTEXT) as session:
            return list(await session.scalars(select(AlertLog).order_by(AlertLog.alert_id)))

    async def tell(self, seconds: float = 0) -> int:
        return await tell_of_alerts(
            self.engine.database, "https://fleet.example.com", self.now + timedelta(seconds=seconds)
        )

    async def told(self) -> list[Any]:
        """What was told, oldest first: title, body, payload, to_channels."""
        async with self.engine.database.session(CONTEXT) as session:
            rows = await session.execute(
                text(
                    "SELECT title, body, payload, severity FROM notification_events "
                    "WHERE name = 'alerts.told' ORDER BY id"
                )
            )
            return list(rows)

    async def events(self, alert_id: int) -> list[str]:
        async with self.engine.database.session(CONTEXT) as session:
            rows = await session.execute(
                text("SELECT kind FROM alert_events WHERE alert_id = :id ORDER BY at, id"), {"id": alert_id}
            )
            return list(rows.scalars())


@pytest.fixture
async def watch(app, settings):
    promql = Promql(settings.promql)
    database = app.state.database
    samples = ProductSamples(settings, database)
    await samples.start()
    yield Watch(Engine(database, settings, promql, Recorder(database, samples)), datetime.now(UTC))
    await samples.stop()
    await promql.stop()


@pytest.fixture
def measure(app):
    """Store a frame of a device."""

    async def store(device: UUID, at: datetime, **values: float) -> None:
        told = ", ".join(f'"{name}": {value}' for name, value in values.items())
        body = b'{"frames": [{"ts": %.3f, "values": {%s}}]}' % (at.timestamp(), told.encode())
        answer = await app.state.door.receive_for(device.bytes, "", body)
        assert answer
        await app.state.door.freshness._try_flush()

    return store


@pytest.fixture
async def place(admin) -> str:
    """A department."""
    return (await admin.post("/api/v1/departments", json={"name": "Berlin"})).json()["id"]


@pytest.fixture
async def token_for(app, admin):
    """Makes a token with these permissions, in a department or everywhere; returns a client."""
    clients = []

    async def make(permissions: list[str], department: str | None = None):
        wanted = {"name": f"t{len(clients)}", "permissions": permissions}
        if department:
            wanted["departments"] = [department]
        answer = await admin.post("/api/v1/tokens", json=wanted)
        assert answer.status_code == 201, answer.text
        clients.append(app.client(answer.json()["token"]))
        return clients[-1]

    yield make
    for client in clients:
        await client.aclose()
