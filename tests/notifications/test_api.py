"""The doors of channels, rules, the inbox and preferences: what they answer, and what they never do."""

import json

import pytest
from sqlalchemy import text

from fleetkeeper.identity.permissions import Permission, Role
from tests.factories.identity import give, make_group, make_role, make_token, make_tree, make_user
from tests.factories.notifications import make_channel, make_rule
from tests.fixtures.client import TEST_CONTEXT

CHANNELS = "/api/v1/notification-channels"
RULES = "/api/v1/notification-rules"
PREFERENCES = "/api/v1/account/notification-preferences"
WEBHOOK = {"name": "Operations", "kind": "webhook", "url": "https://hooks.example/x"}
MAIL = {
    "name": "Mail",
    "kind": "email",
    "host": "mail.example",
    "port": 587,
    "security": "starttls",
    "sender": "fleet@example.org",
    "username": "fleet",
    "secret": "the mail password",
}
CHAT = {"name": "Chat", "kind": "chat", "secret": "ntfys://ntfy.example/the-topic"}


async def create(client, wanted, address: str = CHANNELS):
    answer = await client.post(address, json=wanted)
    assert answer.status_code == 201, answer.text
    return answer.json()


def fields_of(answer) -> set[str]:
    assert answer.status_code == 422, answer.text
    return {error["field"] for error in answer.json()["errors"]}


class TestChannels:
    async def test_a_signing_secret_is_shown_once(self, admin):
        made = await create(admin, WEBHOOK)
        assert made["signing_secret"].startswith("whsec_")
        assert made["has_secret"]
        rotated = (await admin.post(f"{CHANNELS}/{made['id']}/rotate-secret")).json()
        assert rotated["signing_secret"] not in {made["signing_secret"], None}
        assert "signing_secret" not in (await admin.get(f"{CHANNELS}/{made['id']}")).json()

    async def test_format_is_kept(self, admin):
        made = await create(admin, WEBHOOK | {"format": "alertmanager"})
        assert (await admin.get(f"{CHANNELS}/{made['id']}")).json()["format"] == "alertmanager"
        changed = await admin.patch(f"{CHANNELS}/{made['id']}", json={"format": "standard"})
        assert changed.json()["format"] == "standard"

    async def test_secrets_are_answered_nowhere_and_stored_sealed(self, app, admin, connection):
        secrets = []
        for wanted in (MAIL, CHAT):
            made = await create(admin, wanted)
            await admin.patch(f"{CHANNELS}/{made['id']}", json={"enabled": False})
            secrets.append(wanted["secret"])
        seen = [
            (await admin.get(address)).text
            for address in (CHANNELS, f"{CHANNELS}/{made['id']}", "/api/v1/audit")
        ]
        stored = connection.execute(
            "SELECT row_to_json(c)::text FROM notification_channels c "
            "UNION ALL SELECT row_to_json(l)::text FROM audit_log l"
        ).fetchall()
        assert len(stored) > 3
        for secret in secrets:
            assert not [text for text in [*seen, *(row[0] for row in stored)] if secret in text]

    @pytest.mark.parametrize(
        ("wanted", "fields"),
        [
            ({"name": "x", "kind": "webhook"}, {"url"}),
            (WEBHOOK | {"url": "ftp://a.example"}, {"url"}),
            (WEBHOOK | {"secret": "plain"}, {"secret"}),
            (WEBHOOK | {"host": "mail.example"}, {"host"}),
            (MAIL | {"security": "none"}, {"security"}),
            (MAIL | {"username": None}, {"username"}),
            (MAIL | {"sender": "no address\r\nBcc: x@example.org"}, {"sender"}),
            (CHAT | {"secret": "jsons://169.254.169.254/"}, {"secret"}),
            (CHAT | {"secret": None}, {"secret"}),
            (WEBHOOK | {"department_id": "00000000-0000-7000-8000-000000000001"}, {"department_id"}),
        ],
    )
    async def test_what_is_wrong_is_named(self, admin, wanted, fields):
        assert fields_of(await admin.post(CHANNELS, json=wanted)) == fields

    async def test_a_password_does_not_go_to_another_server(self, admin):
        made = await create(admin, MAIL)
        address = f"{CHANNELS}/{made['id']}"
        assert fields_of(await admin.patch(address, json={"host": "evil.example"})) == {"secret"}
        moved = {"host": "evil.example", "secret": "another password"}
        assert (await admin.patch(address, json=moved)).status_code == 200

    async def test_a_name_is_taken_once_and_versions_are_kept_to(self, admin):
        made = await create(admin, WEBHOOK)
        assert (await admin.post(CHANNELS, json=WEBHOOK)).status_code == 409
        address = f"{CHANNELS}/{made['id']}"
        assert (
            await admin.patch(address, json={"name": "A"}, headers={"If-Match": '"1"'})
        ).status_code == 200
        assert (
            await admin.patch(address, json={"name": "B"}, headers={"If-Match": '"1"'})
        ).status_code == 412

    async def test_a_test_says_in_words_how_it_went(self, admin, settings, receiver, mails):
        webhook = await create(admin, WEBHOOK | {"url": receiver.url})
        answer = (await admin.post(f"{CHANNELS}/{webhook['id']}/test", json={})).json()
        assert not answer["works"]
        assert "127.0.0.1 is not a public address" in answer["detail"]
        settings.outgoing.allowed_networks.append("127.0.0.0/8")
        answer = (await admin.post(f"{CHANNELS}/{webhook['id']}/test")).json()
        assert answer == {"works": True, "detail": "The receiver answered 200."}
        server = {
            "host": "127.0.0.1",
            "port": mails.port,
            "security": "none",
            "username": None,
            "secret": None,
        }
        mail = await create(admin, MAIL | server)
        assert fields_of(await admin.post(f"{CHANNELS}/{mail['id']}/test", json={})) == {"recipient"}
        wanted = {"recipient": "anna@example.org"}
        answer = (await admin.post(f"{CHANNELS}/{mail['id']}/test", json=wanted)).json()
        assert answer["works"], answer
        assert mails.mails[0][1]["Subject"] == "Fleetkeeper test notification"


