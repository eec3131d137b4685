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
        "INSERT INTO audit_log (action, actor_kind, actor_name, resource_type, record_id, device_id) "
        "SELECT 'test.report', CASE WHEN i % 2 = 0 THEN 'device' ELSE 'job' END, 'x', 'machines', i::text, "
        "gen_random_uuid() "
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


@pytest.mark.parametrize(
    ("query", "count"),
    [
        (f"actor_kind__in={PEOPLES_KINDS}", PEOPLE),
        (f"actor_kind__in={PEOPLES_KINDS}&ordering=id", PEOPLE),
        (f"actor_kind__in={PEOPLES_KINDS}&q=thing", PEOPLE),
        ("user_id=0198c0de-0000-7000-8000-000000000001", PEOPLE),
        ("resource_type=test", PEOPLE),
        ("resource_type=test&record_id=7", 1),
        ("request_id=req-1", PEOPLE),
        ("device_id=0198c0de-0000-7000-8000-000000000001", 0),
    ],
)
async def test_what_the_list_offers_is_found_without_reading_what_machines_did(
    app, admin, connection, many_entries, query, count
):
    async def ask() -> None:
        answer = await admin.get(f"/api/v1/audit?{query}")
        assert answer.json()["count"] >= count

    statements = await statements_of(app, ask)
    assert statements
    for statement, parameters in statements:
        ((explained,),) = connection.execute(
            f"EXPLAIN (ANALYZE, FORMAT JSON) {statement}", parameters
        ).fetchall()
        assert rows_read(explained[0]["Plan"]) < 1000, json.dumps(explained, indent=1)
