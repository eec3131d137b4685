"""Alertmanager's API: alerts that come, end and expire, silences, and who sees what."""

from datetime import timedelta

import pytest

from fleetkeeper.alerts.alertmanager import posting
from fleetkeeper.errors import InvalidInputError
from fleetkeeper.kit.clock import utc_now
from tests.factories.telemetry import make_device

API = "/alertmanager/api/v2"
DOWN = {"alertname": "Down", "severity": "page", "instance": "db-7:9100"}
PERMISSIONS = ["alerts:read", "alerts:respond", "devices:read"]


def later(minutes: float = 5) -> str:
    return (utc_now() + timedelta(minutes=minutes)).isoformat()


async def post(client, *alerts, status=200):
    answer = await client.post(f"{API}/alerts", json=list(alerts))
    assert answer.status_code == status, answer.text
    return answer


async def listed(client, **asked):
    answer = await client.get(f"{API}/alerts", params=asked)
    assert answer.status_code == 200, answer.text
    return answer.json()


def silence(**more):
    matcher = {"name": "alertname", "value": "Down", "isRegex": False}
    return {
        "matchers": [matcher],
        "startsAt": later(0),
        "endsAt": later(60),
        "createdBy": "somebody",
        "comment": "Replacing the disk",
    } | more


class TestAlerts:
    async def test_an_address_that_is_no_web_address_is_dropped(self, admin):
        for number, address in enumerate(("javascript:alert(1)", "file:///etc/passwd", "//p/g", "http://")):
            await post(admin, {"labels": DOWN | {"number": str(number)}, "generatorURL": address})
        for one in await listed(admin):
            assert not one["generatorURL"]

    async def test_what_a_person_resolved_fires_again_when_it_is_posted_again(self, admin, watch):
        await post(admin, {"labels": DOWN})
        (alert,) = await watch.alerts()
        resolve = {"act": "resolve", "alert_ids": [alert.alert_id]}
        assert (await admin.post("/api/v1/alerts/acts", json=resolve)).json()["changed"] == 1
        await post(admin, {"labels": DOWN})
        assert [one.status for one in await watch.alerts()] == ["resolved", "firing"]
        assert len(await listed(admin)) == 1

    async def test_posted_again_is_the_same_and_ends_when_told(self, admin, watch):
        await post(admin, {"labels": DOWN, "annotations": {"summary": "gone"}, "generatorURL": "http://p/g"})
        await post(admin, {"labels": DOWN, "endsAt": later(10)})
        (told,) = await listed(admin)
        assert (told["labels"], told["annotations"]) == (DOWN, {"summary": "gone"})
        assert told["generatorURL"] == "http://p/g"
        (alert,) = await watch.alerts()
        assert (alert.source, alert.name, alert.severity, alert.rule_id) == ("api", "Down", "critical", None)
        await post(admin, {"labels": DOWN, "startsAt": later(-10), "endsAt": later(-1)})
        assert await listed(admin) == []
        (alert,) = await watch.alerts()
        assert (alert.status, alert.resolution) == ("resolved", "cleared")
        await post(admin, {"labels": DOWN})
        assert len(await watch.alerts()) == 2

    async def test_expires_five_minutes_after_it_was_last_seen(self, admin, watch):
        await post(admin, {"labels": DOWN, "startsAt": "0001-01-01T00:00:00Z"})
        await watch.tell(200)
        assert (await watch.alerts())[0].status == "firing"
        await watch.tell(400)
        (alert,) = await watch.alerts()
        assert (alert.status, alert.resolution) == ("resolved", "expired")

    async def test_linked_to_the_device_of_its_label(self, admin, watch, connection):
        device = make_device(connection, "db-7")
        await post(admin, {"labels": DOWN | {"device_id": str(device)}})
        (alert,) = await watch.alerts()
        assert (alert.system_id, alert.device_name) == (device, "db-7")

    async def test_good_ones_are_kept_beside_wrong_ones(self, admin):
        answer = await post(admin, {"labels": DOWN}, {"labels": {}}, {"labels": {"a\0": "b"}}, status=400)
        assert "at least one label pair required" in answer.json()
        assert len(await listed(admin)) == 1

    async def test_address_that_cannot_be_stored_is_refused(self, admin):
        await post(admin, {"labels": DOWN, "generatorURL": "http://p/\0"}, status=400)

    async def test_texts_of_one_alert_are_bounded_together(self, admin):
        texts = {f"a{number}": "x" * 4000 for number in range(5)}
        answer = await post(admin, {"labels": DOWN, "annotations": texts}, status=400)
        assert "16,384 characters" in answer.json()
        assert await listed(admin) == []

    @pytest.mark.parametrize("body", ["{}", "[1]", "nothing", '[{"labels": {"a": 1}}]'])
    async def test_what_is_no_list_of_alerts_is_refused_as_text(self, admin, body):
        answer = await admin.post(f"{API}/alerts", content=body, headers={"Content-Type": "application/json"})
        assert answer.status_code == 400
        assert isinstance(answer.json(), str)

    async def test_filters(self, admin):
        await post(admin, {"labels": DOWN}, {"labels": {"alertname": "Full", "severity": "odd"}})
        assert len(await listed(admin, filter='alertname=~"D.*"')) == 1
        assert len(await listed(admin, receiver="nobody")) == 0
        assert len(await listed(admin, unprocessed="false")) == 0
        assert (await admin.get(f"{API}/alerts", params={"filter": "a=~("})).status_code == 400

    async def test_groups(self, admin):
        await post(admin, {"labels": DOWN}, {"labels": DOWN | {"instance": "db-8"}})
        groups = (await admin.get(f"{API}/alerts/groups")).json()
        assert sum(len(group["alerts"]) for group in groups) == 2
        assert groups[0]["receiver"]["name"]

    async def test_no_department_takes_anothers_place(self, admin, token_for, place, watch, monkeypatch):
        monkeypatch.setattr(posting, "MOST_OPEN", 2)
        client = await token_for(PERMISSIONS, place)
        for number in range(2):
            await post(client, {"labels": DOWN | {"n": str(number)}})
        await post(admin, {"labels": DOWN | {"n": "0"}}, {"labels": DOWN | {"n": "1"}})
        ends = later(30)
        answer = await post(
            client, {"labels": DOWN | {"n": "0"}, "endsAt": ends}, {"labels": DOWN | {"n": "2"}}, status=400
        )
        assert answer.json() == "a department has at most 2 open alerts that came by the API; 1 were not kept"
        # What is there goes on.
        assert ends[:16] in {one["endsAt"][:16] for one in await listed(client)}
        assert len(await watch.alerts()) == 4

    async def test_a_department_has_its_own(self, admin, token_for, place, watch):
        client = await token_for(PERMISSIONS, place)
        await post(client, {"labels": DOWN})
        await post(admin, {"labels": DOWN})
        assert len(await listed(admin)) == 2
        (own,) = await listed(client)
        assert own["labels"] == DOWN
        assert {str(one.department_id) for one in await watch.alerts()} == {place, "None"}
        await post(client, {"labels": DOWN, "endsAt": later(-1)})
        assert (await listed(client), len(await listed(admin))) == ([], 1)

    async def test_who_may_only_look_posts_nothing(self, viewer, anonymous):
        await post(viewer, {"labels": DOWN}, status=403)
        await post(anonymous, {"labels": DOWN}, status=401)