class TestDepartments:
    @pytest.fixture
    async def north(self, app):
        """A manager of North as a client; channels of North, of South, and of everybody."""
        async with app.state.database.session(TEST_CONTEXT) as session:
            north, harbour, south = await make_tree(session)
            manager = await make_user(session)
            await give(session, manager, Role.MANAGER, north)
            token = await make_token(session, manager)
            places = {"north": north.id, "south": south.id, "nobody": None}
            channels = {
                name: await make_channel(
                    session, app.state.sealer, department_id=place, url="https://a.example"
                )
                for name, place in places.items()
            }
            for channel in channels.values():
                await make_rule(session, channel, department_id=channel.department_id)
        async with app.client(token) as client:
            client.places = places | {"harbour": harbour.id}
            client.channels = channels
            yield client

    async def test_others_channels_are_not_there(self, north):
        listed = (await north.get(CHANNELS)).json()
        assert [one["id"] for one in listed["results"]] == [str(north.channels["north"].id)]
        for other in ("south", "nobody"):
            address = f"{CHANNELS}/{north.channels[other].id}"
            for answer in (
                await north.get(address),
                await north.patch(address, json={"name": "mine"}),
                await north.delete(address),
                await north.post(f"{address}/test", json={}),
                await north.post(f"{address}/rotate-secret"),
            ):
                assert answer.status_code == 404
        assert len((await north.get(RULES)).json()["results"]) == 1

    async def test_one_writes_in_ones_own_departments(self, north):
        for place, status in (("harbour", 201), ("south", 403), ("nobody", 403)):
            wanted = WEBHOOK | {"department_id": north.places[place] and str(north.places[place])}
            assert (await north.post(CHANNELS, json=wanted)).status_code == status, place
        rule = {"name": "r", "events": ["*"], "department_id": str(north.places["north"])}
        for channel, status in (("north", 201), ("south", 422)):
            wanted = rule | {"channel_id": str(north.channels[channel].id)}
            assert (await north.post(RULES, json=wanted)).status_code == status

    async def test_events_go_to_rules_of_their_department_and_above(self, app, north, worker):
        await worker.emit(what="in harbour", department_id=north.places["harbour"])
        await worker.dispatch()
        async with app.state.database.session(TEST_CONTEXT) as session:
            told = (await session.scalars(text("SELECT channel_id FROM notification_deliveries"))).all()
        assert set(told) == {north.channels["north"].id, north.channels["nobody"].id}
        log = (await north.get("/api/v1/notification-deliveries")).json()
        assert [one["channel_id"] for one in log["results"]] == [str(north.channels["north"].id)]

    async def test_mail_addresses_of_people_are_not_learnt_by_a_rule(self, app, admin, north):
        department = str(north.places["north"])
        mail = await create(north, MAIL | {"department_id": department})
        me = (await north.get("/api/v1/me")).json()["user_id"]
        rule = {
            "name": "r",
            "events": ["*"],
            "department_id": department,
            "channel_id": mail["id"],
            "user_ids": [me],
        }
        for client in (north, admin):
            assert fields_of(await client.post(RULES, json=rule)) == {"user_ids"}


