"""A device's new key: none is lost on its way, and the old one ends with the new one's first use."""

import asyncio
import time

import pytest

from tests.fixtures.client import enroll

ROUTE = "/api/v1/agent/key"
CONFIG = "/api/v1/agent/config"


async def rotate(client) -> str:
    answer = await client.post(ROUTE)
    assert answer.status_code == 201, answer.text
    assert answer.json()["old_key_valid_seconds"] == 60
    return answer.json()["device_key"]


async def works(app, key: str, path: str = CONFIG) -> bool:
    async with app.client(key) as client:
        if path == CONFIG:
            status = (await client.get(path)).status_code
        else:
            body = {"frames": [{"ts": time.time(), "values": {"a": 1.0}}]}
            status = (await client.post(path, json=body)).status_code
    assert status in {200, 401}
    return status == 200


def let_pass(connection, seconds: int) -> None:
    """As if all keys had been made, and were to end, so much earlier."""
    connection.execute(
        "UPDATE device_keys SET created_at = created_at - %(past)s * interval '1 s', "
        "expires_at = expires_at - %(past)s * interval '1 s'",
        {"past": seconds},
    )


class TestRotation:
    @pytest.mark.parametrize("door", [CONFIG, "/api/v1/telemetry"])
    async def test_the_old_key_works_until_the_new_one_is_used(self, app, device, connection, door):
        """Whichever door sees the new key first."""
        assert await works(app, device.key, door)
        new = await rotate(device.client)
        let_pass(connection, 86_400)
        assert await works(app, device.key)
        assert await works(app, new, door)
        # Requests that were under way may still end.
        assert await works(app, device.key)
        let_pass(connection, 61)
        assert not await works(app, device.key)
        await app.state.door.keys.verify()  # what happens every few seconds
        assert not await works(app, device.key, "/api/v1/telemetry")
        assert await works(app, new)
        let_pass(connection, 365 * 86_400)
        assert await works(app, new)

    async def test_a_key_that_got_lost_locks_nobody_out(self, app, device, connection):
        """The agent dies between the answer and its disk, several times."""
        lost = [await rotate(device.client) for _ in range(4)]
        kept = await rotate(device.client)
        assert await works(app, device.key)
        assert await works(app, kept)
        let_pass(connection, 61)
        for key in (device.key, *lost):
            assert not await works(app, key)
        assert await works(app, kept)

    async def test_lost_keys_do_not_pile_up_and_end(self, app, device, connection):
        keys = [await rotate(device.client) for _ in range(20)]
        count = "SELECT count(*) FROM device_keys WHERE revoked_at IS NULL AND last_used_at IS NULL"
        assert connection.execute(count).fetchone() == (2,)
        let_pass(connection, 8 * 86_400)
        assert not await works(app, keys[-1])
        assert await works(app, device.key)

    async def test_two_at_once_leave_one_that_works(self, app, device, connection):
        """Two agents of one state folder, or a request that was sent again: either may keep its answer."""
        first, second = await asyncio.gather(rotate(device.client), rotate(device.client))
        assert first != second
        assert await works(app, first)
        assert await works(app, second)
        let_pass(connection, 61)
        rows = connection.execute("SELECT count(*) FROM device_keys WHERE expires_at IS NULL").fetchone()
        assert rows == (1,)
        assert sorted([await works(app, first), await works(app, second)]) == [False, True]

    async def test_the_newer_of_two_outlives_the_use_of_the_older(self, app, device, connection):
        older, newer = await rotate(device.client), await rotate(device.client)
        assert await works(app, older)
        let_pass(connection, 61)
        assert await works(app, newer)

    async def test_a_late_use_of_the_older_gives_it_no_new_life(self, app, device, connection):
        older, newer = await rotate(device.client), await rotate(device.client)
        assert await works(app, newer)
        assert await works(app, older)
        let_pass(connection, 61)
        assert not await works(app, older)
        assert await works(app, newer)

    async def test_a_key_that_was_replaced_makes_no_other(self, app, device, connection):
        """Whoever copied the old key could stay with it otherwise."""
        new = await rotate(device.client)
        assert await works(app, new)
        assert (await device.client.post(ROUTE)).status_code == 403
        let_pass(connection, 61)
        assert (await device.client.post(ROUTE)).status_code == 401
        async with app.client(new) as client:
            assert await works(app, await rotate(client))

    async def test_revoking_takes_the_new_key_too(self, app, admin, device):
        new = await rotate(device.client)
        assert (await admin.delete(f"/api/v1/agents/{device.id}/keys")).status_code == 204
        assert not await works(app, new)
        assert not await works(app, device.key)
        assert (await device.client.post(ROUTE)).status_code == 401

    async def test_another_device_is_not_touched(self, app, admin, device, connection):
        other = await enroll(app, admin, "db-01")
        assert await works(app, await rotate(device.client))
        let_pass(connection, 61)
        assert await works(app, other.key)
        await other.client.aclose()

    async def test_is_for_devices_alone(self, admin, viewer, anonymous):
        for client in (admin, viewer, anonymous):
            assert (await client.post(ROUTE)).status_code == 401

    async def test_the_audit_log_knows_and_keeps_no_key(self, app, device, connection):
        new = await rotate(device.client)
        assert await works(app, new, "/api/v1/telemetry")
        rows = connection.execute(
            "SELECT actor_kind, device_id::text, new_values::text FROM audit_log "
            "WHERE resource_type = 'device_keys' ORDER BY id OFFSET 1"
        ).fetchall()
        assert [row[:2] for row in rows] == [("device", device.id)] * 3
        assert all(new not in row[2] and "secret_hash" not in row[2] for row in rows)
