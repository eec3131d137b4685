"""From an emitted event to what arrives: webhooks, mails, retries, dead workers, rates."""

import asyncio
import json

import pytest
from sqlalchemy import text
from standardwebhooks import Webhook

from fleetkeeper.database.context import TransactionContext
from fleetkeeper.kit.clock import utc_now
from fleetkeeper.notifications.deliveries import queries
from fleetkeeper.notifications.deliveries.status import MOST_ATTEMPTS, wait_seconds
from fleetkeeper.notifications.events import ObjectRef, emit
from tests.factories.identity import make_group, make_user
from tests.factories.notifications import SIGNING_SECRET, make_channel, make_rule
from tests.fixtures.client import TEST_CONTEXT


@pytest.fixture
def make(app):
    """Writes to the database and commits: gives `session`, `sealer`."""

    async def call(action):
        async with app.state.database.session(TEST_CONTEXT) as session:
            return await action(session, app.state.sealer)

    return call


@pytest.fixture
async def webhook(make, receiver):
    async def action(session, sealer):
        channel = await make_channel(session, sealer, url=receiver.url)
        await make_rule(session, channel, "tests.*")
        return channel

    return await make(action)


@pytest.fixture
async def mail_channel(make, mails):
    return await make(lambda session, sealer: make_channel(session, sealer, kind="email", port=mails.port))


async def rows(app, table: str = "notification_deliveries"):
    async with app.state.database.session(TEST_CONTEXT) as session:
        return (await session.execute(text(f"SELECT * FROM {table} ORDER BY id"))).all()


async def make_due(app) -> None:
    async with app.state.database.session(TEST_CONTEXT) as session:
        await session.execute(text("UPDATE notification_deliveries SET next_attempt_at = now()"))


class TestEmit:
    async def test_what_is_rolled_back_tells_nobody(self, app, worker, webhook):
        with pytest.raises(ZeroDivisionError):
            async with app.state.database.session(TEST_CONTEXT) as session:
                await worker_emit(session)
                raise ZeroDivisionError
        await worker.run()
        assert await rows(app, "notification_events") == []
        assert await rows(app, "procrastinate_jobs") == []

    async def test_what_is_committed_wakes_the_worker_once(self, app, worker):
        async with app.state.database.session(TEST_CONTEXT) as session:
            await worker_emit(session)
            await worker_emit(session)
        assert [row.task_name for row in await rows(app, "procrastinate_jobs")] == ["notifications.dispatch"]

    async def test_those_whom_departments_limit_tell_too(self, app, worker, webhook):
        sees_nothing = TransactionContext()
        async with app.state.database.session(sees_nothing) as session:
            await worker_emit(session)
        assert await worker.run() == 1

    async def test_values_are_text_and_no_formats(self, app, worker):
        await worker.emit(what="{subject.__class__} <b>\r\nBcc: all@example.org")
        (event,) = await rows(app, "notification_events")
        assert event.body == "The thing: {subject.__class__} <b>\\r\\nBcc: all@example.org"

    @pytest.mark.parametrize(
        "href", ["javascript:alert(1)", "//evil.example", "/\\evil.example", "https://a.example"]
    )
    async def test_a_link_leads_to_the_console(self, app, href):
        async with app.state.database.session(TEST_CONTEXT) as session:
            with pytest.raises(ValueError, match="no page"):
                await emit(session, "tests.happened", subject=ObjectRef("thing", "1", "It", href), what="it")


async def worker_emit(session):
    await emit(session, "tests.happened", subject=ObjectRef("thing", "1", "A thing"), what="it")


