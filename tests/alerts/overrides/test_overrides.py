"""Overrides by the API: who may make them, what goes with the rule, and that the engine obeys them."""

import pytest

from tests.factories.telemetry import make_device

HOT = {"kind": "threshold", "metric": "cpu_usage_percent", "threshold": 90, "recovery": 80}


@pytest.fixture
def desk(connection):
    return make_device(connection, "desk")


@pytest.fixture
async def rule(watch):
    return await watch.rule(condition=HOT)


def path_of(rule):
    return f"/api/v1/alert-rules/{rule.id}/overrides"


async def test_made_listed_changed_and_deleted(admin, rule, desk):
    base = path_of(rule)
    made = await admin.post(base, json={"device_id": str(desk), "threshold": 95, "for_seconds": 600})
    assert made.status_code == 201, made.text
    assert (made.json()["device_name"], made.json()["recovery"]) == ("desk", None)
    again = await admin.post(base, json={"device_id": str(desk), "threshold": 96})
    assert again.status_code == 409
    one = f"{base}/{made.json()['id']}"
    changed = await admin.put(one, json={"device_id": str(desk), "enabled": False})
    assert (changed.json()["enabled"], changed.json()["threshold"]) == (False, None)
    listed = (await admin.get(base)).json()
    assert [row["id"] for row in listed["results"]] == [made.json()["id"]]
    assert (await admin.delete(one)).status_code == 204
    assert (await admin.get(base)).json()["count"] == 0
    assert (await admin.delete(one)).status_code == 404
    entries = (await admin.get("/api/v1/audit?resource_type=alert_overrides")).json()["results"]
    assert {entry["action"].rpartition(".")[2] for entry in entries} == {"insert", "update", "delete"}


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({}, "Enter what is different"),
        ({"threshold": 95, "recovery": 99}, "other side"),
        ({"recovery": 95}, "other side"),
        ({"threshold": 95, "tag_id": "0198c0de-7c00-7a00-8000-000000000000"}, "either a device or a tag"),
        ({"for_seconds": -1}, "at least 0"),
    ],
)
async def test_what_does_not_go_with_the_rule_is_refused(admin, rule, desk, given, words):
    answer = await admin.post(path_of(rule), json={"device_id": str(desk), **given})
    assert answer.status_code in {400, 422}
    assert words in answer.text


async def test_only_thresholds_have_a_threshold_and_promql_has_no_overrides(admin, watch, desk):
    away = await watch.rule(name="Away", condition={"kind": "no_report"})
    answer = await admin.post(path_of(away), json={"device_id": str(desk), "threshold": 1})
    assert "Only metric thresholds have one" in answer.text
    quiet = await admin.post(path_of(away), json={"device_id": str(desk), "enabled": False})
    assert quiet.status_code == 201
    asked = await watch.rule(name="Asked", condition={"kind": "promql", "expr": "up == 0"})
    answer = await admin.post(path_of(asked), json={"device_id": str(desk), "enabled": False})
    assert answer.status_code == 409
    assert "Change the rule's expression instead" in answer.json()["detail"]


async def test_a_lost_update_is_refused(admin, rule, desk):
    made = await admin.post(path_of(rule), json={"device_id": str(desk), "threshold": 95})
    one = f"{path_of(rule)}/{made.json()['id']}"
    assert (await admin.get(one)).headers["ETag"] == made.headers["ETag"]
    old = {"If-Match": made.headers["ETag"]}
    first = await admin.put(one, json={"device_id": str(desk), "threshold": 96}, headers=old)
    assert (first.status_code, first.json()["version"]) == (200, 2)
    late = await admin.put(one, json={"device_id": str(desk), "threshold": 97}, headers=old)
    assert late.status_code == 412


async def test_unknown_device_is_refused_and_viewers_only_read(admin, viewer, rule, desk):
    unknown = {"device_id": "0198c0de-7c00-7a00-8000-000000000000", "threshold": 95}
    answer = await admin.post(path_of(rule), json=unknown)
    assert answer.status_code in {400, 422}
    assert "No such device" in answer.text
    assert (await viewer.get(path_of(rule))).status_code == 200
    assert (
        await viewer.post(path_of(rule), json={"device_id": str(desk), "threshold": 95})
    ).status_code == 403


async def test_the_engine_obeys_what_was_made(admin, watch, measure, rule, desk):
    await admin.post(path_of(rule), json={"device_id": str(desk), "threshold": 97, "severity": "critical"})
    await measure(desk, watch.now, cpu_usage_percent=98)
    await watch.evaluate(rule)
    (fired,) = await watch.alerts()
    assert (fired.threshold_value, fired.severity) == (97, "critical")


async def test_device_of_another_department_is_unknown_and_its_override_unseen(
    admin, rule, desk, place, token_for
):
    berlin = await token_for(["alerts:read", "alerts:write", "devices:read"], place)
    own = await berlin.post(
        "/api/v1/alert-rules", json={"name": "Ours", "condition": HOT, "department_id": place}
    )
    base = f"/api/v1/alert-rules/{own.json()['id']}/overrides"
    answer = await berlin.post(base, json={"device_id": str(desk), "threshold": 95})
    assert "No such device" in answer.text
    # A rule of the whole installation is read there, and changed by others.
    await admin.post(path_of(rule), json={"device_id": str(desk), "threshold": 95})
    assert (await berlin.get(path_of(rule))).json()["results"] == []
    refused = await berlin.post(path_of(rule), json={"device_id": str(desk), "threshold": 96})
    assert refused.status_code == 403
