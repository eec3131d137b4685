"""Requests from asking to carrying out, and what happens when several people act at once."""

import asyncio
from datetime import timedelta

import pytest
from psycopg import AsyncConnection
from sqlalchemy import select, text, update

from fleetkeeper.approvals import service
from fleetkeeper.approvals.asking import ask_if_needed, needs_approval, revise
from fleetkeeper.approvals.jobs import apply_request, see_to_open_requests
from fleetkeeper.approvals.models import ApprovalDelegation, ApprovalRequest, ApprovalRule
from fleetkeeper.database.status_history import changes_of
from fleetkeeper.errors import ConflictError, ForbiddenError, NotFoundError
from fleetkeeper.identity.models import Group, User
from fleetkeeper.identity.permissions import Permission
from fleetkeeper.kit.clock import utc_now
from fleetkeeper.notifications.models import NotificationEvent
from tests.factories.approvals import KIND, acting, action, ask, done, level, make_approval_rule
from tests.factories.identity import make_actor, make_role, make_tree
from tests.fixtures.client import TEST_CONTEXT

HOUR = timedelta(hours=1)


def as_product(app):
    return app.state.database.session(TEST_CONTEXT)


async def told(app, name: str) -> list[set]:
    """To whom each event of that name goes."""
    async with as_product(app) as session:
        found = select(NotificationEvent.to_users).where(NotificationEvent.name == name)
        return [set(users) for users in await session.scalars(found.order_by(NotificationEvent.id))]


async def until_waiting(url: str, number: int) -> None:
    """Until so many transactions wait for a lock; only an administrator sees that."""
    waiting = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"
    async with asyncio.timeout(20), await AsyncConnection.connect(url, autocommit=True) as connection:
        while (await (await connection.execute(waiting)).fetchone())[0] < number:  # noqa: ASYNC110 - it tells nobody
            await asyncio.sleep(0)


class TestAsking:
    async def test_without_a_rule_nothing_waits(self, app, team):
        async with acting(app, team.rita) as session:
            assert await ask_if_needed(session, team.rita, action()) is None

    async def test_a_rule_is_for_its_department_and_from_its_threshold_on(self, app, team):
        async with as_product(app) as session:
            north, harbour, south = await make_tree(session)
            await make_approval_rule(session, level(team.group), department_id=north.id, threshold=10)

            async def needs(department, amount):
                place = department and department.id
                found = await needs_approval(session, team.rita, KIND, department_id=place, amount=amount)
                return found is not None

            assert await needs(north, 10)
            assert await needs(harbour, 11)
            assert not await needs(north, 9.5)
            assert not await needs(south, 99)
            assert not await needs(None, 99)

    async def test_the_first_rule_applies_and_is_kept_as_it_was(self, app, team):
        await team.rule(minimum=2, name="Later", position=2)
        await team.rule(name="Off", position=0, enabled=False)
        await team.rule(name="First", position=1)
        request = await team.ask()
        async with as_product(app) as session:
            await session.execute(update(ApprovalRule).values(levels=[level(team.group, minimum=2)]))
        assert request.rule["name"] == "First"
        assert (await team.approve(team.ann, request)).status == "approved"

    async def test_approvers_are_told_and_the_requester_is_not(self, app, team):
        async with as_product(app) as session:
            group = await session.get(Group, team.group.id)
            rita = await session.get(User, team.rita.user_id)
            await make_approval_rule(session, level(group, rita))
        await team.ask()
        assert await told(app, "approvals.requested") == [{team.ann.user_id, team.bob.user_id}]

    async def test_the_same_is_not_asked_for_twice(self, team):
        await team.rule()
        assert (await team.ask()).id == (await team.ask()).id
        assert (await team.ask("it")).id != (await team.ask("that")).id

    async def test_nor_by_two_tabs_at_once(self, app, team, database_url):
        await team.rule()
        async with acting(app, team.rita) as first:
            await ask(first, team.rita)
            second = asyncio.ensure_future(team.ask())
            await until_waiting(database_url, 1)
        with pytest.raises(ConflictError, match="already requested"):
            await second

    async def test_a_rule_that_nobody_can_meet_says_so(self, team):
        await team.rule(minimum=3)
        with pytest.raises(ConflictError, match="more approvers than there are"):
            await team.ask()


