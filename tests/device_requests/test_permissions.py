"""Who sees and handles which requests: those of their departments alone."""

from dataclasses import dataclass

import httpx
import pytest

from fleetkeeper.identity.permissions import Role
from tests.factories.identity import give, make_token, make_tree, make_user
from tests.fixtures.client import TEST_CONTEXT


@dataclass
class North:
    """The device stands in North; Nora works there and Sven in South."""

    nora: httpx.AsyncClient
    sven: httpx.AsyncClient
    south: str


@pytest.fixture
async def north(desk):
    async with desk.app.state.database.session(TEST_CONTEXT) as session:
        north, _, south = await make_tree(session)
        tokens = []
        for name, place in (("nora", north), ("sven", south)):
            user = await make_user(session, name)
            await give(session, user, Role.OPERATOR, place)
            tokens.append(await make_token(session, user))
    moved = await desk.admin.patch(f"/api/v1/devices/{desk.device.id}", json={"department_id": str(north.id)})
    assert moved.status_code == 200, moved.text
    async with desk.app.client(tokens[0]) as nora, desk.app.client(tokens[1]) as sven:
        yield North(nora, sven, str(south.id))


class TestDepartments:
    async def test_another_department_sees_nothing(self, desk, north):
        await desk.handler()
        request = await desk.submit(slot=1)
        for path in ("/api/v1/requests", "/api/v1/requests?q=get_parts"):
            seen = (await north.nora.get(path)).json()
            assert (seen["count"], seen["results"][0]["device_name"]) == (1, "web-01")
            assert (await north.sven.get(path)).json()["count"] == 0
        assert request in (await north.nora.get("/api/v1/requests/export")).text
        assert request not in (await north.sven.get("/api/v1/requests/export")).text
        assert (await north.sven.get(f"/api/v1/requests/{request}")).status_code == 404
        assert (await north.sven.post(f"/api/v1/requests/{request}/take")).status_code == 404
        assert (await north.sven.post(f"/api/v1/requests/{request}/cancel", json={})).status_code == 404
        leased = await north.sven.post("/api/v1/requests/lease", json={"handler": "Helpers"})
        assert leased.json() == {"requests": []}
        path = f"/api/v1/devices/{desk.device.id}/requests"
        assert (await north.sven.post(path, json={"type": "x"})).status_code == 404
        assert (await north.nora.post(path, json={"type": "x"})).status_code == 201

    async def test_the_own_department_handles_them(self, desk, north):
        await desk.handler()
        request = await desk.submit(slot=1)
        leased = (await north.nora.post("/api/v1/requests/lease", json={"handler": "Helpers"})).json()
        (one,) = leased["requests"]
        body = {"lease_token": one["lease_token"], "content": {"part": "A1"}}
        answered = await north.nora.post(f"/api/v1/requests/{request}/answer", json=body)
        assert answered.json()["response"]["content"] == {"part": "A1"}, answered.text
        decisions = [await desk.decide(request, 0.5)]
        path = f"/api/v1/agent-decisions/{decisions[0]['id']}"
        assert (await north.sven.get(path)).status_code == 404
        assert (await north.sven.post(f"{path}/verdicts", json={"verdict": "agree"})).status_code == 404
        judged = await north.nora.post(f"{path}/verdicts", json={"verdict": "disagree"})
        assert judged.json()["verdict"] == "disagree", judged.text
        assert (await north.sven.get("/api/v1/agent-decisions")).json()["count"] == 0

    async def test_requests_move_with_their_device(self, desk, north):
        request = await desk.submit(slot=1)
        await desk.admin.patch(f"/api/v1/devices/{desk.device.id}", json={"department_id": north.south})
        assert (await north.nora.get(f"/api/v1/requests/{request}")).status_code == 404
        assert (await north.sven.get(f"/api/v1/requests/{request}")).status_code == 200

    async def test_a_handler_of_a_department_gets_its_requests_only(self, desk, north):
        await desk.handler(name="South", department_id=north.south)
        await desk.submit(slot=1)
        assert await desk.lease("South") == []
