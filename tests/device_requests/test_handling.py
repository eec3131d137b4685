"""Leases: who has a request, for how long, and what becomes of it."""

import asyncio
from datetime import datetime

import pytest
from sqlalchemy import text

from fleetkeeper.device_requests.automation import AUTOMATIONS, AutomationError, Declared


@pytest.fixture
async def request_id(desk) -> str:
    await desk.handler()
    return await desk.submit(slot=1)


def end_leases(connection) -> None:
    connection.execute(
        "UPDATE device_requests SET lease_expires_at = now() - interval '1 second' WHERE lease_token IS NOT NULL"
    )


def make_due(connection) -> None:
    connection.execute("UPDATE device_requests SET available_at = now()")


class TestLease:
    async def test_hands_the_oldest_out_once(self, desk, request_id):
        later = await desk.submit(slot=2)
        (first,) = await desk.lease()
        assert (first["id"], first["attempt"], first["device_name"]) == (request_id, 1, "web-01")
        assert first["payload"] == {"slot": 1}
        assert [one["id"] for one in await desk.lease(limit=5)] == [later]
        assert await desk.lease() == []
        found = await desk.get(request_id)
        assert (found["status"], found["handled_by"]) == ("processing", "Helpers (admin)")

    async def test_each_of_many_at_once_gets_others(self, desk, request_id):
        made = {request_id} | {await desk.submit(slot=number) for number in range(2, 9)}
        leased = await asyncio.gather(*(desk.lease(limit=2) for _ in range(6)))
        got = [one["id"] for part in leased for one in part]
        assert len(got) == len(set(got)) == 8
        assert set(got) == made

    async def test_only_its_types(self, desk, request_id):
        await desk.handler(name="Orders", request_types=["order"])
        assert await desk.lease("Orders") == []
        assert await desk.lease(types=["order"]) == []
        order = await desk.submit("order", slot=1)
        assert [one["id"] for one in await desk.lease("Orders")] == [order]

    @pytest.mark.parametrize("handler", ["Nobody", "Fleetkeeper", "Off"])
    async def test_not_for_others(self, desk, handler):
        await desk.handler(name="Off", enabled=False)
        answer = await desk.admin.post("/api/v1/requests/lease", json={"handler": handler})
        assert answer.status_code == (422 if handler == "Nobody" else 409)

    async def test_waits_for_a_request(self, desk):
        await desk.handler()
        waiting = asyncio.create_task(desk.lease(wait_seconds=10))
        request = await desk.submit(slot=1)
        assert [one["id"] for one in await waiting] == [request]

    async def test_can_be_extended(self, desk, request_id):
        (leased,) = await desk.lease()
        longer = await desk.act(request_id, "extend", seconds=3600)
        ends = datetime.fromisoformat(longer.json()["lease_expires_at"])
        assert ends > datetime.fromisoformat(leased["lease_expires_at"])

    async def test_given_back_it_is_pending_and_does_not_count(self, desk, request_id):
        await desk.lease()
        back = await desk.act(request_id, "release", reason="Not mine")
        assert (back.json()["status"], back.json()["attempts"]) == ("pending", 0)
        assert [one["id"] for one in await desk.lease()] == [request_id]

    async def test_an_ended_one_counts_for_nothing(self, desk, request_id, connection):
        await desk.lease()
        old = dict(desk.leases)
        end_leases(connection)
        assert (await desk.answer(request_id)).status_code == 409
        await desk.run("upkeep")
        assert (await desk.get(request_id))["status"] == "pending"
        make_due(connection)
        await desk.lease()
        desk.leases, new = old, dict(desk.leases)
        for verb, body in (
            ("answer", {"content": {}}),
            ("release", {}),
            ("extend", {}),
            ("fail", {"reason": "No"}),
        ):
            assert (await desk.act(request_id, verb, **body)).status_code == 409, verb
        desk.leases = new
        assert (await desk.act(request_id, "extend")).status_code == 200