class TestDeciding:
    async def test_enough_approvals_carry_it_out_as_the_requester(self, app, team):
        await team.rule(minimum=2)
        request = await team.ask("this")
        assert (await team.approve(team.ann, request)).status == "pending"
        with pytest.raises(ConflictError, match="already decided"):
            await team.approve(team.ann, request)
        approved = await team.approve(team.bob, request, "Fine")
        assert approved.status == "approved"
        assert [(one.user_name, one.comment) for one in approved.decisions] == [("ann", ""), ("bob", "Fine")]
        assert await told(app, "approvals.decided") == [{team.rita.user_id}]
        assert await apply_request(app.state.database, request.id) == "applied"
        assert await apply_request(app.state.database, request.id) == "applied"
        assert done == [("rita", {"what": "this"})]
        async with as_product(app) as session:
            moves = await changes_of(session, request.id)
            who = await session.scalars(
                text(
                    "SELECT actor_name FROM audit_log WHERE record_id = :id "
                    "AND action = 'approvals.approve' ORDER BY id"
                ),
                {"id": str(request.id)},
            )
        assert [(one.new_status, one.changed_by) for one in moves] == [
            ("approved", "bob"),
            ("applied", "rita"),
        ]
        assert list(who) == ["ann", "bob"]

    async def test_one_no_ends_it(self, app, team):
        await team.rule(minimum=2)
        request = await team.ask()
        await team.approve(team.ann, request)
        assert (await team.reject(team.bob, request)).status == "rejected"
        with pytest.raises(ConflictError):
            await team.approve(team.ann, request)
        assert await apply_request(app.state.database, request.id) == "rejected"
        assert done == []

    async def test_the_requester_does_not_approve(self, app, team):
        async with as_product(app) as session:
            await make_approval_rule(session, level(*(await session.scalars(select(User))).all(), minimum=1))
        request = await team.ask()
        with pytest.raises(ForbiddenError, match="somebody else"):
            await team.approve(team.rita, request)

    async def test_others_see_nothing(self, team):
        await team.rule()
        request = await team.ask()
        with pytest.raises(NotFoundError):
            await team.get(team.sam, request)
        with pytest.raises(NotFoundError):
            await team.approve(team.sam, request)

    async def test_people_of_the_department_see_it_and_do_not_decide(self, app, team):
        async with as_product(app) as session:
            north, _, south = await make_tree(session)
            role = await make_role(session, Permission.APPROVALS_READ)
            reader, stranger = await make_actor(session, role, north), await make_actor(session, role, south)
        await team.rule()
        request = await team.ask(department=north)
        assert (await team.get(reader, request)).can_decide is False
        with pytest.raises(ForbiddenError):
            await team.approve(reader, request)
        with pytest.raises(NotFoundError):
            await team.get(stranger, request)

    async def test_a_role_decides_in_its_department(self, app, team):
        async with as_product(app) as session:
            north, harbour, south = await make_tree(session)
            role = await make_role(session)
            here, there = await make_actor(session, role, north), await make_actor(session, role, south)
            await make_approval_rule(session, level(role))
        request = await team.ask(department=harbour)
        assert await told(app, "approvals.requested") == [{here.user_id}]
        with pytest.raises(NotFoundError):
            await team.approve(there, request)
        assert (await team.approve(here, request)).status == "approved"

    async def test_levels_in_sequence_tell_the_next(self, app, team):
        async with as_product(app) as session:
            ann, bob = [await session.get(User, one.user_id) for one in (team.ann, team.bob)]
            await make_approval_rule(session, level(ann), level(bob))
        request = await team.ask()
        with pytest.raises(ForbiddenError, match="not your turn"):
            await team.approve(team.bob, request)
        assert (await team.approve(team.ann, request)).open_levels == [1]
        assert await told(app, "approvals.requested") == [{team.ann.user_id}, {team.bob.user_id}]
        assert (await team.approve(team.bob, request)).status == "approved"

    async def test_an_edit_makes_earlier_decisions_void(self, app, team):
        await team.rule(minimum=2)
        request = await team.ask("a little")
        await team.approve(team.ann, request)
        async with acting(app, team.rita) as session:
            same = await revise(session, team.rita, request.id, action("a little"))
            other = await revise(session, team.rita, request.id, action("a lot"))
        assert same.id == request.id
        assert other.supersedes_id == request.id
        assert (await team.get(team.ann, request)).status == "superseded"
        assert (await team.get(team.ann, other)).decisions == []
        with pytest.raises(ConflictError):
            await team.approve(team.bob, request)
        assert (await team.approve(team.bob, other)).status == "pending"


