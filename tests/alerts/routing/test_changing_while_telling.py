"""The tree of routes is changed while a worker tells of alerts: neither waits for the other for ever."""

import asyncio

from sqlalchemy import text

from fleetkeeper.alerts.routing import queries
from fleetkeeper.alerts.routing.telling import CONTEXT
from tests.factories.telemetry import make_device

HOT = {"kind": "threshold", "metric": "cpu_usage_percent", "threshold": 90}
SUPPRESS = "UPDATE alert_logs SET suppressed_by = NULL WHERE alert_id = :id"


async def waits_for_a_lock(connection):
    while not connection.execute(  # noqa: ASYNC110 - the database tells nobody
        "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"
    ).fetchone()[0]:
        await asyncio.sleep(0.01)


async def test_a_route_is_made_while_alerts_are_told(admin, watch, measure, connection):
    rule = await watch.rule(condition=HOT)
    for name in ("one", "other"):
        await measure(make_device(connection, name), watch.now, cpu_usage_percent=95)
    await watch.evaluate(rule)
    first, second = await watch.alerts()
    (root,) = (await admin.get("/api/v1/alert-routes")).json()["results"]
    wanted = {"name": "Ops", "parent_id": root["id"], "matchers": 'team="ops"'}
    async with watch.engine.database.session(CONTEXT) as session:
        assert await queries.only_one(session)
        await session.execute(text(SUPPRESS), {"id": second.alert_id})
        asked = asyncio.create_task(admin.post("/api/v1/alert-routes", json=wanted))
        await asyncio.wait_for(waits_for_a_lock(connection), 10)
        await session.execute(text(SUPPRESS), {"id": first.alert_id})
    answer = await asked
    assert answer.status_code == 201, answer.text
    changed = connection.execute("SELECT bool_and(needs_routing) FROM alert_logs").fetchone()[0]
    assert changed
