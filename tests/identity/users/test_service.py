"""Accounts: who sees whom, who may change whom, and that an administrator always remains."""

import asyncio

import pytest
from sqlalchemy import select

from fleetkeeper.database.engine import Database
from fleetkeeper.errors import ConflictError, ForbiddenError, InvalidInputError, NotFoundError
from fleetkeeper.identity.actor import product_actor
from fleetkeeper.identity.memberships import service as memberships
from fleetkeeper.identity.models import ApiToken, BrowserSession, Membership, User
from fleetkeeper.identity.permissions import Permission, Role
from fleetkeeper.identity.service import Browser, actor_of_user_id, open_session
from fleetkeeper.identity.sign_in.passwords import is_password
from fleetkeeper.identity.users import service
from fleetkeeper.identity.users.schemas import UserCreate, UserUpdate
from fleetkeeper.kit.clock import utc_now
from tests.factories.identity import (
    give,
    make_actor,
    make_department,
    make_group,
    make_role,
    make_token,
    make_tree,
    make_user,
)
from tests.fixtures.client import TEST_CONTEXT

ROOT = product_actor("command", "test")
PASSWORD = "a long enough password"


async def open_a_session(session, user) -> None:
    from datetime import timedelta

    await open_session(
        session,
        user,
        Browser("192.0.2.7", "x"),
        now=utc_now(),
        lifetime=timedelta(hours=1),
        method="password",
        has_second_factor=False,
    )


async def helpdesk(session):
    """Somebody who edits accounts and may do nothing else."""
    role = await make_role(
        session, Permission.USERS_READ, Permission.USERS_WRITE, Permission.MEMBERSHIPS_WRITE
    )
    return await make_actor(session, role)


class TestScope:
    async def test_a_manager_sees_the_people_of_their_departments(self, session):
        north, harbour, south = await make_tree(session)
        actor = await make_actor(session, Role.MANAGER, north, "nora")
        direct, by_group, managing, elsewhere, nowhere = [await make_user(session) for _ in range(5)]
        await give(session, direct, Role.VIEWER, harbour)
        await give(session, await make_group(session, by_group), Role.VIEWER, north)
        await make_department(session, "Depot", north, manager_id=managing.id)
        await give(session, elsewhere, Role.VIEWER, south)
        await give(session, nowhere, Role.ADMIN)
        # The manager's own scope is read anew, as for a request: the depot is in it by now.
        actor = await actor_of_user_id(session, actor.user_id)
        page = await service.list_users(session, actor, [])
        assert {one.id for one in page.results} == {actor.user_id, direct.id, by_group.id, managing.id}
        assert page.count == 4
        found = await service.list_users(session, actor, [("q", elsewhere.username)])
        assert (found.count, found.results) == (0, [])
        for hidden in (elsewhere, nowhere):
            for call in (
                service.get_user(session, actor, hidden.id),
                service.read_access(session, actor, hidden.id),
                service.list_user_memberships(session, actor, hidden.id, []),
                service.end_user_sessions(session, actor, hidden.id),
            ):
                with pytest.raises(NotFoundError):
                    await call

    async def test_what_somebody_has_elsewhere_is_left_out(self, session):
        north, _, south = await make_tree(session)
        actor = await make_actor(session, Role.MANAGER, north)
        both = await make_user(session)
        await give(session, both, Role.VIEWER, north)
        await give(session, both, Role.OPERATOR, south)
        page = await service.list_user_memberships(session, actor, both.id, [])
        assert [(one.role, one.department) for one in page.results] == [("viewer", north.name)]
        access = await service.read_access(session, actor, both.id)
        assert {one.role for one in access.sources} == {"viewer"}
        assert Permission.DEVICES_WRITE not in {one.permission for one in access.permissions}


