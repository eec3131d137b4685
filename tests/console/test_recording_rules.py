"""Recording rules in the console: listed with their health, drawn, disabled and enabled."""

import re

from sqlalchemy import select

from fleetkeeper.alerts.engine.evaluating import CONTEXT
from fleetkeeper.alerts.recording.models import RecordingRule
from tests.alerts.conftest import measure, watch  # noqa: F401 - fixtures
from tests.factories.telemetry import make_device

HOME = "/alerts/recording-rules"
FILE = """
groups:
- name: cpu
  rules:
  - {record: "cpu:sum", expr: sum(cpu_usage_percent), labels: {team: ops}}
"""


async def imported(admin, watch):  # noqa: F811 - fixture
    answer = await admin.post("/api/v1/alert-rules/import?file=cpu.yml", content=FILE)
    assert answer.status_code == 200, answer.text
    async with watch.engine.database.session(CONTEXT) as session:
        return (await session.scalars(select(RecordingRule))).one()


async def test_listed_with_their_health_and_the_error(browser, admin, watch, connection):  # noqa: F811
    assert "Import a Prometheus rule file" in await browser.page(HOME)
    rule = await imported(admin, watch)
    page = await browser.page(HOME)
    assert f'href="{HOME}/{rule.id}"' in page
    assert "Not evaluated yet" in page
    connection.execute(
        "INSERT INTO alert_evaluations (unit, next_at, evaluated_at, failing_since, error, failures) "
        "VALUES (%s, now(), now(), '2026-11-01', 'x', jsonb_build_object(%s::text, 'too many series'))",
        (rule.unit, str(rule.id)),
    )
    assert "too many series" in await browser.page(HOME)
    assert "Failing since 2026-11-01 00:00 UTC: too many series" in await browser.page(f"{HOME}/{rule.id}")


async def test_its_page_draws_what_it_records(browser, admin, watch, measure, connection):  # noqa: F811
    rule = await imported(admin, watch)
    await measure(make_device(connection, "desk"), watch.now, cpu_usage_percent=40)
    await watch.evaluate(rule)
    page = await browser.page(f"{HOME}/{rule.id}")
    assert "sum(cpu_usage_percent)" in page
    query = re.search(r'data-query="([^"]*)"', page)[1]
    assert query.replace("&#34;", '"') == 'cpu:sum{team="ops"}'


async def test_disabled_records_no_more_until_it_is_enabled(browser, viewer_browser, admin, watch):  # noqa: F811
    rule = await imported(admin, watch)
    page = f"{HOME}/{rule.id}"
    assert "disable" not in await viewer_browser.page(page)
    assert (await viewer_browser.send(f"{page}/disable")).status_code == 403
    await browser.send(f"{page}/disable")
    assert "Disabled" in await browser.page(page)
    listed = (await admin.get("/prometheus/api/v1/rules?type=record")).json()
    assert listed["data"]["groups"] == []
    again = await admin.post("/api/v1/alert-rules/import?file=cpu.yml", content=FILE)
    assert again.json()["unchanged"] == 1
    assert "Disabled" in await browser.page(page)
    await browser.send(f"{page}/enable")
    listed = (await admin.get("/prometheus/api/v1/rules?type=record")).json()
    assert len(listed["data"]["groups"]) == 1
