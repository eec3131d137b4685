"""Files are imported, changed and written again by the API; what is gone from them is over."""

from sqlalchemy import func, select

from fleetkeeper.alerts.engine.evaluating import CONTEXT
from fleetkeeper.alerts.models import AlertRule
from fleetkeeper.alerts.recording.models import RecordingRule
from fleetkeeper.alerts.rule_files.reading import read

TWO = """
groups:
- name: disk
  interval: 15s
  rules:
  - {alert: Full, expr: vector(1), for: 90s, labels: {severity: critical}}
  - {alert: Slow, expr: vector(2), annotations: {summary: "{{ $value }}"}}
- name: net
  rules:
  - {alert: Down, expr: up == 0}
"""
URL = "/api/v1/alert-rules/import?file=node.yml"


async def put(client, text, query=""):
    return await client.post(URL + query, content=text, headers={"Content-Type": "application/yaml"})


def outcomes(answer):
    assert answer.status_code == 200, answer.text
    return {
        (group["name"], one["name"]): one["outcome"]
        for group in answer.json()["groups"]
        for one in group["rules"]
    }


async def stored(watch):
    async with watch.engine.database.session(CONTEXT) as session:
        return list(await session.scalars(select(AlertRule).where(AlertRule.origin == "file")))


async def test_a_dry_run_says_what_would_be_done_and_does_nothing(admin, watch):
    answer = await put(admin, TWO, "&dry_run=true")
    assert set(outcomes(answer).values()) == {"created"}
    assert (answer.json()["created"], answer.json()["dry_run"]) == (3, True)
    assert not await stored(watch)


async def test_rules_are_stored_as_their_file_has_them(admin, watch):
    await put(admin, TWO)
    full, slow, down = sorted(await stored(watch), key=lambda one: (one.interval_seconds, one.position))
    assert (full.name, full.severity, full.for_seconds, full.interval_seconds) == ("Full", "critical", 90, 15)
    assert [one.origin_key for one in (full, slow, down)] == [
        "node.yml/disk/0",
        "node.yml/disk/1",
        "node.yml/net/0",
    ]
    assert full.unit == slow.unit != down.unit
    assert (down.interval_seconds, down.condition) == (60, {"kind": "promql", "expr": "up == 0"})
    written = await admin.get("/api/v1/alert-rules/file?name=node.yml")
    assert written.headers["content-type"].startswith("application/yaml")
    ours, theirs = read(written.text), read(TWO)
    assert [one.rules for one in ours.groups] == [one.rules for one in theirs.groups]
    assert (await put(admin, written.text)).json()["unchanged"] == 3


async def test_a_rule_that_moves_goes_on_and_what_is_gone_is_over(admin, watch):
    await put(admin, TWO)
    for rule in await stored(watch):
        await watch.evaluate(rule)
        await watch.evaluate(rule, 90)
    before = {one.name: one for one in await watch.alerts()}
    assert set(before) == {"Full", "Slow"}
    less = """
groups:
- name: disk
  interval: 15s
  rules:
  - {alert: New, expr: vector(0) > 1}
  - {alert: Slow, expr: vector(2), annotations: {summary: "{{ $value }}"}}
"""
    answer = await put(admin, less)
    assert outcomes(answer) == {
        ("disk", "New"): "created",
        ("disk", "Slow"): "unchanged",
        ("disk", "Full"): "removed",
        ("net", "Down"): "removed",
    }
    after = {one.name: one for one in await watch.alerts()}
    assert (after["Full"].status, after["Full"].resolution) == ("resolved", "rule_deleted")
    assert after["Slow"].status == "firing"
    answer = await put(admin, less.replace("vector(2)", "vector(3)"))
    changed = [one for one in answer.json()["groups"][0]["rules"] if one["outcome"] == "changed"]
    assert changed == [{"name": "Slow", "outcome": "changed", "changes": ["condition"]}]


