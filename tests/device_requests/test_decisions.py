"""Decisions of agents: kept as they were said, judged by people, and what waits for that."""

from datetime import timedelta

import psycopg
import pytest
from psycopg import errors

from fleetkeeper.identity.permissions import Role
from fleetkeeper.kit.clock import utc_now
from tests.fixtures.client import make_user


@pytest.fixture
async def olga(app):
    """An operator, who judges."""
    async with app.client(await make_user(app.state.database, "olga", Role.OPERATOR)) as client:
        yield client


@pytest.fixture
async def waiting(desk) -> tuple[str, str]:
    """A request whose answer waits for a person, and the decision that was not sure enough."""
    await desk.handler()
    request = await desk.submit(slot=1)
    await desk.lease()
    decision = await desk.decide(request, 0.5)
    answered = await desk.answer(request, content={"part": "B2"})
    assert answered.json()["response"]["status"] == "processing", answered.text
    return request, decision["id"]


async def judge(client, decision: str, verdict: str, comment: str = ""):
    body = {"verdict": verdict, "comment": comment}
    return await client.post(f"/api/v1/agent-decisions/{decision}/verdicts", json=body)


class TestRecording:
    async def test_is_kept_and_audited(self, desk, connection):
        request = await desk.submit(slot=1)
        made = await desk.decide(request, 0.87, reasoning={"why": "it fits"}, evidence=["slot 1"])
        assert (made["confidence_score"], made["reasoning"]) == (0.87, {"why": "it fits"})
        listed = (await desk.admin.get("/api/v1/agent-decisions?agent=Finder")).json()["results"]
        assert [one["id"] for one in listed] == [made["id"]]
        entry = connection.execute(
            "SELECT record_id, record_name FROM audit_log WHERE action = 'agent_decisions.insert'"
        ).fetchall()
        assert entry == [(made["id"], "Finder")]

    @pytest.mark.parametrize("score", [-0.1, 1.01, 0.123, "high"])
    async def test_confidence_is_a_share(self, desk, score):
        request = await desk.submit(slot=1)
        body = {
            "request_id": request,
            "agent_name": "Finder",
            "decision_type": "x",
            "decision_value": "y",
            "confidence_score": score,
        }
        answer = await desk.admin.post("/api/v1/agent-decisions", json=body)
        assert answer.status_code == 422
        assert answer.json()["errors"][0]["field"] == "confidence_score"

    async def test_needs_its_permission(self, desk, olga):
        request = await desk.submit(slot=1)
        body = {
            "request_id": request,
            "agent_name": "Finder",
            "decision_type": "x",
            "decision_value": "y",
            "confidence_score": 1,
        }
        assert (await olga.post("/api/v1/agent-decisions", json=body)).status_code == 403

    @pytest.mark.parametrize(
        "statement",
        [
            "UPDATE agent_decisions SET confidence_score = 1",
            "DELETE FROM agent_decisions",
            "TRUNCATE agent_decisions CASCADE",
            "DELETE FROM agent_decision_verdicts",
            "UPDATE agent_decision_verdicts SET verdict = 'agree'",
        ],
    )
    async def test_nobody_changes_it(self, desk, olga, connection, statement):
        made = await desk.decide(await desk.submit(slot=1), 0.5)
        assert (await judge(olga, made["id"], "disagree")).status_code == 201
        with pytest.raises((errors.InsufficientPrivilege, psycopg.errors.RaiseException)):
            connection.execute(statement)

    async def test_goes_with_its_device(self, desk, olga, connection):
        made = await desk.decide(await desk.submit(slot=1), 0.5)
        await judge(olga, made["id"], "agree")
        connection.execute("DELETE FROM devices WHERE id = %s", (desk.device.id,))
        assert connection.execute("SELECT count(*) FROM agent_decision_verdicts").fetchone() == (0,)


