"""The doors of approvals: rules, requests, delegations, and who gets to see what."""

from datetime import timedelta

import pytest

from fleetkeeper.identity.permissions import Permission
from fleetkeeper.identity.queries import find_user
from fleetkeeper.identity.tokens.service import create_token
from fleetkeeper.kit.clock import utc_now
from tests.factories.approvals import KIND
from tests.factories.identity import make_group, make_token
from tests.fixtures.client import TEST_CONTEXT

APPROVALS = "/api/v1/approvals"
RULES = "/api/v1/approval-rules"
DELEGATIONS = "/api/v1/account/approval-delegations"


@pytest.fixture
async def client_of(app):
    """Clients with a token of somebody, perhaps with limits."""

    async def client_of(name: str, **limits):
        async with app.state.database.session(TEST_CONTEXT) as session:
            if limits:
                token = await make_token(session, await find_user(session, name), **limits)
            else:
                token = await create_token(session, name, "test", now=utc_now())
        return app.client(token)

    return client_of


class TestRules:
    async def test_create_change_delete(self, admin, app):
        async with app.state.database.session(TEST_CONTEXT) as session:
            group = await make_group(session)
        wanted = {"name": "Two people", "kind": KIND, "levels": [{"groups": [str(group.id)], "minimum": 2}]}
        made = await admin.post(RULES, json=wanted)
        assert made.status_code == 201, made.text
        address = f"{RULES}/{made.json()['id']}"
        assert (await admin.post(RULES, json=wanted)).status_code == 409
        changes = {"threshold": 50, "escalation_hours": 4, "escalation": {"groups": [str(group.id)]}}
        changed = await admin.patch(address, json=changes, headers={"If-Match": made.headers["etag"]})
        assert changed.json()["threshold"] == 50
        stale = await admin.patch(address, json=changes, headers={"If-Match": made.headers["etag"]})
        assert stale.status_code == 412
        assert [one["name"] for one in (await admin.get(RULES)).json()["results"]] == ["Two people"]
        assert KIND in {one["name"] for one in (await admin.get(f"{RULES}/kinds")).json()}
        assert (await admin.delete(address)).status_code == 204
        assert (await admin.get(address)).status_code == 404

    @pytest.mark.parametrize(
        ("changes", "field"),
        [
            ({"kind": "tests.unknown"}, "kind"),
            ({"levels": []}, "levels"),
            ({"levels": [{"minimum": 1}]}, "levels.0"),
            ({"levels": [{"users": ["0198f6a0-0000-7000-8000-000000000001"]}]}, "levels.0.users"),
            ({"escalation_hours": 4}, "escalation"),
        ],
    )
    async def test_what_is_wrong_is_named(self, admin, app, changes, field):
        async with app.state.database.session(TEST_CONTEXT) as session:
            group = await make_group(session)
        wanted = {"name": "Rule", "kind": KIND, "levels": [{"groups": [str(group.id)]}]}
        answer = await admin.post(RULES, json=wanted | changes)
        assert answer.status_code == 422, answer.text
        assert field in {one["field"] for one in answer.json()["errors"]}

    async def test_a_viewer_neither_reads_nor_writes(self, viewer):
        assert (await viewer.get(RULES)).status_code == 403
        assert (await viewer.post(RULES, json={})).status_code == 403


class TestRequests:
    async def test_each_list_holds_its_own(self, team, client_of):
        await team.rule()
        request = await team.ask()

        async def listed(name, query=""):
            page = (await (await client_of(name)).get(f"{APPROVALS}{query}")).json()
            return [one["id"] for one in page["results"]]

        assert await listed("ann") == await listed("ann", "?waiting_for=me") == [str(request.id)]
        assert await listed("rita", "?requested_by=me") == [str(request.id)]
        assert await listed("rita", "?waiting_for=me") == await listed("sam") == []
        await team.approve(team.ann, request)
        assert await listed("bob", "?waiting_for=me") == []

    async def test_approve_reject_and_cancel(self, team, client_of):
        await team.rule()
        first, second, third = [await team.ask(what) for what in ("a", "b", "c")]
        ann, rita = await client_of("ann"), await client_of("rita")
        approved = await ann.post(f"{APPROVALS}/{first.id}/approve", json={"comment": "Fine"})
        assert approved.json()["status"] == "approved"
        assert (await ann.post(f"{APPROVALS}/{second.id}/reject", json={"comment": ""})).status_code == 422
        rejected = await ann.post(f"{APPROVALS}/{second.id}/reject", json={"comment": "Too early"})
        assert rejected.json()["decisions"][0]["comment"] == "Too early"
        assert (await ann.post(f"{APPROVALS}/{third.id}/cancel", json={})).status_code == 403
        assert (await rita.post(f"{APPROVALS}/{third.id}/approve", json={})).status_code == 403
        assert (await rita.post(f"{APPROVALS}/{third.id}/cancel", json={})).json()["status"] == "cancelled"
        assert (await ann.post(f"{APPROVALS}/{third.id}/approve", json={})).status_code == 409

    async def test_for_others_there_is_none(self, team, client_of):
        await team.rule()
        address = f"{APPROVALS}/{(await team.ask()).id}"
        sam = await client_of("sam")
        answers = [await sam.get(address)]
        answers += [
            await sam.post(f"{address}/{act}", json={"comment": "x"})
            for act in ("approve", "reject", "cancel")
        ]
        assert [one.status_code for one in answers] == [404] * 4

    async def test_a_token_for_other_things_decides_nothing(self, team, client_of):
        await team.rule()
        address = f"{APPROVALS}/{(await team.ask()).id}"
        client = await client_of("ann", permissions=(Permission.DEVICES_READ,))
        assert (await client.post(f"{address}/approve", json={})).status_code == 404


class TestDelegations:
    async def test_from_giving_to_ending(self, team, client_of):
        await team.rule()
        request = await team.ask()
        ann, sam = await client_of("ann"), await client_of("sam")
        ends = (utc_now() + timedelta(days=2)).isoformat()
        assert (await ann.post(DELEGATIONS, json={"to_user": "ann", "ends_at": ends})).status_code == 422
        assert (await ann.post(DELEGATIONS, json={"to_user": "nobody", "ends_at": ends})).status_code == 422
        made = await ann.post(DELEGATIONS, json={"to_user": "sam", "ends_at": ends})
        assert made.status_code == 201, made.text
        assert [one["is_own"] for one in (await sam.get(DELEGATIONS)).json()] == [False]
        assert (await sam.get(f"{APPROVALS}/{request.id}")).json()["can_decide"] is True
        address = f"{DELEGATIONS}/{made.json()['id']}"
        assert (await (await client_of("bob")).delete(address)).status_code == 404
        assert (await ann.delete(address)).status_code == 204
        assert (await sam.get(f"{APPROVALS}/{request.id}")).status_code == 404
