"""What people are told of a group of alerts, line by line."""

from datetime import UTC, datetime

from sqlalchemy import select

from fleetkeeper.alerts.models import AlertLog
from fleetkeeper.alerts.routing.messages import message_of
from fleetkeeper.notifications.models import NotificationEvent
from tests.fixtures.client import TEST_CONTEXT

AT = datetime(2026, 11, 27, 10, tzinfo=UTC)


def hot(**more):
    facts = {"alert_id": 7, "name": "Hot", "device_name": "web-1", "severity": "high", "triggered_at": AT}
    return AlertLog(**facts | {"annotations": {}, "labels": {}} | more)


def text_of(*firing):
    told = message_of(firing, [], receiver="Ops", group={}, group_key="", origin="https://fleet.example.org")
    return told.text


def test_each_fact_has_a_line():
    annotations = {"summary": "web-1 is hot", "runbook_url": "https://wiki.example.org/hot"}
    assert text_of(hot(annotations=annotations)).splitlines() == [
        "Firing:",
        "- Hot on web-1 (high, since 2026-11-27 10:00 UTC)",
        "  web-1 is hot",
        "  Runbook: https://wiki.example.org/hot",
        "  https://fleet.example.org/alerts/7",
    ]


def test_no_text_passes_for_another_alert():
    hostile = hot(name="Hot\n- Cold", device_name="a\nb", annotations={"summary": "hot\n- Cold on web-2"})
    lines = text_of(hostile).splitlines()
    assert [line for line in lines if line.startswith("- ")] == [
        "- Hot\\n- Cold on a\\nb (high, since 2026-11-27 10:00 UTC)"
    ]
    assert "  - Cold on web-2" in lines


async def test_lines_arrive_as_lines(app, watch, admin):
    (default,) = (await admin.get("/api/v1/alert-receivers")).json()["results"]
    me = (await admin.get("/api/v1/me")).json()["user_id"]
    wanted = {"name": "Default", "user_ids": [me]}
    assert (await admin.put(f"/api/v1/alert-receivers/{default['id']}", json=wanted)).status_code == 200
    rule = await watch.rule(
        condition={"kind": "promql", "expr": "vector(7)"}, annotations={"summary": "Seven"}
    )
    await watch.evaluate(rule)
    await watch.tell(60)
    async with app.state.database.session(TEST_CONTEXT) as session:
        lines = (await session.scalar(select(NotificationEvent.body))).splitlines()
    assert lines[0] == "Firing:"
    assert lines[2] == "  Seven"
