"""Groups: who may say who is in them, as that gives what the group has."""

from uuid import uuid4

import pytest

from fleetkeeper.errors import ConflictError, ForbiddenError, InvalidInputError, NotFoundError
from fleetkeeper.identity.actor import product_actor
from fleetkeeper.identity.groups import service
from fleetkeeper.identity.groups.schemas import GroupCreate, GroupUpdate
from fleetkeeper.identity.memberships import service as memberships
from fleetkeeper.identity.oidc.models import IdentityProvider
from fleetkeeper.identity.permissions import Permission, Role
from fleetkeeper.identity.service import actor_of_user_id
from tests.factories.identity import give, make_actor, make_group, make_role, make_user

ROOT = product_actor("command", "test")


@pytest.fixture
async def clerk(session):
    """Keeps groups, sees everybody, and may do nothing else."""
    permissions = (Permission.GROUPS_READ, Permission.GROUPS_WRITE, Permission.USERS_READ)
    return await make_actor(session, await make_role(session, *permissions))


class TestMembers:
    async def test_get_the_group_s_roles_and_lose_them(self, session):
        group = await service.create_group(session, GroupCreate(name="Night shift"))
        otto = await make_user(session)
        await memberships.add_membership(session, ROOT, Role.VIEWER, None, group_id=group.id)
        await service.add_member(session, ROOT, group.id, otto.id)
        await service.add_member(session, ROOT, group.id, otto.id)
        assert (await actor_of_user_id(session, otto.id)).roles == ("viewer",)
        assert (await service.get_group(session, group.id)).members == 1
        await service.remove_member(session, ROOT, group.id, otto.id)
        assert (await actor_of_user_id(session, otto.id)).roles == ()
        with pytest.raises(NotFoundError):
            await service.remove_member(session, ROOT, group.id, otto.id)

    async def test_nobody_joins_a_group_that_may_do_more_than_them(self, session, clerk):
        group = await make_group(session)
        await give(session, group, Role.VIEWER)
        for act in (service.add_member, service.remove_member):
            with pytest.raises(ForbiddenError):
                await act(session, clerk, group.id, clerk.user_id)
        with pytest.raises(ForbiddenError):
            await service.delete_group(session, clerk, group.id)

    async def test_a_group_without_roles_is_open_to_its_keeper(self, session, clerk):
        group = await make_group(session)
        await service.add_member(session, clerk, group.id, clerk.user_id)
        await service.delete_group(session, clerk, group.id)

    @pytest.mark.parametrize("source", ["oidc", "scim"])
    async def test_of_a_provider_come_from_there(self, session, source):
        otto = await make_user(session)
        group = await make_group(session, source=source)
        with pytest.raises(ConflictError, match="identity provider"):
            await service.add_member(session, ROOT, group.id, otto.id)

    async def test_the_last_administrator_stays_in(self, session):
        otto = await make_user(session)
        group = await make_group(session, otto)
        await give(session, group, Role.ADMIN)
        with pytest.raises(ConflictError, match="somebody else"):
            async with session.begin_nested():
                await service.remove_member(session, ROOT, group.id, otto.id)
        with pytest.raises(ConflictError, match="somebody else"):
            await service.delete_group(session, ROOT, group.id)

    async def test_only_those_one_may_see_are_listed(self, session):
        actor = await make_actor(session, await make_role(session, Permission.GROUPS_READ))
        otto = await make_user(session)
        group = await make_group(session, otto)
        assert (await service.list_members(session, actor, group.id, [])).count == 0
        assert (await service.list_members(session, ROOT, group.id, [])).count == 1


class TestNames:
    async def test_taken_once(self, session):
        await service.create_group(session, GroupCreate(name="Night shift"))
        with pytest.raises(ConflictError) as refusal:
            await service.create_group(session, GroupCreate(name="Night shift"))
        assert refusal.value.fields[0].field == "name"

    async def test_of_a_provider_s_group(self, session):
        provider = IdentityProvider(slug="corp", name="Corp", issuer="https://corp.example", client_id="x")
        session.add(provider)
        await session.flush()
        made = await service.create_group(session, GroupCreate(name="ops", provider_id=provider.id))
        assert made.source == "oidc"
        with pytest.raises(InvalidInputError) as refusal:
            await service.create_group(session, GroupCreate(name="ops", provider_id=uuid4()))
        assert refusal.value.fields[0].field == "provider_id"

    async def test_another_name_for_a_provider_s_group_is_as_much_as_its_roles(self, session, clerk):
        """A group of the provider that the clerk is in, renamed to, would hand them its roles."""
        group = await make_group(session, source="oidc")
        await give(session, group, Role.ADMIN)
        with pytest.raises(ForbiddenError):
            await service.update_group(session, clerk, group.id, GroupUpdate(name="everybody"))

    async def test_of_a_scim_group_come_by_scim(self, session):
        group = await make_group(session, source="scim")
        with pytest.raises(ConflictError):
            await service.update_group(session, ROOT, group.id, GroupUpdate(name="x"))
        changed = await service.update_group(session, ROOT, group.id, GroupUpdate(description="x"))
        assert changed.description == "x"