class TestAccess:
    async def test_says_where_and_why(self, session):
        north, harbour, south = await make_tree(session)
        maria = await make_user(session)
        await give(session, maria, Role.VIEWER, north)
        await give(session, await make_group(session, maria, name="Night shift"), Role.OPERATOR, harbour)
        south.manager_id = maria.id
        await session.flush()
        access = await service.read_access(session, ROOT, maria.id)
        by_name = {one.permission: one for one in access.permissions}
        reading = by_name[Permission.DEVICES_READ]
        assert not reading.everywhere
        assert {one.path for one in reading.departments} == {north.name, south.name}
        assert {(one.via, one.group) for one in reading.because} == {
            ("direct", None),
            ("group", "Night shift"),
            ("manager", None),
        }
        writing = by_name[Permission.DEVICES_WRITE]
        assert {one.path for one in writing.departments} == {f"{north.name}/Harbour", south.name}
        assert Permission.USERS_WRITE not in by_name

    async def test_agrees_with_what_the_user_may_do(self, session):
        _, harbour, _ = await make_tree(session)
        maria = await make_user(session)
        await give(session, maria, Role.ADMIN, harbour)
        await give(session, maria, Role.VIEWER)
        actor = await actor_of_user_id(session, maria.id)
        access = await service.read_access(session, ROOT, maria.id)
        assert {one.permission for one in access.permissions} == set(actor.permissions)
        for one in access.permissions:
            assert one.everywhere is actor.may_everywhere(Permission(one.permission))
            for place in one.departments:
                assert actor.may_in(Permission(one.permission), place.id)


class TestMaking:
    async def test_with_a_role_that_one_may_give(self, session):
        actor = await make_actor(session, Role.ADMIN)
        made = await service.add_user(
            session, actor, UserCreate(username="maria", password=PASSWORD, role="viewer")
        )
        assert made.name == "maria"
        found = await actor_of_user_id(session, made.id)
        assert found.roles == ("viewer",)

    async def test_not_with_more_than_one_has(self, session):
        actor = await helpdesk(session)
        with pytest.raises(ForbiddenError, match="devices:read"):
            await service.add_user(session, actor, UserCreate(username="maria", role="viewer"))

    @pytest.mark.parametrize(
        ("change", "field"), [({"username": "OTTO"}, "username"), ({"email": "otto@example.org"}, "email")]
    )
    async def test_name_and_address_are_taken_once(self, session, change, field):
        await make_user(session, "otto", email="otto@example.org")
        with pytest.raises(ConflictError) as refusal:
            await service.add_user(session, ROOT, UserCreate(**({"username": "maria"} | change)))
        assert field == "username" or refusal.value.fields[0].field == field

    async def test_password_is_checked(self, session):
        with pytest.raises(InvalidInputError) as refusal:
            await service.add_user(session, ROOT, UserCreate(username="maria", password="password1"))
        assert refusal.value.fields[0].field == "password"


class TestTakeover:
    """Who edits accounts must not become somebody who may do more."""

    @pytest.mark.parametrize("act", ["password", "rename", "disable", "delete"])
    async def test_of_somebody_with_more_permissions(self, session, act):
        actor = await helpdesk(session)
        boss = await make_user(session, "boss")
        await give(session, boss, Role.ADMIN)
        await give(session, await make_user(session), Role.ADMIN)
        with pytest.raises(ForbiddenError, match="may do more"):
            if act == "password":
                await service.set_password(session, actor, boss.id, PASSWORD)
            elif act == "rename":
                await service.update_user(session, actor, boss.id, UserUpdate(email="mine@example.org"))
            elif act == "disable":
                await service.set_enabled(session, actor, boss.id, enabled=False)
            else:
                await service.delete_user(session, actor, boss.id)

    async def test_a_role_in_a_department_is_more_than_none(self, session):
        north, _, _ = await make_tree(session)
        actor = await helpdesk(session)
        nora = await make_user(session)
        await give(session, nora, Role.VIEWER, north)
        with pytest.raises(ForbiddenError):
            await service.set_password(session, actor, nora.id, PASSWORD)

    async def test_of_an_equal_is_their_work(self, session):
        actor = await helpdesk(session)
        otto = await make_user(session)
        await open_a_session(session, otto)
        await service.set_password(session, actor, otto.id, PASSWORD)
        await session.refresh(otto)
        assert is_password(otto.password_hash, PASSWORD)
        assert await session.scalar(select(BrowserSession).where(BrowserSession.user_id == otto.id)) is None

    async def test_one_s_own_password_needs_the_old_one(self, session):
        actor = await make_actor(session, Role.ADMIN)
        with pytest.raises(ConflictError, match="under My account"):
            await service.set_password(session, actor, actor.user_id, PASSWORD)

    async def test_account_of_a_provider_gets_no_password(self, session):
        user = await make_user(session, source="scim")
        with pytest.raises(ConflictError, match="provider"):
            await service.set_password(session, ROOT, user.id, PASSWORD)


