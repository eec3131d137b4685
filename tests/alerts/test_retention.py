"""Alerts are kept as long as the setting says, by the week."""

from datetime import timedelta

import pytest

from fleetkeeper.alerts.jobs import manage_partitions
from fleetkeeper.kit.clock import utc_now


@pytest.fixture
def log_alert(connection):
    def log(days_ago: int, *, is_open: bool = False) -> str:
        at = utc_now() - timedelta(days=days_ago)
        connection.execute("SELECT create_alert_partition(%s)", (at.date(),))
        row = connection.execute(
            "INSERT INTO alert_logs (name, severity, fingerprint, triggered_at, status, resolved_at) "
            "VALUES ('Old', 'info', '', %s, %s, %s) RETURNING alert_id, tableoid::regclass::text",
            (at, "firing" if is_open else "resolved", None if is_open else at),
        ).fetchone()
        connection.execute(
            "INSERT INTO alert_events (id, alert_id, triggered_at, kind) "
            "VALUES (gen_random_uuid(), %s, %s, 'triggered')",
            (row[0], at),
        )
        return row[1]

    return log


def partitions(connection, table: str) -> set[str]:
    rows = connection.execute(
        "SELECT inhrelid::regclass::text FROM pg_inherits WHERE inhparent = %s::regclass", (table,)
    )
    return {row[0] for row in rows}


async def test_weeks_past_the_setting_are_dropped(admin, app, connection, log_alert):
    last_year, spring, open_one = log_alert(300), log_alert(100), log_alert(200, is_open=True)
    recent = log_alert(20)
    await manage_partitions(app.state.database)
    assert {last_year, spring, open_one, recent} <= partitions(connection, "alert_logs")
    answer = await admin.patch("/api/v1/config/alerts", json={"retention_days": 60})
    assert answer.status_code == 200, answer.text
    await manage_partitions(app.state.database)
    kept = partitions(connection, "alert_logs")
    assert kept.isdisjoint({last_year, spring})
    assert {open_one, recent} <= kept
    assert {name.replace("alert_logs", "alert_events") for name in kept} == partitions(
        connection, "alert_events"
    )
    assert connection.execute("SELECT count(*) FROM alert_events").fetchone() == (2,)


async def test_too_short_a_time_is_refused(admin):
    answer = await admin.patch("/api/v1/config/alerts", json={"retention_days": 7})
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["field"] == "alerts.retention_days"