class TestDelegation:
    @pytest.fixture
    def delegate(self, app):
        async def delegate(giver, taker, *, starts=-HOUR, ends=HOUR):
            now = utc_now()
            async with as_product(app) as session:
                session.add(
                    ApprovalDelegation(
                        from_user_id=giver.user_id,
                        to_user_id=taker.user_id,
                        starts_at=now + starts,
                        ends_at=now + ends,
                    )
                )

        return delegate

    async def test_who_stands_in_decides_once_for_both(self, app, team, delegate):
        await team.rule(minimum=2)
        await delegate(team.ann, team.sam)
        request = await team.ask()
        assert await told(app, "approvals.requested") == [
            {team.ann.user_id, team.bob.user_id, team.sam.user_id}
        ]
        decided = await team.approve(team.sam, request)
        assert [(one.user_name, one.on_behalf_of_name) for one in decided.decisions] == [("sam", "ann")]
        for again in (team.sam, team.ann):
            with pytest.raises((ConflictError, ForbiddenError)):
                await team.approve(again, request)
        assert (await team.approve(team.bob, request)).status == "approved"

    @pytest.mark.parametrize(("starts", "ends"), [(-2 * HOUR, -HOUR), (HOUR, 2 * HOUR)])
    async def test_only_while_it_lasts(self, team, delegate, starts, ends):
        await team.rule()
        await delegate(team.ann, team.sam, starts=starts, ends=ends)
        with pytest.raises(NotFoundError):
            await team.approve(team.sam, await team.ask())

    async def test_never_to_or_from_the_requester(self, app, team, delegate):
        async with as_product(app) as session:
            rita, ann = [await session.get(User, one.user_id) for one in (team.rita, team.ann)]
            await make_approval_rule(session, level(rita, ann))
        await delegate(team.ann, team.rita)
        await delegate(team.rita, team.sam)
        request = await team.ask()
        for one in (team.rita, team.sam):
            with pytest.raises(ForbiddenError):
                await team.approve(one, request)
        async with acting(app, team.sam) as session:
            page = await service.list_requests(session, team.sam, [("waiting_for", "me")])
        assert page.count == 0

    async def test_who_is_disabled_has_nobody_stand_in(self, team, delegate):
        await team.rule()
        await delegate(team.ann, team.sam)
        request = await team.ask()
        await team.disable(team.ann)
        with pytest.raises(NotFoundError):
            await team.approve(team.sam, request)


