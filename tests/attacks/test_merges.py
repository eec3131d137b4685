"""Merging, undoing and splitting by several people at once leaves nothing half-done."""

import asyncio
import random

from sqlalchemy import text

from tests.devices.sources.test_api import see
from tests.devices.sources.test_observing import FOREMAN, PUPPET, VCENTER
from tests.factories.devices import enter
from tests.fixtures.client import TEST_CONTEXT

REASON = {"X-Change-Reason": "Storm"}
ROUNDS = 12


async def act(client, devices, chance):
    """One thing that somebody does; returns its status."""
    one, other = chance.sample(devices, 2)
    if chance.random() < 0.5:
        body = {"other_device_id": other}
        return (await client.post(f"/api/v1/devices/{one}/merges", json=body, headers=REASON)).status_code
    found = await client.get(f"/api/v1/devices/{one}/merges")
    if found.status_code != 200:
        return found.status_code
    open_ones = [made["id"] for made in found.json()["results"] if made["undone_at"] is None]
    if not open_ones:
        return 200
    path = f"/api/v1/devices/{one}/merges/{open_ones[0]}/undo"
    return (await client.post(path, headers=REASON)).status_code


async def test_a_storm_of_merges_comes_apart_again(app, admin):
    chance = random.Random(7)
    devices = [await enter(admin, f"d-{number}", serial_number=f"S{number}") for number in range(5)]
    sources = await see(app, FOREMAN, PUPPET, VCENTER)
    devices.append(sources[-1])
    for _ in range(ROUNDS):
        codes = await asyncio.gather(
            *(act(admin, devices, chance) for _ in range(4)), see(app, VCENTER, FOREMAN), see(app, PUPPET)
        )
        assert {code for code in codes if isinstance(code, int)} <= {200, 201, 404, 409, 422}
    # Undone one after the other, each is what it was.
    for _ in range(60):
        listed = (await admin.get("/api/v1/devices?limit=100")).json()["results"]
        merges = [
            (device["id"], made["id"])
            for device in listed
            for made in (await admin.get(f"/api/v1/devices/{device['id']}/merges")).json()["results"]
            if made["undone_at"] is None
        ]
        if not merges:
            break
        device, made = merges[0]
        await admin.post(f"/api/v1/devices/{device}/merges/{made}/undo", headers=REASON)
    async with app.state.database.session(TEST_CONTEXT) as session:
        hidden = await session.scalar(text("SELECT count(*) FROM devices WHERE merged_into IS NOT NULL"))
        manual = await session.execute(
            text(
                "SELECT d.name FROM device_sources s JOIN devices d ON d.id = s.device_id "
                "WHERE s.source_system = 'manual'"
            )
        )
        assert sorted(name for (name,) in manual) == [f"d-{number}" for number in range(5)]
    assert hidden == 0
