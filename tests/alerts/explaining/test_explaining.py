"""Why an alert was told, or was not: each holding step is named, and others' objects are not."""

from datetime import timedelta
from uuid import UUID

import pytest

from fleetkeeper.kit.clock import utc_now
from tests.factories.notifications import make_channel, worker_of
from tests.factories.telemetry import make_device
from tests.fixtures.client import TEST_CONTEXT

ALERTS = "/api/v1/alerts"
HOT = {"condition": {"kind": "threshold", "metric": "cpu_usage_percent", "threshold": 90}}


@pytest.fixture
async def hot(watch, measure, connection):
    """One device above the threshold."""
    device = make_device(connection, "web-1")
    await measure(device, watch.now, cpu_usage_percent=95)
    rule = await watch.rule(name="Hot CPU", **HOT)
    await watch.evaluate(rule)
    (alert,) = await watch.alerts()
    return alert


async def explained(client, alert):
    answer = await client.get(f"{ALERTS}/{alert.alert_id}/explanation")
    assert answer.status_code == 200, answer.text
    return answer.json()


def texts(told, about: str, effect: str | None = None) -> list[str]:
    return [one["text"] for one in told["steps"] if one["about"] == about and effect in {None, one["effect"]}]


async def receiver(admin, **who) -> str:
    (default,) = (await admin.get("/api/v1/alert-receivers")).json()["results"]
    answer = await admin.put(f"/api/v1/alert-receivers/{default['id']}", json={"name": "Default"} | who)
    assert answer.status_code == 200, answer.text
    return default["id"]


async def test_told(admin, app, watch, hot):
    async with app.state.database.session(TEST_CONTEXT) as session:
        channel = await make_channel(session, app.state.sealer, url="https://hooks.example/x")
    me = (await admin.get("/api/v1/me")).json()["user_id"]
    await receiver(admin, channel_ids=[str(channel.id)], user_ids=[me])
    await watch.tell(1)
    told = await explained(admin, hot)
    assert not told["is_told"]
    assert "group wait of 10s" in told["answer"]
    assert texts(told, "group", "holds")
    await watch.tell(60)
    await worker_of(app).dispatch()
    told = await explained(admin, hot)
    assert told["is_told"]
    assert told["answer"] == "Notified once: Default."
    assert texts(told, "rule") == [
        "The condition of Hot CPU was true, and it fired with the value 95 (threshold 90)."
    ]
    assert texts(told, "suppression", "passes")
    assert texts(told, "receiver")[0].endswith("the receiver Default notifies 1 channel, 1 user.")
    (notification,) = texts(told, "notification")
    assert "Deliveries: 1 waiting." in notification
    assert texts(told, "you")[0].startswith("You are a recipient of Default.")


async def test_receiver_without_recipients_notified_nobody(admin, watch, hot):
    await watch.tell(60)
    assert (await explained(admin, hot))["answer"].startswith("Nobody received the notification.")
    # Whoever is added later was not notified of this.
    me = (await admin.get("/api/v1/me")).json()["user_id"]
    await receiver(admin, user_ids=[me])
    told = await explained(admin, hot)
    assert told["answer"] == "Nobody was notified: the receiver had no recipients."
    assert "The receiver had no recipients." in texts(told, "notification")[0]


async def test_held_by_a_silence(admin, watch, hot):
    wanted = {
        "name": "Upgrade",
        "matchers": 'alertname="Hot CPU"',
        "ends_at": (utc_now() + timedelta(hours=1)).isoformat(),
    }
    silence = (await admin.post("/api/v1/alert-silences", json=wanted)).json()["id"]
    watch.now = utc_now()
    await watch.tell(60)
    told = await explained(admin, hot)
    assert told["answer"] == "Nobody has been notified yet. It is suppressed by the silence Upgrade."
    (step,) = [one for one in told["steps"] if one["about"] == "suppression"]
    assert step["href"] == f"/alerts/silences/{silence}"


async def test_held_by_people_and_receivers(admin, watch, hot):
    await receiver(admin)
    until = (utc_now() + timedelta(hours=1)).isoformat()
    act = {"act": "snooze", "alert_ids": [hot.alert_id], "until": until}
    assert (await admin.post(f"{ALERTS}/acts", json=act)).status_code == 200
    await watch.tell(1)
    told = await explained(admin, hot)
    assert texts(told, "state", "holds")
    assert texts(told, "receiver", "holds")[0].endswith("has no recipients.")
    assert "not a recipient" in texts(told, "you", "neutral")[0]


async def test_resolved_before_it_was_due(admin, watch, hot, measure, connection):
    rule = await watch.loaded(hot.rule_id)
    await measure(hot.system_id, watch.now + timedelta(seconds=5), cpu_usage_percent=5)
    await watch.evaluate(rule, 6)
    await watch.tell(60)
    told = await explained(admin, hot)
    assert told["answer"] == "Nobody was notified: it was resolved before a notification was due."


async def test_another_departments_is_not_there(admin, token_for, place, hot, watch):
    del admin
    stranger = await token_for(["alerts:read"], place)
    assert (await stranger.get(f"{ALERTS}/{hot.alert_id}/explanation")).status_code == 404
    assert UUID(place) != hot.department_id


async def test_what_a_reader_may_not_see_is_not_named(
    admin, app, watch, connection, measure, token_for, place
):
    device = make_device(connection, "web-1")
    connection.execute("UPDATE devices SET department_id = %s WHERE id = %s", (place, device))
    await measure(device, watch.now, cpu_usage_percent=95)
    await watch.evaluate(await watch.rule(name="Hot CPU", **HOT))
    (alert,) = await watch.alerts()
    other = (await admin.post("/api/v1/departments", json={"name": "Paris"})).json()["id"]
    (root,) = (await admin.get("/api/v1/alert-routes")).json()["results"]
    secret = {"name": "Secret", "parent_id": root["id"], "department_id": other}
    assert (await admin.post("/api/v1/alert-routes", json=secret)).status_code == 201
    await watch.tell(60)
    reader = await token_for(["alerts:read"], place)
    told = await explained(reader, alert)
    assert "Secret" not in str(told)
    assert "Secret" in str(await explained(admin, alert))
    (notification,) = texts(told, "notification")
    assert "Deliveries" not in notification


async def test_names_of_the_department_above_are_not_told(
    admin, watch, connection, measure, token_for, place
):
    below = (await admin.post("/api/v1/departments", json={"name": "Desk", "parent_id": place})).json()["id"]
    device = make_device(connection, "web-1")
    connection.execute("UPDATE devices SET department_id = %s WHERE id = %s", (below, device))
    (root,) = (await admin.get("/api/v1/alert-routes")).json()["results"]
    told = {"name": "Secret receiver", "addresses": ["a@example.org"], "department_id": place}
    who = (await admin.post("/api/v1/alert-receivers", json=told)).json()["id"]
    way = {"name": "Secret route", "parent_id": root["id"], "receiver_id": who, "department_id": place}
    assert (await admin.post("/api/v1/alert-routes", json=way)).status_code == 201
    await measure(device, watch.now, cpu_usage_percent=95)
    await watch.evaluate(await watch.rule(name="Hot CPU", **HOT))
    (alert,) = await watch.alerts()
    await watch.tell(60)
    reader = await token_for(["alerts:read"], below)
    for path in ("", "/explanation"):
        answer = await reader.get(f"{ALERTS}/{alert.alert_id}{path}")
        assert answer.status_code == 200
        assert "Secret" not in answer.text
        assert "Secret receiver" in (await admin.get(f"{ALERTS}/{alert.alert_id}{path}")).text