class TestRaces:
    @pytest.fixture
    def at_once(self, app, database_url):
        async def at_once(request, *acts):
            """Begin all while somebody else holds the request, and let them go when each waits for it."""
            async with as_product(app) as holder:
                await holder.get(ApprovalRequest, request.id, with_for_update=True)
                tasks = [asyncio.ensure_future(act) for act in acts]
                await until_waiting(database_url, len(acts))
            return await asyncio.gather(*tasks, return_exceptions=True)

        return at_once

    async def test_two_approvers(self, app, team, at_once):
        await team.rule(minimum=2)
        request = await team.ask()
        found = await at_once(request, team.approve(team.ann, request), team.approve(team.bob, request))
        assert sorted(one.status for one in found) == ["approved", "pending"]
        async with as_product(app) as session:
            assert (
                await session.scalar(text("SELECT count(*) FROM job_runs WHERE job = 'approvals.apply'")) == 1
            )

    async def test_the_same_approver_twice(self, team, at_once):
        await team.rule(minimum=2)
        request = await team.ask()
        found = await at_once(request, team.approve(team.ann, request), team.approve(team.ann, request))
        assert sorted(type(one).__name__ for one in found) == ["ApprovalDetail", "ConflictError"]
        assert (await team.get(team.ann, request)).status == "pending"

    @pytest.mark.parametrize("other", ["reject", "cancel"])
    async def test_approved_and_ended_otherwise(self, app, team, at_once, other):
        await team.rule()
        request = await team.ask()
        act = team.reject(team.bob, request) if other == "reject" else team.cancel(team.rita, request)
        found = await at_once(request, team.approve(team.ann, request), act)
        assert sorted(isinstance(one, ConflictError) for one in found) == [False, True]
        won = next(one for one in found if not isinstance(one, ConflictError))
        assert (await team.get(team.ann, request)).status == won.status

    async def test_approved_after_it_ran_out(self, app, team):
        """The upkeep has not come by yet."""
        await team.rule()
        request = await team.ask()
        await put_off(app, request, expires_at=utc_now() - HOUR)
        with pytest.raises(ConflictError, match="expired"):
            await team.approve(team.ann, request)

    async def test_upkeep_leaves_what_is_being_decided(self, app, team):
        await team.rule()
        request = await team.ask()
        await put_off(app, request, expires_at=utc_now() - HOUR)
        async with as_product(app) as holder:
            await holder.get(ApprovalRequest, request.id, with_for_update=True)
            async with as_product(app) as session:
                await see_to_open_requests(session)
        assert (await team.get(team.rita, request)).status == "pending"

    async def test_an_approver_who_left_the_group(self, app, team, database_url):
        """They had the page open, and their request reached the lock before they left."""
        await team.rule()
        request = await team.ask()

        async with as_product(app) as holder:
            await holder.get(ApprovalRequest, request.id, with_for_update=True)
            task = asyncio.ensure_future(team.approve(team.ann, request))
            await until_waiting(database_url, 1)
            await team.leave(team.ann)
        with pytest.raises(ForbiddenError):
            await task

    async def test_a_requester_who_lost_their_rights(self, app, team):
        await team.rule()
        request = await team.ask()
        await team.approve(team.ann, request)
        async with as_product(app) as session:
            await session.execute(
                text("DELETE FROM memberships WHERE user_id = :id"), {"id": team.rita.user_id}
            )
        assert await apply_request(app.state.database, request.id) == "failed"
        assert (await team.get(team.rita, request)).problem == "You may no longer do this."
        assert done == []

    async def test_a_requester_who_is_disabled(self, app, team):
        await team.rule()
        request = await team.ask()
        await team.approve(team.ann, request)
        await team.disable(team.rita)
        assert await apply_request(app.state.database, request.id) == "failed"
        assert done == []


async def put_off(app, request, **columns) -> None:
    async with as_product(app) as session:
        await session.execute(
            update(ApprovalRequest).where(ApprovalRequest.id == request.id).values(**columns)
        )


class TestUpkeep:
    async def test_what_nobody_decides_expires(self, app, team):
        await team.rule()
        request, other = await team.ask(), await team.ask("other")
        await put_off(app, request, expires_at=utc_now() - HOUR)
        async with as_product(app) as session:
            await see_to_open_requests(session)
        assert (await team.get(team.rita, request)).status == "expired"
        assert (await team.get(team.rita, other)).status == "pending"
        assert await told(app, "approvals.decided") == [{team.rita.user_id}]

    async def test_others_decide_after_an_escalation(self, app, team):
        sam = {"users": [str(team.sam.user_id)], "groups": [], "roles": []}
        await team.rule(escalation=sam, escalation_hours=4)
        request = await team.ask()
        with pytest.raises(NotFoundError):
            await team.approve(team.sam, request)
        await put_off(app, request, escalates_at=utc_now() - HOUR)
        for _ in range(2):
            async with as_product(app) as session:
                await see_to_open_requests(session)
        assert await told(app, "approvals.escalated") == [{team.sam.user_id}]
        assert (await team.approve(team.sam, request)).status == "approved"

    async def test_approvers_are_reminded_once(self, app, team):
        await team.rule()
        await put_off(app, await team.ask(), reminds_at=utc_now() - HOUR)
        for _ in range(2):
            async with as_product(app) as session:
                await see_to_open_requests(session)
        assert await told(app, "approvals.expiring") == [{team.ann.user_id, team.bob.user_id}]

    async def test_what_no_job_carried_out_fails(self, app, team):
        await team.rule()
        request = await team.ask()
        await team.approve(team.ann, request)
        await put_off(app, request, decided_at=utc_now() - 25 * HOUR)
        async with as_product(app) as session:
            await see_to_open_requests(session)
        assert (await team.get(team.rita, request)).status == "failed"
        assert await apply_request(app.state.database, request.id) == "failed"
        assert done == []
