"""Sessions as people see and end them."""

from datetime import UTC, datetime, timedelta

import pytest

from fleetkeeper.errors import ForbiddenError, NotFoundError
from fleetkeeper.identity.permissions import Role
from fleetkeeper.identity.service import Browser, actor_of_session, actor_of_token, open_session
from fleetkeeper.identity.sessions import service
from fleetkeeper.identity.users import account
from fleetkeeper.identity.users.schemas import AccountUpdate
from tests.factories.identity import give, make_token, make_user

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
IDLE = timedelta(hours=12)


async def sign_in(session, user, now=NOW):
    opened = await open_session(
        session,
        user,
        Browser("192.0.2.7", "Firefox"),
        now=now,
        lifetime=timedelta(days=7),
        method="password",
        has_second_factor=False,
    )
    actor, _ = await actor_of_session(session, opened.secret, now, IDLE)
    return actor


@pytest.fixture
async def otto(session):
    user = await make_user(session)
    await give(session, user, Role.VIEWER)
    return user


async def listed(session, actor):
    return (await service.list_own_sessions(session, actor, [], now=NOW, idle=IDLE)).results


async def test_own_ones_are_listed_and_this_one_is_marked(session, otto):
    first, second = await sign_in(session, otto), await sign_in(session, otto)
    await sign_in(session, await make_user(session))
    shown = await listed(session, first)
    assert {one.id: one.is_current for one in shown} == {first.session_id: True, second.session_id: False}
    assert shown[0].address == "192.0.2.7"


async def test_those_that_have_ended_are_not(session, otto):
    actor = await sign_in(session, otto)
    await sign_in(session, otto, NOW - IDLE)
    await sign_in(session, otto, NOW - timedelta(days=8))
    assert [one.id for one in await listed(session, actor)] == [actor.session_id]


async def test_ending_one_and_all_others(session, otto):
    first, second, third = [await sign_in(session, otto) for _ in range(3)]
    await service.end_own_session(session, first, second.session_id)
    with pytest.raises(NotFoundError):
        await service.end_own_session(session, first, second.session_id)
    assert await service.end_other_sessions(session, third) == 1
    assert [one.id for one in await listed(session, third)] == [third.session_id]


async def test_another_s_is_not_there(session, otto):
    actor, other = await sign_in(session, otto), await sign_in(session, await make_user(session))
    with pytest.raises(NotFoundError):
        await service.end_own_session(session, actor, other.session_id)


async def test_a_token_with_limits_does_nothing_to_its_account(session, otto):
    actor = await sign_in(session, otto)
    secret = await make_token(session, otto, permissions=["devices:read"])
    limited = await actor_of_token(session, secret, NOW, "")
    for act in (
        service.end_own_session(session, limited, actor.session_id),
        service.end_other_sessions(session, limited),
        account.update_account(session, limited, AccountUpdate(email="x@example.org")),
    ):
        with pytest.raises(ForbiddenError):
            await act
    whole = await actor_of_token(session, await make_token(session, otto), NOW, "")
    assert (await account.update_account(session, whole, AccountUpdate(name="Otto"))).name == "Otto"
