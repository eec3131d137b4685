"""What the rooms below tell: failed runs, tokens that expire, an audit log that was changed."""

import contextlib
from datetime import timedelta

from sqlalchemy import text

from fleetkeeper.audit.jobs import CHECK_FAILED
from fleetkeeper.database.listeners import Listeners
from fleetkeeper.identity.tokens.service import create_token
from fleetkeeper.jobs.carrying_out import carry_out
from fleetkeeper.jobs.declaring import MOST_ATTEMPTS, Job
from fleetkeeper.jobs.run import Run
from fleetkeeper.kit.clock import utc_now
from fleetkeeper.notifications.emitters import tell_of_expiring_tokens
from tests.factories.identity import make_user
from tests.fixtures.client import TEST_CONTEXT
from tests.fixtures.jobs import tools


async def events(app):
    async with app.state.database.session(TEST_CONTEXT) as session:
        return (await session.execute(text("SELECT * FROM notification_events ORDER BY id"))).all()


async def fail(app, settings, name: str, attempts: int = MOST_ATTEMPTS) -> None:
    async def work(run):
        raise ValueError("the source is away\nand a trace")

    with contextlib.suppress(ValueError):
        await carry_out(Job(name, "", work), tools(app, settings), attempts=attempts)


class TestFailedRuns:
    async def test_one_that_is_not_tried_again_is_told_once_in_an_hour(self, app, settings):
        await fail(app, settings, "audit.archive", attempts=1)
        assert await events(app) == []
        await fail(app, settings, "audit.archive")
        await fail(app, settings, "audit.archive")
        (event,) = await events(app)
        assert (event.name, event.title) == ("jobs.run_failed", "Job failed: Archive the audit log")
        assert event.fields == {"job": "audit.archive", "error": "the source is away"}

    async def test_this_room_s_own_jobs_tell_nothing(self, app, settings):
        await fail(app, settings, "notifications.deliver")
        assert await events(app) == []


class TestTokens:
    async def test_owners_are_reminded_once_of_what_expires_within_a_week(self, app, settings):
        async with app.state.database.session(TEST_CONTEXT) as session:
            user = await make_user(session)
            for name, days in (("soon", 5), ("later", 8)):
                now = utc_now()
                expires_at = now + timedelta(days=days)
                await create_token(session, user.username, name, now=now, expires_at=expires_at)
        for _ in range(2):
            await tell_of_expiring_tokens(Run(tools(app, settings)))
        (event,) = await events(app)
        assert (event.name, event.to_users) == ("identity.token_expiring", [user.id])
        assert event.title.startswith("Your API token soon expires on 20")


class TestListeners:
    async def test_a_check_that_finds_a_change_is_told(self, app):
        async with app.state.database.session(TEST_CONTEXT) as session:
            await CHECK_FAILED.tell(session, "Entry 7 is missing")
        (event,) = await events(app)
        assert (event.severity, event.fields) == ("critical", {"finding": "Entry 7 is missing"})

    async def test_one_that_fails_spoils_nothing(self, app):
        listeners: Listeners[[]] = Listeners()

        @listeners.add
        async def break_off(session):
            await session.execute(text("SELECT 1 / 0"))

        async with app.state.database.session(TEST_CONTEXT) as session:
            await listeners.tell(session)
            assert await session.scalar(text("SELECT 1")) == 1
