"""Deletion through the API of NetBox: its reason in the audit log, and approval."""

import pytest

from fleetkeeper.identity.permissions import Role
from tests.factories.approvals import level, make_approval_rule
from tests.factories.identity import give, make_token, make_user
from tests.factories.netbox import API, make, names
from tests.fixtures.client import TEST_CONTEXT

DEVICES = f"{API}/dcim/devices/"


@pytest.fixture
async def ann(app):
    """An approver of deletions of two devices and more."""
    async with app.state.database.session(TEST_CONTEXT) as session:
        ann = await make_user(session, "ann")
        await give(session, ann, Role.VIEWER)
        await make_approval_rule(session, level(ann), kind="devices.delete", name="Many", threshold=2)
        token = await make_token(session, ann)
    async with app.client(token) as client:
        yield client


async def reasons(admin, action: str) -> list[str]:
    entries = (await admin.get(f"/api/v1/audit?action={action}")).json()["results"]
    return [one["change_reason"] for one in entries]


class TestReasons:
    async def test_message_of_the_change_log(self, admin):
        made = await make(admin, "dcim/devices", name="a", changelog_message="Bought")
        assert set(await reasons(admin, "devices.insert")) == {"Bought"}
        body = {"changelog_message": "Sold"}
        assert (await admin.request("DELETE", f"{DEVICES}{made['id']}/", json=body)).status_code == 204
        assert await reasons(admin, "devices.delete") == ["Sold"]

    async def test_our_header_counts_first(self, admin):
        made = await make(admin, "dcim/devices", name="a")
        headers = {"X-Change-Reason": "Broken"}
        assert (await admin.delete(f"{DEVICES}{made['id']}/", headers=headers)).status_code == 204
        assert await reasons(admin, "devices.delete") == ["Broken"]

    @pytest.mark.parametrize("message", ["x" * 501, "a\0b"])
    async def test_a_message_that_cannot_be_kept(self, admin, message):
        answer = await admin.post(DEVICES, json={"name": "a", "changelog_message": message})
        assert (answer.status_code, list(answer.json())) == (400, ["changelog_message"])


class TestApproval:
    async def test_many_at_once_wait(self, admin, ann):
        made = [await make(admin, "dcim/devices", name=name) for name in "abc"]
        answer = await admin.request("DELETE", DEVICES, json=[{"id": one["id"]} for one in made])
        assert answer.status_code == 409
        assert "An approval rule applies" in answer.json()["detail"]
        assert await names(admin, "dcim/devices") == ["a", "b", "c"]
        (request,) = (await ann.get("/api/v1/approvals?status=pending")).json()["results"]
        assert (request["amount"], request["reason"]) == (3, "Deleted through the API of NetBox")

    async def test_one_that_is_missing_keeps_all(self, admin):
        made = await make(admin, "dcim/devices", name="a")
        answer = await admin.request("DELETE", DEVICES, json=[{"id": made["id"]}, {"id": made["id"] + 1000}])
        assert answer.status_code == 404
        assert await names(admin, "dcim/devices") == ["a"]


class TestInUse:
    async def test_a_site_with_devices_stays(self, admin):
        site = await make(admin, "dcim/sites", name="Berlin")
        device = await make(admin, "dcim/devices", name="a", site=site["id"])
        where = f"{API}/dcim/sites/{site['id']}/"
        answer = await admin.delete(where)
        assert (answer.status_code, "1 devices" in answer.text) == (409, True)
        await admin.delete(f"{DEVICES}{device['id']}/")
        assert (await admin.delete(where)).status_code == 204

    async def test_an_interface_takes_its_addresses_along(self, admin):
        device = await make(admin, "dcim/devices", name="a")
        interface = await make(admin, "dcim/interfaces", device=device["id"], name="eth0", type="virtual")
        own = {"assigned_object_type": "dcim.interface", "assigned_object_id": interface["id"]}
        await make(admin, "ipam/ip-addresses", address="192.0.2.1/24", **own)
        assert (await admin.delete(f"{API}/dcim/interfaces/{interface['id']}/")).status_code == 204
        assert await names(admin, "ipam/ip-addresses") == []