class TestWebhook:
    async def test_it_arrives_signed(self, app, worker, receiver, webhook):
        await worker.emit(what="Grüße")
        assert await worker.run() == 1
        ((headers, body),) = receiver.requests
        told = Webhook(SIGNING_SECRET).verify(body, headers)
        assert told["type"] == "tests.happened"
        assert told["data"]["fields"] == {"what": "Grüße"}
        assert told["data"]["subject"]["link"] == "https://fleet.example/things/1"
        (delivery,) = await rows(app)
        assert (delivery.state, delivery.response_status, delivery.attempts) == ("delivered", 200, 1)
        assert await worker.run() == 0

    async def test_after_a_rotation_both_secrets_verify(self, admin, worker, receiver, webhook):
        answer = await admin.post(f"/api/v1/notification-channels/{webhook.id}/rotate-secret")
        await worker.emit()
        await worker.run()
        ((headers, body),) = receiver.requests
        for secret in (SIGNING_SECRET, answer.json()["signing_secret"]):
            assert Webhook(secret).verify(body, headers) == json.loads(body)

    async def test_a_receiver_that_is_down_gets_it_later(self, app, worker, receiver, webhook):
        receiver.status, receiver.headers = 503, {"Retry-After": "7200"}
        await worker.emit()
        await worker.run()
        (waiting,) = await rows(app)
        assert (waiting.state, waiting.response_status) == ("retrying", 503)
        assert waiting.last_error == "The receiver answered 503: well."
        assert 7100 < (waiting.next_attempt_at - utc_now()).total_seconds() <= 7200
        assert await worker.deliver() == 0
        receiver.status = 204
        await make_due(app)
        assert await worker.deliver() == 1
        (delivered,) = await rows(app)
        assert (delivered.state, delivered.attempts, delivered.last_error) == ("delivered", 2, "")
        first, second = (headers["webhook-id"] for headers, _ in receiver.requests)
        assert first == second

    async def test_it_is_given_up_after_the_last_attempt_and_can_be_replayed(
        self, app, admin, worker, receiver, webhook
    ):
        receiver.status = 500
        await worker.emit()
        await worker.dispatch()
        for _ in range(MOST_ATTEMPTS):
            assert await worker.deliver() == 1
            await make_due(app)
        assert await worker.deliver() == 0
        (dead,) = await rows(app)
        assert (dead.state, dead.attempts) == ("dead", MOST_ATTEMPTS)
        receiver.status = 200
        answer = await admin.post(f"/api/v1/notification-deliveries/{dead.id}/replay")
        assert (answer.status_code, answer.json()["replay_of"]) == (202, str(dead.id))
        assert (
            await admin.post(f"/api/v1/notification-deliveries/{answer.json()['id']}/replay")
        ).status_code == 409
        await worker.deliver()
        log = (await admin.get("/api/v1/notification-deliveries?state=delivered")).json()
        assert [one["id"] for one in log["results"]] == [answer.json()["id"]]

    async def test_a_redirect_is_not_followed(self, app, worker, receiver, webhook):
        receiver.status, receiver.headers = 307, {"Location": receiver.url}
        await worker.emit()
        await worker.run()
        assert len(receiver.requests) == 1
        (waiting,) = await rows(app)
        assert "redirects are not followed" in waiting.last_error

    async def test_what_died_with_its_worker_is_sent_by_another(self, app, worker, receiver, webhook):
        await worker.emit()
        await worker.dispatch()
        async with app.state.database.session(TEST_CONTEXT) as session:
            ((claimed, _, _),) = await queries.claim_due(session, 10)
        assert await worker.deliver() == 0, "somebody is at it"
        await make_due(app)
        assert await worker.deliver() == 1
        async with app.state.database.session(TEST_CONTEXT) as session:
            late = {"state": "dead", "last_error": "too late"}
            await queries.settle(session, [(claimed.id, claimed.attempts)], late)
        (delivery,) = await rows(app)
        assert (delivery.state, delivery.attempts) == ("delivered", 2)

    async def test_two_workers_send_each_once(self, worker, receiver, webhook):
        for _ in range(4):
            await worker.emit()
        await worker.dispatch()
        assert sum(await asyncio.gather(worker.deliver(), worker.deliver())) == 4
        assert len({headers["webhook-id"] for headers, _ in receiver.requests}) == len(receiver.requests) == 4

    async def test_no_more_go_out_in_a_minute_than_the_channel_allows(
        self, app, worker, receiver, make, webhook
    ):
        async def slow_down(session, _):
            await session.execute(text("UPDATE notification_channels SET per_minute = 2"))

        await make(slow_down)
        for _ in range(3):
            await worker.emit()
        assert await worker.run() == 2
        assert await worker.deliver() == 0
        assert sorted(row.state for row in await rows(app)) == ["delivered", "delivered", "pending"]
        async with app.state.database.session(TEST_CONTEXT) as session:
            await session.execute(
                text("UPDATE notification_deliveries SET last_attempt_at = now() - interval '61 seconds'")
            )
        assert await worker.deliver() == 1