MIXED = """
groups:
- name: g
  interval: 30s
  limit: 7
  query_offset: 1m30s
  rules:
  - {record: "job:up:sum", expr: sum by (job) (up), labels: {team: ops}}
  - {alert: Down, expr: "job:up:sum < 1"}
  - {record: "job:up:twice", expr: "job:up:sum * 2"}
"""


async def test_recording_rules_are_stored_apart_and_written_again(admin, watch):
    answer = await put(admin, MIXED)
    assert set(outcomes(answer).values()) == {"created"}
    (alerting,) = await stored(watch)
    async with watch.engine.database.session(CONTEXT) as session:
        first, second = await session.scalars(select(RecordingRule).order_by(RecordingRule.position))
    assert (first.name, first.expr, first.labels) == ("job:up:sum", "sum by (job) (up)", {"team": "ops"})
    assert [one.position for one in (first, alerting, second)] == [0, 1, 2]
    assert first.unit == alerting.unit == second.unit
    for one in (first, alerting):
        assert (one.interval_seconds, one.series_limit, one.query_offset_ms) == (30, 7, 90_000)
    written = (await admin.get("/api/v1/alert-rules/file?name=node.yml")).text
    assert read(written) == read(MIXED)
    assert (await put(admin, written)).json()["unchanged"] == 3
    listed = await admin.get("/api/v1/alert-rules?origin=file")
    assert [one["name"] for one in listed.json()["results"]] == ["Down"]


async def test_a_recording_rule_is_changed_and_removed(admin, watch):
    await put(admin, MIXED)
    answer = await put(admin, MIXED.replace("* 2", "* 3").replace("limit: 7", "limit: 8"))
    changes = {one["name"]: one["changes"] for one in answer.json()["groups"][0]["rules"]}
    assert changes == {
        "job:up:sum": ["series_limit"],
        "Down": ["series_limit"],
        "job:up:twice": ["expr", "series_limit"],
    }
    assert (await put(admin, "")).json()["removed"] == 3
    async with watch.engine.database.session(CONTEXT) as session:
        assert await session.scalar(select(func.count()).select_from(RecordingRule)) == 0


async def test_a_wrong_file_changes_nothing(admin, watch):
    for text, field in (
        ("groups: [{name: g, rules: [{alert: A, expr: 'up{'}, {alert: B, expr: up}]}]", "rule 'A', expr"),
        ("groups: [{name: g, rules: [{alert: A, expr: 'up[5m]'}]}]", "rule 'A', expr"),
        ("groups: [{name: g, rules: [{record: a, expr: '\"x\"'}]}]", "rule 'a', expr"),
        ("groups: [{name: g, rules: [{record: up, expr: up}]}]", "rule 'up', record"),
        ("groups: [{name: g, query_offset: 1y, rules: [{record: a, expr: up}]}]", "query_offset"),
    ):
        answer = await put(admin, text)
        assert answer.status_code == 422, answer.text
        assert [one["field"] for one in answer.json()["errors"]] == [f"Line 1, group 'g', {field}"]
    assert (await put(admin, b"\xff")).status_code == 422
    assert not await stored(watch)


async def test_one_files_rules_are_not_anothers(admin):
    await put(admin, TWO)
    answer = await admin.post("/api/v1/alert-rules/import?file=node_yml", content=TWO)
    assert answer.json()["created"] == 3
    assert (await admin.get("/api/v1/alert-rules/file?name=node%25")).status_code == 404
    assert (await admin.get("/api/v1/alert-rules/file?name=a/b")).status_code == 422


async def test_expressions_that_people_entered_are_written_too(admin):
    wanted = {
        "name": "Load",
        "condition": {"kind": "promql", "expr": "load > 3"},
        "severity": "high",
        "for_seconds": 60,
    }
    await admin.post("/api/v1/alert-rules", json=wanted)
    (group,) = read((await admin.get("/api/v1/alert-rules/file")).text).groups
    assert group.name == "rules-60s"
    (rule,) = group.rules
    assert (rule.alert, rule.for_ms, rule.labels) == ("Load", 60_000, {"severity": "high"})