class TestSilences:
    async def test_made_changed_and_expired(self, admin, watch):
        made = await admin.post(f"{API}/silences", json=silence())
        assert made.status_code == 200, made.text
        key = made.json()["silenceID"]
        told = (await admin.get(f"{API}/silence/{key}")).json()
        assert (told["status"]["state"], told["comment"]) == ("active", "Replacing the disk")
        assert told["matchers"] == [silence()["matchers"][0] | {"isEqual": True}]
        await post(admin, {"labels": DOWN})
        await watch.tell(60)
        assert (await listed(admin))[0]["status"]["silencedBy"] == [key]
        assert await listed(admin, silenced="false") == []
        again = await admin.post(f"{API}/silences", json=silence(id=key, endsAt=later(90)))
        assert again.json() == {"silenceID": key}
        assert (await admin.delete(f"{API}/silence/{key}")).status_code == 200
        assert (await admin.get(f"{API}/silences", params={"expired": "false"})).json() == []
        (over,) = (await admin.get(f"{API}/silences")).json()
        assert over["status"]["state"] == "expired"

    @pytest.mark.parametrize(
        "wrong",
        [
            {"endsAt": later(-1)},
            {"endsAt": "9999-12-31T23:59:59-14:00"},
            {"matchers": []},
            {"matchers": [{"name": "a", "value": ".*", "isRegex": True}]},
            {"matchers": [{"name": "a", "value": "(", "isRegex": True}]},
        ],
    )
    async def test_what_is_wrong_is_told_as_text(self, admin, wrong):
        answer = await admin.post(f"{API}/silences", json=silence(**wrong))
        assert (answer.status_code, type(answer.json())) == (400, str)

    async def test_a_recurring_one_is_not_changed(self, admin):
        recurring = {
            "name": "Nightly",
            "matchers": 'a="b"',
            "recurrence": "FREQ=DAILY",
            "duration_seconds": 600,
        }
        made = (await admin.post("/api/v1/alert-silences", json=recurring)).json()
        answer = await admin.post(f"{API}/silences", json=silence(id=made["id"]))
        assert (answer.status_code, "recurs" in answer.json()) == (400, True)
        kept = (await admin.get(f"/api/v1/alert-silences/{made['id']}")).json()
        assert kept["recurrence"] == "FREQ=DAILY"

    async def test_another_departments_is_not_there(self, admin, token_for, place):
        other = (await admin.post("/api/v1/departments", json={"name": "Paris"})).json()["id"]
        here, there = await token_for(PERMISSIONS, place), await token_for(PERMISSIONS, other)
        key = (await here.post(f"{API}/silences", json=silence())).json()["silenceID"]
        assert len((await here.get(f"{API}/silences")).json()) == 1
        assert (await there.get(f"{API}/silences")).json() == []
        assert (await there.get(f"{API}/silence/{key}")).status_code == 404
        assert (await there.delete(f"{API}/silence/{key}")).status_code == 404
        assert (await here.delete(f"{API}/silence/{key}")).status_code == 200


class TestOthers:
    async def test_what_clients_ask_besides(self, viewer, anonymous):
        status = (await viewer.get(f"{API}/status")).json()
        assert status["versionInfo"]["version"] == "0.25.0"
        assert (await viewer.get(f"{API}/receivers")).json()[0]["name"]
        for probe in ("healthy", "ready"):
            assert (await anonymous.get(f"/alertmanager/-/{probe}")).text == "OK"


async def test_nothing_is_kept_of_what_is_refused(app, admin, monkeypatch):
    """An error is answered once the transaction was rolled back, not before it commits."""
    whole = posting.post_alerts

    async def post_then_refuse(session, actor, alerts):
        await whole(session, actor, alerts)
        raise InvalidInputError("Not this one.")

    monkeypatch.setattr(posting, "post_alerts", post_then_refuse)
    answer = await admin.post(f"{API}/alerts", json=[{"labels": DOWN}])
    assert (answer.status_code, answer.json()) == (400, "Not this one.")
    assert await listed(admin) == []
