"""How lists of the audit log are found among many entries."""

import json

import pytest
from sqlalchemy import event

from fleetkeeper.operations.audit_browser import PEOPLES_KINDS
from tests.factories.audit import act_as, add_events

MACHINES = 30_000
PEOPLE = 60


@pytest.fixture
def many_entries(connection):
    """What machines do again and again, and before it what people did."""
    with connection.transaction():
        act_as(connection)
        add_events(connection, PEOPLE)
    connection.execute(
        "INSERT INTO audit_log (action, actor_kind, actor_name, resource_type, record_id) "
        "SELECT 'test.report', CASE WHEN i % 2 = 0 THEN 'device' ELSE 'job' END, 'x', 'test', i::text "
        f"FROM generate_series(1, {MACHINES}) i"
    )
    connection.execute("ANALYZE audit_log")


async def statements_of(app, ask) -> list[tuple[str, dict]]:
    """What reads the log while something is asked."""
    found = []

    def note(_connection, _cursor, statement, parameters, *_rest):
        if "FROM audit_log" in statement:
            found.append((statement, parameters))

    engine = app.state.database.engine.sync_engine
    event.listen(engine, "before_cursor_execute", note)
    try:
        await ask()
    finally:
        event.remove(engine, "before_cursor_execute", note)
    return found


def rows_read(plan: dict) -> int:
    """How many rows its scans look at."""
    own = (
        (plan["Actual Rows"] + plan.get("Rows Removed by Filter", 0)) * plan["Actual Loops"]
        if "Relation Name" in plan
        else 0
    )
    return round(own) + sum(map(rows_read, plan.get("Plans", ())))


async def test_peoples_entries_are_found_without_reading_those_of_machines(
    app, admin, connection, many_entries
):
    async def ask() -> None:
        answer = await admin.get(f"/api/v1/audit?actor_kind__in={PEOPLES_KINDS}")
        assert answer.json()["count"] >= PEOPLE

    statements = await statements_of(app, ask)
    assert len(statements) >= 2
    for statement, parameters in statements:
        ((explained,),) = connection.execute(
            f"EXPLAIN (ANALYZE, FORMAT JSON) {statement}", parameters
        ).fetchall()
        assert rows_read(explained[0]["Plan"]) < 1000, json.dumps(explained, indent=1)
