"""Rules and hosts by the API."""

from tests.factories.senders import WRITE, headers_of, now_ms, series, snappy
from tests.fixtures.client import enroll

RULES = "/api/v1/telemetry/sender-rules"
HOSTS = "/api/v1/telemetry/hosts"


async def write(client, **labels: str):
    body = series({"__name__": "up", **labels}, [(now_ms(), 1.0)])
    return await client.post(WRITE, content=snappy(body), headers=headers_of())


class TestRules:
    async def test_defaults_are_there_in_order(self, admin):
        page = (await admin.get(RULES)).json()
        assert page["count"] == len(page["results"]) == 6
        assert [rule["position"] for rule in page["results"]] == [1, 2, 3, 4, 5, 6]

    async def test_a_rule_is_made_moved_changed_and_deleted(self, admin):
        wanted = {"protocol": "any", "labels": ["box"], "pattern": "^box-(.+)$", "position": 1}
        made = (await admin.post(RULES, json=wanted)).json()
        order = (await admin.get(RULES)).json()["results"]
        assert (order[0]["id"], [rule["position"] for rule in order]) == (made["id"], [1, 2, 3, 4, 5, 6, 7])
        changed = await admin.patch(f"{RULES}/{made['id']}", json={"position": 3, "enabled": False})
        assert (changed.json()["position"], changed.json()["enabled"]) == (3, False)
        assert (await admin.get(f"{RULES}/{made['id']}")).json() == changed.json()
        assert (await admin.delete(f"{RULES}/{made['id']}")).status_code == 204
        assert (await admin.get(f"{RULES}/{made['id']}")).status_code == 404

    async def test_wrong_patterns_name_the_field(self, admin):
        for pattern in ("(", "(a)(b)", r"(?=a)"):
            answer = await admin.post(RULES, json={"labels": ["a"], "pattern": pattern})
            assert answer.status_code == 422
            assert answer.json()["errors"][0]["field"] == "pattern"

    async def test_a_new_rule_holds_for_the_next_samples(self, app, admin, device):
        assert (await write(admin, box="box-web-01")).status_code == 400
        await admin.post(RULES, json={"labels": ["box"], "pattern": "^box-(.+)$"})
        await app.state.senders.directory.refresh()
        assert (await write(admin, box="box-web-01")).status_code == 204

    async def test_trying_says_which_device(self, admin, device):
        async def attempt(**labels):
            return (await admin.post(f"{RULES}/try", json={"labels": labels})).json()

        known = await attempt(instance="web-01:9100")
        assert (known["outcome"], known["device_name"], known["rule"]["position"]) == ("known", "web-01", 1)
        assert known["host"] == "web-01"
        assert (await attempt(instance="web9:9100"))["outcome"] == "new"
        assert (await attempt(other="web9"))["outcome"] == "no_host"
        assert (await attempt(instance=" "))["outcome"] == "bad_host"
        assert (await attempt(instance="https://web-01:9100/metrics"))["outcome"] == "known"
        assert (await attempt(instance="[fe80::1]:9100"))["host"] == "fe80::1"

    async def test_only_administrators_change_rules(self, viewer):
        assert (await viewer.get(RULES)).status_code == 403
        assert (await viewer.post(RULES, json={"labels": ["a"]})).status_code == 403

    async def test_changes_are_audited(self, admin, connection):
        made = (await admin.post(RULES, json={"labels": ["a"]})).json()
        rows = connection.execute(
            "SELECT actor_name FROM audit_log WHERE resource_type = 'sender_rules' AND record_id = %s",
            (made["id"],),
        ).fetchall()
        assert rows == [("admin",)]


class TestHosts:
    async def test_a_host_moves_to_another_device(self, app, admin, device, read_back):
        other = await enroll(app, admin, "web-02")
        assert (await write(admin, instance="web-01:1")).status_code == 204
        page = (await admin.get(HOSTS)).json()
        assert [(item["host"], item["device_id"], item["is_primary"]) for item in page["results"]] == [
            ("web-01", device.id, True),
            ("web-02", other.id, False),
        ]
        moved = await admin.patch(f"{HOSTS}/web-01", json={"device_id": other.id})
        assert moved.json()["device_name"] == "web-02"
        await app.state.senders.directory.refresh()
        assert (await write(admin, instance="web-01:1")).status_code == 204
        assert [len(read_back(name)) for name in ("web-01", "web-02")] == [1, 1]
        await other.client.aclose()

    async def test_a_host_is_entered_and_forgotten(self, admin, device, read_back):
        made = await admin.post(HOSTS, json={"host": "alias/1", "device_id": device.id})
        assert (made.status_code, made.json()["is_primary"]) == (201, True)
        assert (await admin.post(HOSTS, json={"host": "alias/1", "device_id": device.id})).status_code == 409
        assert (await admin.get(f"{HOSTS}/alias/1")).json()["device_name"] == "web-01"
        # Another name of the same device stays spelled out, so that its series are told apart.
        assert (await write(admin, instance="web-01:1")).status_code == 204
        assert list(read_back("web-01")) == ['up{instance="web-01:1"}']
        assert (await admin.delete(f"{HOSTS}/alias/1")).status_code == 204
        assert (await admin.get(f"{HOSTS}/alias/1")).status_code == 404

    async def test_the_list_filters_and_pages(self, admin, device):
        for number in range(3):
            await admin.post(HOSTS, json={"host": f"alias{number}", "device_id": device.id})
        page = (await admin.get(HOSTS, params={"limit": 2})).json()
        assert (page["count"], [item["host"] for item in page["results"]]) == (4, ["alias0", "alias1"])
        rest = (await admin.get(page["next"])).json()
        assert [item["host"] for item in rest["results"]] == ["alias2", "web-01"]
        assert (await admin.get(HOSTS, params={"q": "alias1"})).json()["count"] == 1

    async def test_viewers_see_and_change_nothing(self, admin, viewer, device):
        await admin.post(HOSTS, json={"host": "alias", "device_id": device.id})
        assert (await viewer.get(HOSTS)).json()["count"] == 2
        assert (await viewer.delete(f"{HOSTS}/alias")).status_code == 403