class TestMail:
    async def test_it_goes_to_users_groups_and_addresses_once_each(
        self, app, worker, mails, make, mail_channel
    ):
        async def action(session, _):
            anna = await make_user(session, email="anna@example.org")
            ben = await make_user(session, email="ben@example.org")
            gone = await make_user(session, email="gone@example.org", enabled=False)
            group = await make_group(session, anna, ben, gone)
            people = {"user_ids": [anna.id], "group_ids": [group.id], "addresses": ["team@example.org"]}
            await make_rule(session, mail_channel, "tests.happened", **people)
            await make_rule(
                session, mail_channel, "*", minimum_severity="critical", addresses=["boss@example.org"]
            )

        await make(action)
        await worker.emit(what="a disk is full")
        assert await worker.run() == 3
        assert sorted(to for to, _ in mails.mails) == [
            "anna@example.org",
            "ben@example.org",
            "team@example.org",
        ]
        mail = mails.mails[0][1]
        assert (mail["Subject"], mail["From"]) == ("The thing happened", "fleet@example.org")
        text_of_mail = mail.get_content()
        assert "The thing: a disk is full" in text_of_mail
        assert "https://fleet.example/things/1" in text_of_mail

    async def test_what_is_addressed_to_a_person_is_mailed_and_listed(
        self, app, worker, mails, make, mail_channel
    ):
        user = await make(lambda session, _: make_user(session, email="anna@example.org"))
        await worker.emit(to_users=[user.id])
        await worker.run()
        assert [to for to, _ in mails.mails] == ["anna@example.org"]
        (entry,) = await rows(app, "notification_inbox")
        assert (entry.user_id, entry.title, entry.read_at) == (user.id, "The thing happened", None)

    async def test_a_recipient_whom_the_server_refuses_is_not_tried_again(
        self, app, worker, mails, make, mail_channel
    ):
        await make(lambda session, _: make_rule(session, mail_channel, addresses=["nobody@example.org"]))
        mails.refusal = "550 no such user"
        await worker.emit()
        await worker.run()
        (delivery,) = await rows(app)
        assert (delivery.state, delivery.response_status) == ("dead", 550)
        assert delivery.last_error == "The mail server answered 550: no such user."

    async def test_a_server_that_says_nothing_is_not_waited_for(
        self, app, worker, receiver, make, mail_channel, monkeypatch
    ):
        monkeypatch.setattr("fleetkeeper.notifications.sending.service.SEND_SECONDS", 0.2)
        port = int(receiver.url.split(":")[2].removesuffix("/hook"))

        async def action(session, _):
            await make_rule(session, mail_channel, addresses=["team@example.org"])
            await session.execute(text("UPDATE notification_channels SET port = :port"), {"port": port})

        await make(action)
        await worker.emit()
        await worker.run()
        (delivery,) = await rows(app)
        assert (delivery.state, delivery.last_error) == (
            "retrying",
            "The receiver took longer than 0 seconds.",
        )

    async def test_a_digest_is_one_mail(self, app, worker, mails, make, mail_channel):
        async def action(session, _):
            user = await make_user(session, email="anna@example.org")
            await session.execute(
                text("INSERT INTO notification_preferences (user_id, digest) VALUES (:id, 'daily')"),
                {"id": user.id},
            )
            return user

        user = await make(action)
        await worker.emit(what="first", to_users=[user.id])
        await worker.emit(what="second", to_users=[user.id])
        assert await worker.run() == 0, "the day is not over"
        await make_due(app)
        assert await worker.deliver() == 2
        ((_, mail),) = mails.mails
        assert mail["Subject"] == "2 notifications from Fleetkeeper"
        content = mail.get_content()
        assert content.index("first") < content.index("second")


class TestRemoval:
    async def test_what_is_old_goes_with_its_event(self, app, worker, receiver, make, webhook):
        user = await make(lambda session, _: make_user(session))
        for what in ("old", "young"):
            await worker.emit(what=what, to_users=[user.id])
        await worker.run()

        async def age(session, _):
            old = "(SELECT id FROM notification_events WHERE body LIKE '%old')"
            for statement in (
                f"UPDATE notification_deliveries SET finished_at = now() - interval '31 days' WHERE event_id IN {old}",
                "UPDATE notification_events SET occurred_at = now() - interval '91 days' WHERE body LIKE '%old'",
            ):
                await session.execute(text(statement))
            await queries.forget_old(session, 30, 90)

        await make(age)
        for table in ("notification_deliveries", "notification_events", "notification_inbox"):
            assert len(await rows(app, table)) == 1, table


class TestWaits:
    def test_they_grow_up_to_a_day_in_all(self):
        waits = [wait_seconds(attempt, draw=0.5) for attempt in range(1, MOST_ATTEMPTS)]
        assert waits == sorted(waits)
        assert 22 * 3600 < sum(waits) < 26 * 3600
        assert wait_seconds(1, draw=0.0) < waits[0] < wait_seconds(1, draw=1.0)
        assert wait_seconds(1, retry_after=4000) == 4000
