"""One department's rules, silences and values neither hold up nor mute another's."""

from datetime import datetime, timedelta
from uuid import UUID

import pytest

from fleetkeeper.alerts.engine.evaluating import CONTEXT
from fleetkeeper.alerts.engine.queries import enlist
from fleetkeeper.alerts.recurrence import MAX_STEPS, Recurrence
from fleetkeeper.alerts.recurrence_rules import RecurrenceError, parse_rule
from fleetkeeper.alerts.recurrence_steps import Steps
from fleetkeeper.alerts.routing.queries import due_groups
from fleetkeeper.alerts.rules import past
from fleetkeeper.kit.clock import utc_now
from tests.alerts.conftest import measure, watch  # noqa: F401 - fixtures

RULES = "/api/v1/alert-rules"
UP = {"kind": "promql", "expr": "vector(1) > 2"}
COSTLY = (
    "FREQ=YEARLY;BYHOUR=0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23;BYMINUTE=0,30;"
    "BYDAY=MO,TU,WE,TH,FR,SA,SU;BYSETPOS=1;COUNT=54"
)
START = datetime(2026, 1, 1)  # noqa: DTZ001 - local


async def test_a_rule_that_breaks_the_engine_fails_alone(watch, connection):  # noqa: F811
    broken, good = await watch.rule(name="Broken", condition=UP), await watch.rule(name="Good", condition=UP)
    connection.execute(
        "UPDATE alert_rules SET kind = 'no_report', condition = %s WHERE id = %s",
        ('{"kind": "no_report", "what": "nothing"}', broken.id),
    )
    connection.execute(
        "INSERT INTO alert_evaluations (unit, next_at) SELECT unit, now() - interval '1 day' FROM alert_rules"
    )
    connection.execute(
        "UPDATE alert_evaluations SET next_at = next_at - interval '1 day' WHERE unit = %s", (broken.unit,)
    )
    while await watch.engine.evaluate_next():
        pass
    rows = dict(
        connection.execute("SELECT unit, failing_since IS NOT NULL FROM alert_evaluations").fetchall()
    )
    assert rows == {broken.unit: True, good.unit: False}
    due = connection.execute("SELECT count(*) FROM alert_evaluations WHERE next_at <= now()").fetchone()
    assert due == (0,)


@pytest.mark.parametrize(
    "wrong",
    [
        {"condition": {"kind": "no_report", "what": "metric", "name": "cpu usage"}},
        {"condition": {"kind": "no_report", "what": "collector", "name": "a\0"}},
        {"condition": {"kind": "state", "metric": "m", "value": "a\0"}},
        {"condition": {"kind": "promql", "expr": "up # \0"}},
        {"scope": {"device_types": ["a\0"]}},
        {"scope": {"tags": ["\0"]}},
    ],
)
async def test_what_can_never_be_stored_or_read_is_refused(sides, wrong):
    usual = {"name": "x", "condition": {"kind": "no_report"}, "department_id": str(sides.north.department)}
    answer = await sides.north.manager.post(RULES, json=usual | wrong)
    assert answer.status_code == 422, answer.text


async def test_values_of_one_device_are_no_other_device_s(sides, watch, measure):  # noqa: F811
    """Whoever has a device's key can name labels as they like, but not whose series it is."""
    north, south = UUID(str(sides.north.device)), UUID(str(sides.south.device))
    channel = f'room_temp{{device_id=\\"{south}\\",instance=\\"south-01\\"}}'
    await measure(north, watch.now, **{channel: 99})
    rule = await watch.rule(
        name="Temp", condition={"kind": "promql", "expr": "room_temp > 90"}, quiets_device=True
    )
    await watch.evaluate(rule, 1)
    (alert,) = await watch.alerts()
    assert alert.system_id == north
    assert alert.labels["device_id"] == str(north)


def test_a_costly_recurrence_is_refused():
    with pytest.raises(RecurrenceError):
        Recurrence(COSTLY, "UTC", START, timedelta(hours=1))


def test_moments_that_are_thrown_away_count():
    found = list(Steps(parse_rule(COSTLY), START).since(START, MAX_STEPS))
    assert len(found) <= MAX_STEPS / (365 * 48 / 4) + 1


async def test_a_preview_is_stopped_when_it_takes_too_long(sides, watch, measure, monkeypatch):  # noqa: F811
    await measure(UUID(str(sides.north.device)), watch.now, cpu_usage_percent=95)
    monkeypatch.setattr(past, "LONGEST_SECONDS", 0.0)
    condition = {
        "kind": "threshold",
        "metric": "cpu_usage_percent",
        "threshold": 90,
        "reduce": "percentile",
        "window_seconds": 604_800,
    }
    wanted = {"name": "x", "condition": condition, "department_id": str(sides.north.department)}
    answer = await sides.north.manager.post(f"{RULES}/preview?days=7", json=wanted)
    assert answer.status_code == 422, answer.text
    assert "narrow the scope" in answer.json()["errors"][0]["message"]


async def test_a_clock_that_was_set_back_stops_no_rule(watch, connection):  # noqa: F811
    rule = await watch.rule(condition=UP)
    async with watch.engine.database.session(CONTEXT) as session:
        await enlist(session)
    connection.execute(
        "UPDATE alert_evaluations SET evaluated_at = now() + interval '1 day', next_at = now() + interval '1 day'"
    )
    async with watch.engine.database.session(CONTEXT) as session:
        await enlist(session)
    due = "SELECT next_at <= now() FROM alert_evaluations WHERE unit = %s"
    assert connection.execute(due, (rule.unit,)).fetchone() == (True,)


async def test_many_groups_of_one_department_delay_no_other(sides, watch, connection):  # noqa: F811
    (root,) = (await sides.north.manager.get("/api/v1/alert-routes")).json()["results"]
    own = {"name": "Flood", "parent_id": root["id"], "department_id": str(sides.north.department)}
    route = (await sides.north.manager.post("/api/v1/alert-routes", json=own)).json()["id"]
    connection.execute(
        "INSERT INTO alert_groups (route_id, key, labels, next_at) "
        "SELECT %s, decode(md5(n::text), 'hex'), '{}', now() - interval '1 hour' FROM generate_series(1, 300) AS n",
        (route,),
    )
    connection.execute(
        "INSERT INTO alert_groups (route_id, key, labels, next_at) VALUES (%s, '', '{}', now() - interval '1 minute')",
        (root["id"],),
    )
    async with watch.engine.database.session(CONTEXT) as session:
        due = await due_groups(session, utc_now())
    assert len(due) == 200
    assert root["id"] in {str(one.route_id) for one in due}
