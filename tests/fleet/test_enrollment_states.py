"""What becomes of an enrollment token: derived from its columns alike in Python and SQL, and moved by the table."""

from datetime import timedelta

import pytest
from sqlalchemy import select

from fleetkeeper.database.status_history import changes_of
from fleetkeeper.fleet.models import EnrollmentToken
from fleetkeeper.fleet.status import STATE, EnrollmentTokenState, state_of
from fleetkeeper.kit.clock import utc_now
from tests.fixtures.client import TEST_CONTEXT

PATH = "/api/v1/enrollment-tokens"


@pytest.mark.parametrize(
    ("change", "state"),
    [
        ({}, "active"),
        ({"uses": 2}, "used_up"),
        ({"expires_at": timedelta()}, "expired"),
        ({"revoked_at": timedelta(), "uses": 2}, "revoked"),
    ],
)
async def test_python_and_sql_say_the_same(app, change, state):
    now = utc_now()
    moments = {name: now + value if isinstance(value, timedelta) else value for name, value in change.items()}
    columns = {"uses": 0, "expires_at": now + timedelta(hours=1)} | moments
    token = EnrollmentToken(name="lab", secret_hash=b"x", max_uses=2, created_at=now, **columns)
    async with app.state.database.session(TEST_CONTEXT) as session:
        session.add(token)
        await session.flush()
        assert await session.scalar(select(STATE)) == state
        assert state_of(token, now) == state


async def test_a_revoked_one_cannot_be_revoked_again(app, admin):
    made = (await admin.post(PATH, json={"name": "lab"})).json()
    assert made["state"] == "active"
    assert (await admin.delete(f"{PATH}/{made['id']}")).status_code == 204
    again = await admin.delete(f"{PATH}/{made['id']}")
    assert (again.status_code, "already finished" in again.text) == (409, True)
    assert [one["id"] for one in (await admin.get(f"{PATH}?state=revoked")).json()["results"]] == [made["id"]]
    assert (await admin.get(f"{PATH}?state=active")).json()["count"] == 0
    async with app.state.database.session(TEST_CONTEXT) as session:
        [change] = await changes_of(session, made["id"])
    assert (change.old_status, change.new_status) == ("active", EnrollmentTokenState.REVOKED)
    assert change.changed_by == "admin"