class TestOversight:
    async def test_a_sure_answer_is_ready_at_once(self, desk):
        await desk.handler()
        request = await desk.submit(slot=1)
        await desk.lease()
        await desk.decide(request, 0.7)
        assert (await desk.answer(request)).json()["status"] == "completed"

    async def test_an_answer_without_a_decision_waits(self, desk):
        await desk.handler(kind="people")
        request = await desk.submit(slot=1)
        await desk.lease()
        answered = (await desk.answer(request, ai_processed=True)).json()
        assert (answered["status"], answered["response"]["status"]) == ("processing", "processing")

    async def test_a_threshold_of_zero_turns_it_off(self, desk):
        await desk.configure(confidence_threshold=0)
        await desk.handler()
        request = await desk.submit(slot=1)
        await desk.lease()
        assert (await desk.answer(request)).json()["status"] == "completed"

    async def test_the_device_gets_nothing_before_a_person_agrees(self, desk, waiting, olga):
        request, decision = waiting
        told = (await desk.poll(request)).json()
        assert (told["status"], told["content"]) == ("processing", None)
        listed = await desk.admin.get("/api/v1/requests?waiting_for=people")
        assert [one["id"] for one in listed.json()["results"]] == [request]
        agreed = await judge(olga, decision, "agree", "Right part")
        assert agreed.status_code == 201, agreed.text
        (verdict,) = agreed.json()["verdicts"]
        assert (verdict["user_name"], verdict["comment"]) == ("olga", "Right part")
        told = (await desk.poll(request)).json()
        assert (told["request_status"], told["status"], told["content"]) == (
            "completed",
            "ready",
            {"part": "B2"},
        )

    async def test_after_a_disagreement_people_answer(self, desk, waiting, olga):
        request, decision = waiting
        verdict = (await judge(olga, decision, "disagree", "Wrong slot")).json()["verdicts"][0]
        assert verdict["answer"] == {"part": "B2"}
        found = await desk.get(request)
        assert (found["status"], found["needs_person"], found["response"]) == ("pending", True, None)
        # No agent gets it again.
        assert await desk.lease() == []
        taken = await olga.post(f"/api/v1/requests/{request}/take")
        body = {"lease_token": taken.json()["lease_token"], "content": {"part": "C3"}}
        await olga.post(f"/api/v1/requests/{request}/answer", json=body)
        assert (await desk.poll(request)).json()["content"] == {"part": "C3"}

    async def test_an_agent_s_token_does_not_agree_with_itself(self, desk, waiting):
        request, decision = waiting
        assert (await judge(desk.admin, decision, "agree")).status_code == 403
        assert (await desk.get(request))["status"] == "processing"

    async def test_an_outcome_settles_nothing(self, desk, waiting, olga):
        request, decision = waiting
        assert (await judge(olga, decision, "outcome")).status_code == 422
        assert (await judge(olga, decision, "outcome", "It fitted")).status_code == 201
        assert (await desk.get(request))["status"] == "processing"

    async def test_cancelled_it_stays_cancelled(self, desk, waiting, olga):
        request, decision = waiting
        await desk.admin.post(f"/api/v1/requests/{request}/cancel", json={})
        assert (await judge(olga, decision, "agree")).status_code == 201
        assert (await desk.get(request))["status"] == "cancelled"


async def test_agreement_counts_the_last_verdict_of_each(desk, olga):
    request = await desk.submit(slot=1)
    made = [await desk.decide(request, 0.9) for _ in range(4)]
    for one, verdicts in zip(made, (["agree"], ["disagree", "agree"], ["disagree"], []), strict=True):
        for verdict in verdicts:
            await judge(olga, one["id"], verdict)
    now = utc_now()
    query = {"from": (now - timedelta(days=2)).isoformat(), "to": (now + timedelta(days=1)).isoformat()}
    path = "/api/v1/agent-decisions/agreement"
    (point,) = (await desk.admin.get(path, params=query | {"agent": "Finder", "step": "week"})).json()[
        "points"
    ]
    assert (point["agent"], point["decisions"], point["judged"], point["agreed"]) == ("Finder", 4, 3, 2)
    assert point["agreement"] == pytest.approx(0.6667)
    assert (await desk.admin.get(path, params=query | {"agent": "Nobody"})).json()["points"] == []
    assert (await desk.admin.get(path, params=query | {"to": query["from"]})).status_code == 422
