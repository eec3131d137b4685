"""Deletions of telemetry and devices wait for approval where a rule says so, and go through the worker then."""

import pytest
from sqlalchemy import func, select, update

from fleetkeeper.approvals.jobs import apply_request
from fleetkeeper.approvals.models import ApprovalRule
from fleetkeeper.devices.models import Device
from fleetkeeper.identity.permissions import Role
from fleetkeeper.telemetry.archive.models import TelemetryDeletion
from tests.factories.approvals import level, make_approval_rule
from tests.factories.identity import give, make_token, make_user
from tests.fixtures.client import TEST_CONTEXT

DELETIONS = "/api/v1/telemetry/archive/deletions"
REASON = {"X-Change-Reason": "Asked for by the owner"}


@pytest.fixture
async def ann(app):
    """An approver of everything who may do nothing else, and her rules."""
    async with app.state.database.session(TEST_CONTEXT) as session:
        ann = await make_user(session, "ann")
        await give(session, ann, Role.VIEWER)
        for kind in ("telemetry.delete", "devices.delete"):
            await make_approval_rule(session, level(ann), kind=kind, name=kind)
        token = await make_token(session, ann)
    async with app.client(token) as client:
        yield client


async def count(app, model) -> int:
    async with app.state.database.session(TEST_CONTEXT) as session:
        return await session.scalar(select(func.count()).select_from(model))


async def test_telemetry(app, admin, ann, device):
    body = {"device": device.id, "metric": None, "first_day": "2026-01-01", "last_day": "2026-01-02"}
    asked = await admin.post(DELETIONS, json=body, headers=REASON)
    assert asked.status_code == 202, asked.text
    request = asked.json()
    assert (request["status"], request["kind"]) == ("pending", "telemetry.delete")
    assert ["Days (UTC)", "2026-01-01 to 2026-01-02"] in request["facts"]
    assert await count(app, TelemetryDeletion) == 0
    assert (await admin.post(f"/api/v1/approvals/{request['id']}/approve", json={})).status_code == 403
    approved = await ann.post(f"/api/v1/approvals/{request['id']}/approve", json={})
    assert approved.json()["status"] == "approved"
    assert await apply_request(app.state.database, request["id"]) == "applied"
    (deletion,) = (await admin.get(DELETIONS)).json()["results"]
    assert (deletion["requested_by"], deletion["reason"]) == ("admin", REASON["X-Change-Reason"])
    assert (deletion["first_day"], deletion["last_day"]) == ("2026-01-01", "2026-01-02")


async def test_telemetry_below_the_threshold_goes_at_once(app, admin, ann, device):
    async with app.state.database.session(TEST_CONTEXT) as session:
        await session.execute(update(ApprovalRule).values(threshold=2))
    await device.send((1_700_000_000.0, {"cpu_usage_percent": 1.0}))
    body = {"device": device.id}
    assert (await admin.post(DELETIONS, json=body, headers=REASON)).json()["state"] == "waiting"
    assert await count(app, TelemetryDeletion) == 1


async def test_a_device(app, admin, ann, device):
    held = await admin.delete(f"/api/v1/devices/{device.id}", headers=REASON)
    assert held.status_code == 202
    assert await count(app, Device) == 1
    assert (await ann.post(f"/api/v1/approvals/{held.json()['id']}/approve", json={})).status_code == 200
    assert await apply_request(app.state.database, held.json()["id"]) == "applied"
    assert await count(app, Device) == 0


async def test_what_is_gone_by_then_fails(app, admin, ann, device):
    request = (await admin.post(DELETIONS, json={"device": device.id}, headers=REASON)).json()
    await ann.post(f"/api/v1/approvals/{request['id']}/approve", json={})
    async with app.state.database.session(TEST_CONTEXT) as session:
        await session.delete(await session.get(Device, device.id))
    assert await apply_request(app.state.database, request["id"]) == "failed"
    assert (await admin.get(f"/api/v1/approvals/{request['id']}")).json()[
        "problem"
    ] == "There is no such device."