class TestMemberships:
    async def test_a_manager_gives_roles_below_and_no_higher(self, session):
        north, harbour, south = await make_tree(session)
        actor = await make_actor(session, Role.MANAGER, north)
        otto = await make_user(session)
        given = await memberships.add_membership(session, actor, "operator", harbour.id, user_id=otto.id)
        assert given.department == f"{north.name}/Harbour"
        for role, place in (("admin", harbour.id), ("viewer", south.id), ("viewer", None)):
            with pytest.raises(ForbiddenError):
                await memberships.add_membership(session, actor, role, place, user_id=otto.id)
        # Telemetry is written by collectors alone; a manager has no such permission to hand on.
        with pytest.raises(ForbiddenError, match="telemetry:write"):
            await memberships.add_membership(session, actor, "data_collector", north.id, user_id=otto.id)

    async def test_nobody_raises_themselves(self, session):
        north, _, _ = await make_tree(session)
        actor = await make_actor(session, Role.MANAGER, north)
        for place in (north.id, None):
            with pytest.raises(ForbiddenError):
                await memberships.add_membership(session, actor, "admin", place, user_id=actor.user_id)

    async def test_what_one_could_not_give_one_does_not_take(self, session):
        north, _, _ = await make_tree(session)
        actor = await make_actor(session, Role.MANAGER, north)
        boss = await make_user(session)
        here = await give(session, boss, Role.ADMIN, north)
        with pytest.raises(ForbiddenError):
            await memberships.remove_membership(session, actor, here.id, user_id=boss.id)

    async def test_of_another_department_is_not_there(self, session):
        north, _, south = await make_tree(session)
        actor = await make_actor(session, Role.MANAGER, north)
        otto = await make_user(session)
        there = await give(session, otto, Role.VIEWER, south)
        with pytest.raises(NotFoundError):
            await memberships.remove_membership(session, actor, there.id)

    async def test_under_another_user_s_name_is_not_there(self, session):
        otto, maria = await make_user(session), await make_user(session)
        given = await give(session, otto, Role.VIEWER)
        with pytest.raises(NotFoundError):
            await memberships.remove_membership(session, ROOT, given.id, user_id=maria.id)

    async def test_the_same_once(self, session):
        otto = await make_user(session)
        await memberships.add_membership(session, ROOT, "viewer", None, user_id=otto.id)
        with pytest.raises(ConflictError):
            await memberships.add_membership(session, ROOT, "viewer", None, user_id=otto.id)

    async def test_a_manager_adds_people_by_their_exact_name(self, session):
        north, _, south = await make_tree(session)
        actor = await make_actor(session, Role.MANAGER, north)
        otto = await make_user(session)
        with pytest.raises(NotFoundError):
            await service.get_user(session, actor, otto.id)
        await memberships.add_member(session, actor, north.id, otto.username, "viewer")
        assert await service.get_user(session, actor, otto.id)
        with pytest.raises(ForbiddenError):
            await memberships.add_member(session, actor, south.id, "nobody-at-all", "viewer")

    @pytest.mark.parametrize(
        ("role", "username", "field"), [("boss", "", "role"), ("viewer", "nobody", "username")]
    )
    async def test_wrong_names_are_told(self, session, role, username, field):
        north, _, _ = await make_tree(session)
        otto = await make_user(session)
        with pytest.raises(InvalidInputError) as refusal:
            await memberships.add_member(session, ROOT, north.id, username or otto.username, role)
        assert refusal.value.fields[0].field == field


