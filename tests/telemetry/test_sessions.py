"""Login sessions: what an agent lists now, turned into beginnings and ends."""

from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
from sqlalchemy import select

from fleetkeeper.telemetry.login_sessions import reconcile
from fleetkeeper.telemetry.models import UserSession
from fleetkeeper_protocol.messages import LoginSession

NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)
MARIA = LoginSession("maria", (NOON - timedelta(hours=2)).timestamp(), "pts/0", "192.0.2.7")
OTTO = LoginSession("otto", (NOON - timedelta(hours=1)).timestamp(), "pts/1")


@pytest.fixture
def device_id():
    return uuid4()


async def stored(session, device_id) -> dict[str, tuple[bool, datetime | None, int | None]]:
    rows = await session.scalars(
        select(UserSession)
        .where(UserSession.device_id == device_id)
        .execution_options(populate_existing=True)
    )
    return {row.username: (row.is_active, row.logout_time, row.session_duration_minutes) for row in rows}


class TestReconcile:
    async def test_listed_sessions_are_open(self, session, device_id):
        await reconcile(session, device_id, [MARIA, OTTO], NOON)
        assert await stored(session, device_id) == {"maria": (True, None, None), "otto": (True, None, None)}

    async def test_session_that_is_no_longer_listed_has_ended(self, session, device_id):
        await reconcile(session, device_id, [MARIA, OTTO], NOON)
        later = NOON + timedelta(minutes=30)
        await reconcile(session, device_id, [OTTO], later)
        assert await stored(session, device_id) == {"maria": (False, later, 150), "otto": (True, None, None)}

    async def test_same_list_again_changes_nothing(self, session, device_id):
        for minutes in range(3):
            await reconcile(session, device_id, [MARIA], NOON + timedelta(minutes=minutes))
        assert await stored(session, device_id) == {"maria": (True, None, None)}

    async def test_late_report_closes_nothing_that_began_after_it(self, session, device_id):
        await reconcile(session, device_id, [MARIA, OTTO], NOON)
        await reconcile(session, device_id, [MARIA], NOON - timedelta(minutes=90))
        assert (await stored(session, device_id))["otto"] == (True, None, None)

    async def test_other_devices_are_left_alone(self, session, device_id):
        other = uuid4()
        await reconcile(session, other, [MARIA], NOON)
        await reconcile(session, device_id, [], NOON)
        assert await stored(session, other) == {"maria": (True, None, None)}

    async def test_clock_that_is_ahead(self, session, device_id):
        await reconcile(session, device_id, [LoginSession("eve", 1e300), LoginSession("adam", -5.0)], NOON)
        times = dict((await session.execute(select(UserSession.username, UserSession.login_time))).all())
        assert times == {"eve": NOON, "adam": datetime(1970, 1, 1, tzinfo=UTC)}


class TestDoor:
    PATH = "/api/v1/telemetry/sessions"

    async def test_open_ones_first(self, device, admin):
        now = datetime.now(UTC).timestamp()
        old, new = ({"username": name, "started_at": now - age} for name, age in (("old", 900), ("new", 60)))
        for ts, sessions in ((now - 30, [old, new]), (now, [old])):
            answer = await device.client.post(self.PATH, json={"ts": ts, "sessions": sessions})
            assert answer.status_code == 204
        found = (await admin.get(self.PATH, params={"device": device.id})).json()["results"]
        assert [(item["username"], item["is_active"]) for item in found] == [("old", True), ("new", False)]
        limited = (await admin.get(self.PATH, params={"device": device.id, "limit": 1})).json()["results"]
        assert len(limited) == 1

    @pytest.mark.parametrize(
        ("body", "field"),
        [
            ({"ts": 0, "sessions": []}, "ts"),
            ({"ts": 4070908800, "sessions": []}, "ts"),
            ({"ts": 1, "sessions": [{"username": "a", "started_at": "x"}]}, "sessions[0].started_at"),
            ({"ts": 1, "sessions": [{"username": "x" * 301, "started_at": 1}]}, "sessions[0].username"),
            ({"ts": 1, "sessions": [{"username": "a", "started_at": 1}] * 1001}, "sessions"),
            ({"ts": 1, "sessions": [{"username": "a\x00", "started_at": 1}]}, "body"),
        ],
    )
    async def test_wrong_report(self, shared, body, field):
        answer = await shared.device.client.post(self.PATH, json=body)
        assert answer.status_code == 422
        assert answer.json()["errors"][0]["field"] == field
