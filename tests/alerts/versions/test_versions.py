"""Versions of rules: what each changed in words, going back, and who may."""

import pytest

from fleetkeeper.alerts.versions.differences import changes_between

RULES = "/api/v1/alert-rules"
HOT = {"kind": "threshold", "metric": "cpu_usage_percent", "threshold": 90}
WANTED = {"name": "Hot", "condition": HOT, "for_seconds": 300, "annotations": {"summary": "hot"}}


@pytest.fixture
async def rule(admin):
    made = (await admin.post(RULES, json=WANTED)).json()
    changed = WANTED | {"condition": HOT | {"threshold": 95}, "for_seconds": 600, "annotations": {}}
    assert (await admin.put(f"{RULES}/{made['id']}", json=changed)).status_code == 200
    return made["id"]


async def test_each_says_what_it_changed_and_by_whom(admin, rule):
    newest, oldest = (await admin.get(f"{RULES}/{rule}/versions")).json()
    assert newest["changes"] == [
        "Annotation summary: hot → none",
        "Threshold: 90 → 95",
        "Pending period: 5m → 10m",
    ]
    assert (newest["version"], newest["is_current"], newest["actor"]) == (2, True, "admin")
    assert (oldest["version"], oldest["is_current"], oldest["changes"]) == (1, False, [])


async def test_going_back_is_a_new_version(admin, rule):
    answer = await admin.post(f"{RULES}/{rule}/versions/1/restore")
    assert answer.status_code == 200, answer.text
    told = answer.json()
    assert (told["version"], told["condition"]["threshold"], told["for_seconds"]) == (3, 90, 300)
    assert told["annotations"] == {"summary": "hot"}
    assert len((await admin.get(f"{RULES}/{rule}/versions")).json()) == 3
    assert (await admin.post(f"{RULES}/{rule}/versions/77/restore")).status_code == 404


async def test_going_back_undoes_no_change_that_nobody_saw(admin, rule):
    path = f"{RULES}/{rule}/versions/1/restore"
    assert (await admin.post(path, headers={"If-Match": '"1"'})).status_code == 412
    answer = await admin.post(path, headers={"If-Match": '"2"'})
    assert (answer.status_code, answer.headers["ETag"]) == (200, '"3"')


async def test_enabling_is_a_version_and_going_back_ends_alerts(admin, rule, watch):
    off = WANTED | {"enabled": False}
    await admin.put(f"{RULES}/{rule}", json=off)
    (newest, *_) = (await admin.get(f"{RULES}/{rule}/versions")).json()
    assert "Enabled: yes → no" in newest["changes"]
    assert (await admin.post(f"{RULES}/{rule}/versions/1/restore")).json()["enabled"]
    assert watch


async def test_who_may_only_look_restores_nothing_and_others_see_nothing(
    admin, viewer, token_for, place, rule
):
    assert (await viewer.get(f"{RULES}/{rule}/versions")).status_code == 200
    assert (await viewer.post(f"{RULES}/{rule}/versions/1/restore")).status_code == 403
    other = (await admin.post("/api/v1/departments", json={"name": "Paris"})).json()["id"]
    own = await admin.post(RULES, json=WANTED | {"name": "Ours", "department_id": other})
    stranger = await token_for(["alerts:read", "alerts:write"], place)
    assert (await stranger.get(f"{RULES}/{own.json()['id']}/versions")).status_code == 404
    assert (await stranger.post(f"{RULES}/{own.json()['id']}/versions/1/restore")).status_code == 404


async def test_the_newest_hundred_are_kept(admin, rule, connection):
    for _ in range(105):
        connection.execute("UPDATE alert_rules SET version = version + 1 WHERE id = %s", (rule,))
    numbers = [one["version"] for one in (await admin.get(f"{RULES}/{rule}/versions")).json()]
    assert numbers == list(range(107, 7, -1))
    connection.execute("DELETE FROM alert_rules WHERE id = %s", (rule,))
    assert connection.execute(
        "SELECT count(*) FROM alert_rule_versions WHERE rule_id = %s", (rule,)
    ).fetchone() == (0,)


def test_long_texts_are_cut_and_lists_are_spelled_out():
    before = {"scope": {"tags": []}, "description": "a"}
    after = {"scope": {"tags": ["web", "db"]}, "description": "b" * 500}
    description, tags = changes_between(before, after)
    assert tags == "Tags: none → web, db"
    assert len(description) < 200
