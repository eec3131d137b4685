"""Enrollment: a token is used as often as it says, and nobody claims a device that exists."""

import asyncio
import json
from datetime import UTC, datetime, timedelta

import httpx
import pytest
from sqlalchemy import func, select, update

from fleetkeeper.devices.keys import find_caller, issue_key, revoke_keys
from fleetkeeper.devices.models import Device, DeviceIdentity, DeviceKey, DeviceVitals
from fleetkeeper.errors import UnauthenticatedError
from fleetkeeper.fleet import service
from fleetkeeper.fleet.models import EnrollmentToken
from fleetkeeper.fleet.schemas import EnrollmentTokenCreate
from fleetkeeper.identity.actor import product_actor

NOW = datetime(2026, 11, 21, 9, tzinfo=UTC)
TOKENS = "/api/v1/enrollment-tokens"


async def make_token(session, max_uses: int = 1) -> str:
    wanted = EnrollmentTokenCreate(name="rack 7", max_uses=max_uses, ttl_seconds=3600)
    return (await service.create_enrollment_token(session, product_actor("job", "test"), wanted, NOW)).token


class TestTokens:
    async def test_only_the_hash_is_stored(self, session):
        token = await make_token(session)
        stored = await session.scalar(select(EnrollmentToken))
        assert token.encode() not in stored.secret_hash
        assert len(token.removeprefix("fke_")) == 43

    async def test_used_up(self, session):
        token = await make_token(session, max_uses=2)
        await service.enroll(session, token, "a", {}, NOW)
        await service.enroll(session, token, "b", {}, NOW)
        with pytest.raises(UnauthenticatedError):
            await service.enroll(session, token, "c", {}, NOW)

    async def test_expired(self, session):
        token = await make_token(session)
        with pytest.raises(UnauthenticatedError):
            await service.enroll(session, token, "a", {}, NOW + timedelta(hours=1))

    async def test_revoked(self, session):
        token = await make_token(session)
        key = await session.scalar(select(EnrollmentToken.id))
        await service.revoke_enrollment_token(session, product_actor("job", "test"), key, NOW)
        with pytest.raises(UnauthenticatedError):
            await service.enroll(session, token, "a", {}, NOW)

    @pytest.mark.parametrize("token", ["fke_wrong", "x", "fkt_" + "x" * 43])
    async def test_unknown(self, session, token):
        with pytest.raises(UnauthenticatedError):
            await service.enroll(session, token, "a", {}, NOW)

    async def test_racing_machines_share_no_use(self, shared):
        token = (await shared.admin.post(TOKENS, json={"name": "race", "max_uses": 3})).json()["token"]
        bodies = [{"token": token, "hostname": f"racer-{number}"} for number in range(20)]
        answers = await asyncio.gather(
            *(shared.anonymous.post("/api/v1/enroll", json=body) for body in bodies)
        )
        statuses = sorted(answer.status_code for answer in answers)
        assert statuses == [201] * 3 + [401] * 17
        page = (await shared.admin.get("/api/v1/devices", params={"q": "racer-"})).json()
        assert page["count"] == 3
        listed = (await shared.admin.get(TOKENS, params={"name": "race"})).json()["results"]
        assert [(item["uses"], "token" in item) for item in listed] == [(3, False)]


class TestDevices:
    async def test_same_machine_again_is_a_new_device(self, session):
        token = await make_token(session, max_uses=2)
        identities = {"smbios_uuid": "4c4c4544-0042-3010-8051-b4c04f4a4e32", "serial": "J0B5NJ2"}
        first, first_key = await service.enroll(session, token, "web-01", identities, NOW)
        second, second_key = await service.enroll(session, token, "web-01", identities, NOW)
        assert first != second
        assert (await find_caller(session, first_key)).device_id == first
        assert (await find_caller(session, second_key)).device_id == second
        shared = await session.execute(
            select(DeviceIdentity.kind, func.count())
            .group_by(DeviceIdentity.kind)
            .order_by(DeviceIdentity.kind)
        )
        assert list(shared) == [("hostname", 2), ("serial", 2), ("smbios_uuid", 2)]

    async def test_comes_with_its_vital_signs_and_unseen(self, session):
        key, _ = await service.enroll(session, await make_token(session), "web-01", {}, NOW)
        device = await session.get(Device, key)
        assert (device.status, device.first_seen, device.last_seen) == ("unknown", NOW, None)
        assert await session.get(DeviceVitals, key)


