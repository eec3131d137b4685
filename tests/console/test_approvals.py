"""Approvals in the console: rules by a form, requests and what one may do with them, delegations."""

import re
from datetime import timedelta

import pytest
from sqlalchemy import select

from fleetkeeper.approvals.models import ApprovalRule
from fleetkeeper.identity.permissions import Role
from fleetkeeper.identity.queries import find_user
from fleetkeeper.identity.service import actor_of_user
from fleetkeeper.kit.clock import utc_now
from tests.factories.approvals import KIND, acting, ask, level, make_approval_rule
from tests.factories.identity import make_actor, make_group, make_user
from tests.fixtures.client import TEST_CONTEXT

RULE = {
    "name": "Two people",
    "kind": KIND,
    "minimum": "1",
    "second_minimum": "1",
    "mode": "sequence",
    "expires_hours": "72",
    "position": "0",
}


@pytest.fixture
async def request_of(app):
    """Asks for something that the named user must approve."""

    async def request_of(approver: str, requester: str = ""):
        async with app.state.database.session(TEST_CONTEXT) as session:
            user = await find_user(session, approver)
            await make_approval_rule(session, level(user))
            if requester:
                actor = await actor_of_user(session, await find_user(session, requester))
            else:
                actor = await make_actor(session, Role.VIEWER, name="rita")
        async with acting(app, actor) as session:
            return await ask(session, actor, "this <b>thing</b>")

    return request_of


class TestRules:
    async def test_a_rule_is_created_changed_and_deleted(self, app, browser):
        async with app.state.database.session(TEST_CONTEXT) as session:
            group = await make_group(session, name="Approvers")
            await make_user(session, "ann")
        made = await browser.send("/approvals/rules", **RULE, groups=str(group.id), second_users="ann")
        assert made.status_code == 204, made.text
        address = made.headers["hx-redirect"]
        page = await browser.page(address)
        assert "group Approvers" in page
        assert "ann" in page
        settings = await browser.page(f"{address}?tab=settings")
        assert 'value="ann"' in settings
        version = re.search(r'name="version" value="(\d+)"', settings)[1]
        fields = {name: text for name, text in RULE.items() if name != "kind"}
        changed = fields | {"threshold": "1000", "enabled": "true", "users": "maria, ann", "version": version}
        answer = await browser.send(address, **changed)
        assert answer.status_code == 204, answer.text
        async with app.state.database.session(TEST_CONTEXT) as session:
            rule = await session.scalar(select(ApprovalRule))
        assert (rule.threshold, rule.enabled, len(rule.levels), len(rule.levels[0]["users"])) == (
            1000,
            True,
            1,
            2,
        )
        assert (await browser.send(f"{address}/delete")).status_code == 204
        assert "No approval rules yet" in await browser.page("/approvals/rules")

    @pytest.mark.parametrize(
        ("fields", "problem"),
        [
            ({}, "at least one user, group or role"),
            ({"users": "nobody"}, "there is no user"),
            ({"users": "maria", "escalation_hours": "4"}, "Must name at least one user, group or role"),
        ],
    )
    async def test_what_is_wrong_stands_in_the_form(self, browser, fields, problem):
        answer = await browser.send("/approvals/rules", **RULE, **fields)
        assert answer.status_code == 422
        assert problem in answer.text
        assert 'value="Two people"' in answer.text


class TestRequests:
    async def test_approve(self, browser, request_of):
        request = await request_of("maria")
        address = f"/approvals/{request.id}"
        listed = await browser.part("/approvals?box=waiting_for")
        assert address in listed
        assert address not in await browser.part("/approvals?box=requested_by")
        page = await browser.page(address)
        assert "this &lt;b&gt;thing&lt;/b&gt;" in page
        assert (await browser.send(f"{address}/approve", comment="Fine")).status_code == 204
        decided = await browser.page(address)
        assert "maria approved: Fine" in decided
        assert f"{address}/approve" not in decided
        assert "Approved" in await browser.page(f"{address}?tab=history")

    async def test_a_rejection_needs_a_reason(self, browser, request_of):
        address = f"/approvals/{(await request_of('maria')).id}"
        refused = await browser.send(f"{address}/reject", comment="")
        assert refused.status_code == 422
        assert (await browser.send(f"{address}/reject", comment="Too early")).status_code == 204
        assert "maria rejected: Too early" in await browser.page(address)

    async def test_the_requester_can_cancel_and_nothing_else(self, app, browser, request_of):
        async with app.state.database.session(TEST_CONTEXT) as session:
            await make_user(session, "ann")
        address = f"/approvals/{(await request_of('ann', 'maria')).id}"
        page = await browser.page(address)
        assert f"{address}/cancel" in page
        assert f"{address}/approve" not in page
        assert (await browser.send(f"{address}/cancel", comment="")).status_code == 204
        assert "cancelled" in (await browser.page(address)).lower()

    async def test_others_see_no_page(self, viewer_browser, app, request_of):
        async with app.state.database.session(TEST_CONTEXT) as session:
            await make_user(session, "ann")
        address = f"/approvals/{(await request_of('ann')).id}"
        await viewer_browser.page(address, status=404)
        assert address not in await viewer_browser.page("/approvals")


async def test_a_device_says_what_of_it_waits(app, browser, viewer_browser, device):
    async with app.state.database.session(TEST_CONTEXT) as session:
        await make_approval_rule(session, level(await make_user(session, "ann")), kind="devices.delete")
    page = f"/devices/{device.id}"
    assert "waits for approval" not in await browser.page(page)
    answer = await browser.send(f"{page}/delete", change_reason="Sold")
    request = answer.headers["hx-redirect"]
    assert request.startswith("/approvals/")
    shown = await browser.page(page)
    assert "Delete devices, requested by maria, waits for approval." in shown
    assert f'href="{request}"' in shown
    seen = await viewer_browser.page(page)
    assert "waits for approval" in seen
    assert request not in seen


async def test_delegations(app, browser):
    async with app.state.database.session(TEST_CONTEXT) as session:
        await make_user(session, "ann")
    tomorrow = f"{utc_now() + timedelta(days=1):%Y-%m-%d}"
    refused = await browser.send("/approvals/delegations", to_user="maria", first_day="", last_day=tomorrow)
    assert "Must be somebody else" in refused.text
    wrong = await browser.send("/approvals/delegations", to_user="ann", first_day="", last_day="2020-01-01")
    assert "Must be in the future" in wrong.text
    for day in ("soon", "", "9999-12-31"):
        wrong = await browser.send("/approvals/delegations", to_user="ann", first_day="", last_day=day)
        assert wrong.status_code == 422
        assert 'id="delegate-last_day-error"' in wrong.text
    made = await browser.send("/approvals/delegations", to_user="ann", first_day="", last_day=tomorrow)
    assert made.status_code == 204, made.text
    page = await browser.page("/approvals/delegations")
    address = re.search(r"/approvals/delegations/[0-9a-f-]+/end", page)[0]
    assert (await browser.send(address)).status_code == 204
    assert "No delegations" in await browser.page("/approvals/delegations")
