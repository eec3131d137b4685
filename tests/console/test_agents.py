"""Enrollment and agents."""

import re
from datetime import UTC, datetime

import pytest

from fleetkeeper.console.enrolment import install_commands, wanted_token
from fleetkeeper.errors import InvalidInputError
from tests.factories.identity import make_department
from tests.fixtures.client import TEST_CONTEXT

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)


FORM = {"name": "lab", "max_uses": "1", "ttl_hours": "1"}
TOKENS = "/agents/enrollment-tokens"


class TestTokenForm:
    def test_hours_become_seconds(self):
        wanted = wanted_token({"name": [" lab "], "max_uses": ["3"], "ttl_hours": ["2"]})
        assert (wanted.name, wanted.max_uses, wanted.ttl_seconds) == ("lab", 3, 7200)

    @pytest.mark.parametrize(
        ("change", "field"),
        [
            ({"name": ""}, "name"),
            ({"max_uses": "0"}, "max_uses"),
            ({"ttl_hours": "x"}, "ttl_hours"),
            ({"ttl_hours": "²"}, "ttl_hours"),
            ({"ttl_hours": "9000"}, "ttl_hours"),
            ({"allowed_networks": "moon"}, "allowed_networks"),
        ],
    )
    def test_names_the_field_at_fault(self, change, field):
        with pytest.raises(InvalidInputError) as refused:
            wanted_token({name: [text] for name, text in (FORM | change).items()})
        assert {one.field for one in refused.value.fields} == {field}

    def test_a_command_cannot_be_broken_out_of(self):
        commands = install_commands("http://host;reboot", "a b")
        assert all("fleetkeeper-agent" not in one.text for one in commands), "is on no path yet"
        assert all("'http://host;reboot" in one.text and "'a b'" in one.text for one in commands)


class TestPage:
    async def test_a_token_is_shown_once_and_the_machine_that_uses_it_arrives(self, app, browser):
        answer = await browser.send("/agents/enrollment-tokens", name="lab", max_uses="1", ttl_hours="1")
        assert answer.status_code == 200, answer.text
        secret = re.search(r"fke_[\w-]+", answer.text)[0]
        poll = re.search(r'hx-get="(/agents/arrivals[^"]+)"', answer.text)[1].replace("&amp;", "&")
        assert "Waiting for the machine" in await browser.part(poll)
        async with app.client() as machine:
            body = {"token": secret, "hostname": "new-01", "identities": {}}
            assert (await machine.post("/api/v1/enroll", json=body)).json()["note"] == ""
        part = await browser.part(poll)
        assert "new-01" in part
        assert "Another device" not in part
        page = await browser.page(TOKENS)
        assert secret not in page
        assert "1 of 1" in page
        assert "Used up" in page
        assert "No tokens" in await browser.part(f"{TOKENS}?state=active")

    async def test_a_machine_enrolls_again_as_its_device(self, app, browser, device):
        assert f"/agents/{device.id}/enroll-again" in await browser.page("/agents")
        answer = await browser.send(f"/agents/{device.id}/enroll-again")
        assert answer.status_code == 200, answer.text
        secret = re.search(r"fke_[\w-]+", answer.text)[0]
        async with app.client() as machine:
            body = {"token": secret, "hostname": "web-01", "identities": {}}
            enrolled = (await machine.post("/api/v1/enroll", json=body)).json()
        assert (enrolled["device_id"], enrolled["note"]) == (str(device.id), "")

    async def test_a_second_device_of_a_name_is_told_of(self, app, browser, device):
        answer = await browser.send("/agents/enrollment-tokens", name="lab", max_uses="1", ttl_hours="1")
        secret = re.search(r"fke_[\w-]+", answer.text)[0]
        poll = re.search(r'hx-get="(/agents/arrivals[^"]+)"', answer.text)[1].replace("&amp;", "&")
        async with app.client() as machine:
            body = {"token": secret, "hostname": "web-01", "identities": {}}
            note = (await machine.post("/api/v1/enroll", json=body)).json()["note"]
        assert "Another device in the same department is named web-01" in note
        assert "Another device is named web-01" in await browser.part(poll)

    async def test_a_token_for_a_department_and_from_networks(self, app, browser):
        async with app.state.database.session(TEST_CONTEXT) as session:
            north = await make_department(session, "North")
        assert "North" in await browser.page("/agents")
        form = {"name": "lab", "max_uses": "1", "ttl_hours": "1", "department_id": str(north.id)}
        answer = await browser.send(
            "/agents/enrollment-tokens", **form, allowed_networks="192.0.2.0/24, ::1/128"
        )
        assert answer.status_code == 200, answer.text
        part = await browser.part("/agents/enrollment-tokens")
        assert "North" in part
        assert "from 192.0.2.0/24, ::1/128" in part

    @pytest.mark.parametrize(
        ("change", "field"),
        [
            ({"allowed_networks": "moon"}, "allowed_networks"),
            ({"department_id": "0198f6a0-0000-7000-8000-000000000001"}, "department_id"),
        ],
    )
    async def test_a_wrong_place_names_the_field(self, browser, change, field):
        form = {"name": "lab", "max_uses": "1", "ttl_hours": "1"} | change
        answer = await browser.send("/agents/enrollment-tokens", **form)
        assert answer.status_code == 422
        assert f'id="new-token-{field}-error"' in answer.text

    async def test_a_refused_token_names_the_field(self, browser):
        answer = await browser.send("/agents/enrollment-tokens", name="", max_uses="1", ttl_hours="1")
        assert answer.status_code == 422
        assert 'id="new-token-name-error"' in answer.text

    async def test_revoking_a_token(self, admin, browser):
        token = (await admin.post("/api/v1/enrollment-tokens", json={"name": "lab"})).json()
        answer = await browser.send(f"{TOKENS}/{token['id']}/revoke")
        assert "Token revoked." in answer.headers["HX-Trigger"]
        page = await browser.page(TOKENS)
        assert "Revoked" in page
        assert f"{token['id']}/revoke" not in page

    async def test_revoking_an_agent_refuses_its_key(self, browser, device):
        answer = await browser.send(f"/agents/{device.id}/revoke")
        assert answer.status_code == 204, answer.text
        assert "revoked" in answer.headers["HX-Trigger"]
        assert "list-changed" in answer.headers["HX-Trigger"]
        page = await browser.page("/agents")
        assert "Revoked" in page
        assert f"{device.id}/revoke" not in page
        assert (await device.client.get("/api/v1/agent/config")).status_code == 401

    async def test_collectors_that_do_not_work_are_named(self, browser, device):
        report = {
            "inventory": {"hostname": "web-01", "agent_version": "1.2.3"},
            "collectors": [
                {"name": "cpu", "status": "ok"},
                {"name": "perf_events", "status": "unavailable", "reason": "not allowed"},
                {"name": "gpu", "status": "off"},
            ],
        }
        await device.client.post("/api/v1/agent/inventory", json=report)
        part = await browser.part("/agents")
        assert "1.2.3" in part
        table = part[part.index("<tbody") :]
        assert re.findall(r'title="([^"]*)"', table) == ["not allowed"]

    async def test_a_viewer_may_look_and_not_enrol(self, viewer_browser, device):
        page = await viewer_browser.page("/agents")
        assert device.id in page
        assert "Revoke" not in page
        assert "Create token" not in page
        answer = await viewer_browser.send("/agents/enrollment-tokens", name="x", max_uses="1", ttl_hours="1")
        assert answer.status_code == 403