class TestAgain:
    """A token that was made for a device."""

    async def enroll(self, shared, **body) -> tuple[str, str]:
        token = (await shared.admin.post(TOKENS, json={"name": "one", **body})).json()["token"]
        answer = await shared.anonymous.post("/api/v1/enroll", json={"token": token, "hostname": "again-01"})
        return answer.json()["device_id"], answer.json()["device_key"]

    async def again(self, shared, device: str, **identities: str) -> httpx.Response:
        made = await shared.admin.post(f"/api/v1/devices/{device}/enrollment-tokens", json={})
        assert (made.status_code, made.json()["device_id"], made.json()["max_uses"]) == (201, device, 1)
        body = {"token": made.json()["token"], "hostname": "again-01", "identities": identities}
        return await shared.anonymous.post("/api/v1/enroll", json=body)

    async def test_a_machine_that_was_installed_again_stays_its_device(self, shared):
        device, old_key = await self.enroll(shared)
        answer = (await self.again(shared, device, machine_id="b1")).json()
        assert (answer["device_id"], answer["note"]) == (device, "")
        assert answer["device_key"] != old_key
        codes = [
            (
                await shared.anonymous.get("/api/v1/agent/config", headers={"Authorization": f"Bearer {key}"})
            ).status_code
            for key in (old_key, answer["device_key"])
        ]
        assert codes == [401, 200]

    async def test_is_used_once(self, shared):
        device, _ = await self.enroll(shared)
        token = (await shared.admin.post(f"/api/v1/devices/{device}/enrollment-tokens", json={})).json()[
            "token"
        ]
        body = {"token": token, "hostname": "again-01"}
        codes = [(await shared.anonymous.post("/api/v1/enroll", json=body)).status_code for _ in range(2)]
        assert codes == [201, 401]

    async def test_a_device_that_was_moved_is_not_given_away(self, shared):
        device, key = await self.enroll(shared)
        token = (await shared.admin.post(f"/api/v1/devices/{device}/enrollment-tokens", json={})).json()[
            "token"
        ]
        place = (await shared.admin.post("/api/v1/departments", json={"name": "Moved to"})).json()["id"]
        moved = await shared.admin.patch(f"/api/v1/devices/{device}", json={"department_id": place})
        assert moved.status_code == 200
        answer = await shared.anonymous.post("/api/v1/enroll", json={"token": token, "hostname": "x"})
        assert (answer.status_code, "moved" in answer.json()["detail"]) == (401, True)
        kept = await shared.anonymous.get("/api/v1/agent/config", headers={"Authorization": f"Bearer {key}"})
        assert kept.status_code == 200

    async def test_a_device_that_was_merged_is_not_woken(self, shared):
        """Its telemetry is another device's by now."""
        (device, _), (kept, _) = await self.enroll(shared), await self.enroll(shared)
        made = await shared.admin.post(f"/api/v1/devices/{device}/enrollment-tokens", json={})
        body, reason = {"other_device_id": device}, {"X-Change-Reason": "One machine"}
        merged = await shared.admin.post(f"/api/v1/devices/{kept}/merges", json=body, headers=reason)
        assert merged.json()["merged_device_id"] == device
        answer = await shared.anonymous.post(
            "/api/v1/enroll", json={"token": made.json()["token"], "hostname": "x"}
        )
        assert (answer.status_code, "merged" in answer.json()["detail"]) == (401, True)

    async def test_needs_the_right_to_enroll(self, shared):
        device, _ = await self.enroll(shared)
        path = f"/api/v1/devices/{device}/enrollment-tokens"
        assert (await shared.viewer.post(path, json={})).status_code == 403
        unknown = path.replace(device, "00000000-0000-0000-0000-000000000001")
        assert (await shared.admin.post(unknown, json={})).status_code == 404