class TestDisabling:
    async def test_ends_sessions_and_refuses_tokens(self, session):
        from fleetkeeper.identity.service import actor_of_token

        otto = await make_user(session)
        await open_a_session(session, otto)
        secret = await make_token(session, otto)
        assert await actor_of_token(session, secret, utc_now(), "")
        read = await service.set_enabled(session, ROOT, otto.id, enabled=False)
        assert not read.enabled
        assert await session.scalar(select(BrowserSession).where(BrowserSession.user_id == otto.id)) is None
        assert await actor_of_token(session, secret, utc_now(), "") is None
        await service.set_enabled(session, ROOT, otto.id, enabled=True)
        assert await actor_of_token(session, secret, utc_now(), "")

    async def test_not_oneself(self, session):
        actor = await make_actor(session, Role.ADMIN)
        with pytest.raises(ConflictError):
            await service.set_enabled(session, actor, actor.user_id, enabled=False)

    async def test_deleting_takes_all_with_it(self, session):
        otto = await make_user(session)
        await make_token(session, otto)
        await give(session, otto, Role.VIEWER)
        await service.delete_user(session, ROOT, otto.id)
        assert await session.scalar(select(ApiToken).where(ApiToken.user_id == otto.id)) is None
        assert await session.scalar(select(Membership).where(Membership.user_id == otto.id)) is None


class TestLastAdministrator:
    @pytest.mark.parametrize("act", ["disable", "delete", "membership"])
    async def test_remains(self, session, act):
        actor = await make_actor(session, Role.ADMIN)
        only = await session.scalar(select(User).where(User.id == actor.user_id))
        # An administrator of a department, or one who is disabled, is no substitute.
        north, _, _ = await make_tree(session)
        await give(session, await make_user(session), Role.ADMIN, north)
        await give(session, await make_user(session, enabled=False), Role.ADMIN)
        with pytest.raises(ConflictError, match="somebody else"):
            if act == "disable":
                await service.set_enabled(session, ROOT, only.id, enabled=False)
            elif act == "delete":
                await service.delete_user(session, ROOT, only.id)
            else:
                given = await session.scalar(select(Membership).where(Membership.user_id == only.id))
                await memberships.remove_membership(session, ROOT, given.id)

    async def test_one_by_a_group_counts(self, session):
        actor = await make_actor(session, Role.ADMIN)
        await give(session, await make_group(session, await make_user(session)), Role.ADMIN)
        read = await service.set_enabled(session, ROOT, actor.user_id, enabled=False)
        assert not read.enabled

    async def test_two_at_once_do_not_disable_each_other(self, app_url):
        database = Database(app_url, pool_size=4)
        try:
            async with database.session(TEST_CONTEXT) as session:
                keys = [(await make_actor(session, Role.ADMIN)).user_id for _ in range(2)]

            async def disable(key) -> None:
                async with database.session(TEST_CONTEXT) as session:
                    await service.set_enabled(session, ROOT, key, enabled=False)

            outcomes = await asyncio.gather(*map(disable, keys), return_exceptions=True)
            assert sorted(type(one) for one in outcomes if one is not None) == [ConflictError]
            async with database.session(TEST_CONTEXT) as session:
                left = (await session.scalars(select(User.id).where(User.enabled))).all()
            assert len(left) == 1
        finally:
            await database.close()


@pytest.mark.parametrize(("with_tokens", "left"), [(False, ["test"]), (True, [])])
async def test_a_new_password_says_which_tokens_still_work(session, with_tokens, left):
    from tests.factories.identity import make_token

    admin, user = await make_actor(session, Role.ADMIN), await make_user(session)
    await make_token(session, user)
    told = await service.set_password(
        session, admin, user.id, "a long enough password", with_tokens=with_tokens
    )
    assert told == left