class TestRules:
    async def test_a_rule_is_made_changed_and_removed(self, admin, app):
        async with app.state.database.session(TEST_CONTEXT) as session:
            group = await make_group(session)
        channel = await create(admin, MAIL)
        wanted = {
            "name": "Failures",
            "events": ["jobs.*"],
            "channel_id": channel["id"],
            "group_ids": [str(group.id)],
        }
        made = await create(admin, wanted, RULES)
        assert (made["channel"], made["minimum_severity"]) == ("Mail", "info")
        changed = await admin.patch(f"{RULES}/{made['id']}", json={"minimum_severity": "critical"})
        assert changed.json()["minimum_severity"] == "critical"
        assert (await admin.delete(f"{RULES}/{made['id']}")).status_code == 204
        assert (await admin.get(f"{RULES}/{made['id']}")).status_code == 404

    async def test_what_is_wrong_is_named(self, admin):
        mail, webhook = await create(admin, MAIL), await create(admin, WEBHOOK)
        rule = {"name": "r", "events": ["jobs.run_failed"], "channel_id": mail["id"]}
        for change, field in (
            ({}, "addresses"),
            ({"events": ["jobs.nothing"], "addresses": ["a@example.org"]}, "events"),
            ({"channel_id": webhook["id"], "addresses": ["a@example.org"]}, "addresses"),
            ({"user_ids": ["00000000-0000-7000-8000-000000000001"]}, "user_ids"),
        ):
            assert fields_of(await admin.post(RULES, json=rule | change)) == {field}

    async def test_a_rule_outlives_its_users(self, app, admin):
        async with app.state.database.session(TEST_CONTEXT) as session:
            user = await make_user(session)
        channel = await create(admin, MAIL)
        rule = {"name": "r", "events": ["*"], "channel_id": channel["id"], "user_ids": [str(user.id)]}
        made = await create(admin, rule, RULES)
        reason = {"X-Change-Reason": "left"}
        assert (await admin.delete(f"/api/v1/users/{user.id}", headers=reason)).status_code == 204
        assert (await admin.patch(f"{RULES}/{made['id']}", json={"name": "s"})).status_code == 200
        assert fields_of(await admin.patch(f"{RULES}/{made['id']}", json={"user_ids": [str(user.id)]}))

    async def test_events_are_listed_with_their_fields(self, admin):
        events = {one["name"]: one for one in (await admin.get(f"{RULES}/events")).json()}
        assert events["jobs.run_failed"]["fields"] == ["job", "error"]
        assert {"identity.token_expiring", "audit.check_failed"} <= events.keys()


class TestOwn:
    async def test_everybody_reads_their_own_list(self, app, admin, viewer, worker):
        ids = [(await one.get("/api/v1/me")).json()["user_id"] for one in (admin, viewer)]
        await worker.emit(to_users=[ids[1]])
        await worker.emit(to_users=ids)
        await worker.dispatch()
        own = (await viewer.get("/api/v1/notifications")).json()
        assert (own["count"], own["unread"]) == (2, 2)
        theirs = own["results"][1]["id"]
        assert (await admin.post(f"/api/v1/notifications/{theirs}/read")).status_code == 404
        assert (await viewer.post(f"/api/v1/notifications/{theirs}/read")).json()["read_at"]
        assert (await viewer.get("/api/v1/notifications?read_at__isnull=true")).json()["count"] == 1
        assert (await viewer.post("/api/v1/notifications/read")).json() == {"marked": 1}
        assert (await admin.get("/api/v1/notifications")).json()["unread"] == 1

    async def test_preferences_are_kept_and_gone_by(self, app, viewer, worker, mails):
        assert (await viewer.get(PREFERENCES)).json()["email"]
        wanted = {
            "email": True,
            "muted_events": ["tests.*"],
            "quiet_from": "22:00",
            "quiet_until": "07:00",
            "digest": "none",
        }
        assert (await viewer.put(PREFERENCES, json=wanted)).status_code == 200
        assert (await viewer.get(PREFERENCES)).json() == wanted | {
            "quiet_from": "22:00:00",
            "quiet_until": "07:00:00",
        }
        me = (await viewer.get("/api/v1/me")).json()["user_id"]
        await viewer.patch("/api/v1/account", json={"email": "victor@example.org"})
        async with app.state.database.session(TEST_CONTEXT) as session:
            await make_channel(session, app.state.sealer, kind="email", port=mails.port)
        await worker.emit(to_users=[me])
        assert await worker.run() == 0
        assert (await viewer.get("/api/v1/notifications")).json()["unread"] == 1

    async def test_quiet_hours_have_a_beginning_and_an_end(self, viewer):
        for wrong in (
            {"quiet_from": "22:00"},
            {"quiet_until": "07:00"},
            {"quiet_from": "22:00Z", "quiet_until": "07:00"},
        ):
            assert fields_of(await viewer.put(PREFERENCES, json=wrong))


class TestPermissions:
    async def test_reading_does_not_write(self, app, admin):
        made = await create(admin, WEBHOOK)
        async with app.state.database.session(TEST_CONTEXT) as session:
            role = await make_role(session, Permission.NOTIFICATIONS_READ, Permission.DEVICES_READ)
            user = await make_user(session)
            await give(session, user, role)
            token = await make_token(session, user)
        async with app.client(token) as reader:
            assert (await reader.get(f"{CHANNELS}/{made['id']}")).status_code == 200
            for answer in (
                await reader.post(CHANNELS, json=WEBHOOK),
                await reader.delete(f"{CHANNELS}/{made['id']}"),
                await reader.post(f"{CHANNELS}/{made['id']}/test", json={}),
                await reader.post(RULES, content=json.dumps({})),
            ):
                assert answer.status_code == 403