class TestKeys:
    @pytest.fixture
    async def device(self, session) -> Device:
        device = Device(name="web-01", hostname="web-01")
        session.add(device)
        await session.flush()
        return device

    async def test_key_is_known_by_its_hash(self, session, device):
        secret = await issue_key(session, device.id)
        assert secret.encode() not in await session.scalar(select(DeviceKey.secret_hash))
        assert (await find_caller(session, secret)).device_id == device.id

    async def test_revoked_key_stays_revoked_when_another_is_issued(self, session, device):
        old = await issue_key(session, device.id)
        await revoke_keys(session, device.id)
        new = await issue_key(session, device.id)
        assert await find_caller(session, old) is None
        assert await find_caller(session, new)

    async def test_moment_of_revocation_is_kept(self, session, device):
        await issue_key(session, device.id)
        await session.execute(update(DeviceKey).values(revoked_at=NOW))
        await revoke_keys(session, device.id)
        assert await session.scalar(select(DeviceKey.revoked_at)) == NOW

    @pytest.mark.parametrize("secret", ["", "fkd_", "fkd_x", "fkt_x", "fkd_" + "x" * 200, "fkd_\x00"])
    async def test_unknown_key(self, session, device, secret):
        assert await find_caller(session, secret) is None


HOSTILE = {
    "markup": "<script>alert(1)</script>",
    "right to left": "\u202egnp.exe",
    "quotes": "'; DROP TABLE devices; --",
    "terminal": "\x1b[2J\x07",
    "emoji": "🖥️ Ünïcödé",
    "long": "x" * 255,
}


class TestHostileStrings:
    @pytest.mark.parametrize("hostname", HOSTILE.values(), ids=HOSTILE.keys())
    async def test_hostname_comes_back_as_it_was_sent(self, shared, hostname):
        token = (await shared.admin.post(TOKENS, json={"name": hostname[:100]})).json()["token"]
        body = {
            "token": token,
            "hostname": hostname,
            "identities": {"serial": hostname, hostname[:50]: hostname},
        }
        answer = await shared.anonymous.post("/api/v1/enroll", json=body)
        assert answer.status_code == 201, answer.text
        device = (await shared.admin.get(f"/api/v1/devices/{answer.json()['device_id']}")).json()
        assert device["name"] == hostname
        found = (await shared.admin.get("/api/v1/devices", params={"name": hostname})).json()
        assert found["count"] == 1

    @pytest.mark.parametrize(
        ("change", "field"),
        [
            ({"hostname": "a\x00b"}, "hostname"),
            ({"hostname": ""}, "hostname"),
            ({"hostname": "x" * 256}, "hostname"),
            ({"hostname": "\ud800"}, "hostname"),
            ({"hostname": 1}, "hostname"),
            ({"token": "x" * 201}, "token"),
            ({"identities": {str(n): "x" for n in range(21)}}, "identities"),
            ({"identities": {"serial": "x" * 10_000}}, "identities.serial"),
            ({"identities": []}, "identities"),
            ({"identities": {"serial": None}}, "identities.serial"),
        ],
    )
    async def test_body_that_does_not_fit(self, shared, change, field):
        body = {"token": "fke_x", "hostname": "web", "identities": {}} | change
        # By hand, because httpx would not send half of a surrogate pair.
        headers = {"Content-Type": "application/json"}
        answer = await shared.anonymous.post("/api/v1/enroll", content=json.dumps(body), headers=headers)
        assert answer.status_code == 422
        assert answer.json()["errors"][0]["field"] == field

    @pytest.mark.parametrize("content", [b"", b"{", b"\xff", b"[" * 100_000, b'{"hostname":"\\ud800"}'])
    async def test_body_that_is_not_json(self, shared, content):
        headers = {"Content-Type": "application/json"}
        answer: httpx.Response = await shared.anonymous.post(
            "/api/v1/enroll", content=content, headers=headers
        )
        assert answer.status_code in {400, 422}
        assert answer.headers["content-type"] == "application/problem+json"
        assert answer.json()["errors"]