class TestFailing:
    async def test_comes_again_after_a_while(self, desk, request_id, connection):
        await desk.lease()
        failed = await desk.act(request_id, "fail", reason="No stock known")
        assert (failed.json()["status"], failed.json()["failure"]) == ("pending", "No stock known")
        assert await desk.lease() == []
        make_due(connection)
        (again,) = await desk.lease()
        assert again["attempt"] == 2

    async def test_after_the_last_attempt_it_is_dead_and_told_once(self, desk, connection):
        await desk.handler(max_attempts=2)
        request = await desk.submit(slot=1)
        for _ in range(2):
            make_due(connection)
            await desk.lease()
            end_leases(connection)
            await desk.run("upkeep")
        found = await desk.get(request)
        assert (found["status"], found["attempts"]) == ("failed", 2)
        assert found["dead_at"] is not None
        await desk.run("upkeep")
        events = connection.execute(
            "SELECT title FROM notification_events WHERE name = 'device_requests.failed'"
        ).fetchall()
        assert events == [("Request get_parts of web-01 failed",)]

    async def test_a_person_may_retry(self, desk, request_id):
        await desk.lease()
        dead = await desk.act(request_id, "fail", reason="Never", retry=False)
        assert dead.json()["status"] == "failed"
        again = await desk.admin.post(f"/api/v1/requests/{request_id}/retry", json={"reason": "Mended"})
        assert (again.json()["status"], again.json()["attempts"], again.json()["dead_at"]) == (
            "pending",
            0,
            None,
        )
        assert [one["id"] for one in await desk.lease()] == [request_id]

    async def test_cancelled_is_the_end(self, desk, request_id):
        await desk.lease()
        assert (await desk.admin.post(f"/api/v1/requests/{request_id}/cancel", json={})).status_code == 200
        assert (await desk.answer(request_id)).status_code == 409
        assert (await desk.admin.post(f"/api/v1/requests/{request_id}/retry", json={})).status_code == 409


class TestPeople:
    async def test_take_and_answer(self, desk, viewer):
        request = await desk.submit(slot=1)
        path = f"/api/v1/requests/{request}/take"
        assert (await viewer.post(path)).status_code == 403
        taken = await desk.admin.post(path)
        assert taken.status_code == 200, taken.text
        assert (await desk.admin.post(path)).status_code == 409
        desk.leases[request] = taken.json()["lease_token"]
        done = await desk.answer(request, content={"part": "A1"}, metadata={"by": "hand"})
        assert done.json()["status"] == "completed"
        assert done.json()["response"]["status"] == "ready"
        assert done.json()["response"]["metadata"] == {"by": "hand"}

    async def test_waiting_for_people(self, desk):
        lone = await desk.submit("question", slot=1)
        path = "/api/v1/requests?waiting_for=people"
        assert [one["id"] for one in (await desk.admin.get(path)).json()["results"]] == [lone]
        await desk.submit("ping")
        await desk.handler(request_types=["question"])
        assert (await desk.admin.get(path)).json()["results"] == []


class TestAutomation:
    async def test_one_that_fails_holds_up_nobody(self, desk, monkeypatch):
        async def refuses(session, request):
            raise AutomationError("No such part")

        async def breaks(session, request):
            await session.execute(text("SELECT 1 / 0"))

        async def says_what_cannot_be_kept(session, request):
            return {"text": "\x00"}

        made = {"refuses": refuses, "breaks": breaks, "unkept": says_what_cannot_be_kept}
        for name, function in made.items():
            monkeypatch.setitem(AUTOMATIONS, name, Declared(name, function))
        await desk.handler(name="Own", kind="automation", request_types=list(made))
        requests = {name: await desk.submit(name) for name in (*made, "ping")}
        await desk.run("hand_out")
        found = {name: await desk.get(request) for name, request in requests.items()}
        assert {name: one["status"] for name, one in found.items()} == {
            "refuses": "failed",
            "breaks": "pending",
            "unkept": "pending",
            "ping": "completed",
        }
        assert found["refuses"]["failure"] == "No such part"
        assert "server's log" in found["breaks"]["failure"]

    async def test_ping_is_answered(self, desk):
        request = await desk.submit("ping", n=1)
        await desk.run("hand_out")
        told = (await desk.poll(request)).json()
        assert (told["request_status"], told["status"]) == ("completed", "ready")
        assert (told["content"]["pong"], told["content"]["device"]) == (True, "web-01")
