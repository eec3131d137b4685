"""Roles: what is fixed, and that nobody makes one that may do more than themselves."""

import pytest
from sqlalchemy import text

from fleetkeeper.errors import ConflictError, ForbiddenError, NotFoundError
from fleetkeeper.identity.actor import product_actor
from fleetkeeper.identity.permissions import ROLE_PERMISSIONS, Permission, Role
from fleetkeeper.identity.roles import service
from fleetkeeper.identity.roles.schemas import RoleCreate, RoleUpdate
from fleetkeeper.identity.service import actor_of_user_id
from tests.factories.identity import give, make_actor, make_role, make_tree, make_user

ROOT = product_actor("command", "test")


class TestOwnRoles:
    async def test_made_changed_and_deleted(self, session):
        made = await service.create_role(
            session,
            ROOT,
            RoleCreate(name="auditor", permissions=["audit:read", "devices:read", "audit:read"]),
        )
        assert made.permissions == ["audit:read", "devices:read"]
        changed = await service.update_role(
            session, ROOT, made.id, RoleUpdate(permissions=["audit:read", "audit:export"])
        )
        assert changed.permissions == ["audit:export", "audit:read"]
        assert changed.name == "auditor"
        await service.delete_role(session, ROOT, made.id)
        with pytest.raises(NotFoundError):
            await service.get_role(session, made.id)

    async def test_a_change_counts_at_once(self, session):
        role = await make_role(session, Permission.DEVICES_READ)
        user = await make_user(session)
        await give(session, user, role)
        await service.update_role(session, ROOT, role.id, RoleUpdate(permissions=["audit:read"]))
        assert (await actor_of_user_id(session, user.id)).permissions == {Permission.AUDIT_READ}

    async def test_in_use_it_stays(self, session):
        role = await make_role(session, Permission.DEVICES_READ)
        for _ in range(2):
            await give(session, await make_user(session), role)
        with pytest.raises(ConflictError, match="2 times"):
            await service.delete_role(session, ROOT, role.id)

    async def test_a_name_is_taken_once(self, session):
        with pytest.raises(ConflictError) as refusal:
            await service.create_role(session, ROOT, RoleCreate(name="viewer", permissions=[]))
        assert refusal.value.fields[0].field == "name"


class TestBuiltIn:
    @pytest.fixture
    async def viewer(self, session):
        return await service.find_role(session, "viewer")

    @pytest.mark.parametrize(
        "changes", [{"name": "seer"}, {"description": "x"}, {"permissions": ["devices:read"]}]
    )
    async def test_is_fixed(self, session, viewer, changes):
        with pytest.raises(ConflictError):
            await service.update_role(session, ROOT, viewer.id, RoleUpdate(**changes))

    async def test_may_ask_for_a_second_factor(self, session, viewer):
        changed = await service.update_role(
            session, ROOT, viewer.id, RoleUpdate(requires_second_factor=True, name="viewer")
        )
        assert changed.requires_second_factor
        assert set(changed.permissions) == set(ROLE_PERMISSIONS[Role.VIEWER])

    async def test_cannot_be_deleted(self, session, viewer):
        with pytest.raises(ConflictError):
            await service.delete_role(session, ROOT, viewer.id)


class TestEscalation:
    @pytest.fixture
    async def author(self, session):
        return await make_actor(
            session, await make_role(session, Permission.ROLES_WRITE, Permission.DEVICES_READ)
        )

    async def test_not_made_with_more(self, session, author):
        await service.create_role(session, author, RoleCreate(name="a", permissions=["devices:read"]))
        with pytest.raises(ForbiddenError, match="devices:delete"):
            await service.create_role(session, author, RoleCreate(name="b", permissions=["devices:delete"]))

    async def test_not_raised_nor_weakened(self, session, author):
        mine = await make_role(session, Permission.DEVICES_READ)
        with pytest.raises(ForbiddenError):
            await service.update_role(session, author, mine.id, RoleUpdate(permissions=["users:write"]))
        strong = await make_role(session, Permission.USERS_WRITE)
        for change in ({"permissions": []}, {"requires_second_factor": False}, {"name": "x"}):
            with pytest.raises(ForbiddenError):
                await service.update_role(session, author, strong.id, RoleUpdate(**change))
        with pytest.raises(ForbiddenError):
            await service.delete_role(session, author, strong.id)

    async def test_what_one_has_in_a_department_is_not_had_everywhere(self, session):
        north, _, _ = await make_tree(session)
        user = await make_user(session)
        await give(session, user, await make_role(session, Permission.ROLES_WRITE))
        await give(session, user, Role.MANAGER, north)
        actor = await actor_of_user_id(session, user.id)
        with pytest.raises(ForbiddenError):
            await service.create_role(session, actor, RoleCreate(name="a", permissions=["devices:read"]))

    async def test_a_permission_of_a_newer_version_is_nobody_s_to_give(self, session):
        role = await make_role(session, Permission.DEVICES_READ)
        await session.execute(
            text(
                "INSERT INTO role_permissions (id, role_id, permission) "
                "VALUES (gen_random_uuid(), :role, 'reactor:start')"
            ),
            {"role": role.id},
        )
        with pytest.raises(ForbiddenError, match="reactor:start"):
            await service.update_role(session, ROOT, role.id, RoleUpdate(name="x"))


async def test_matrix_has_all_permissions_and_says_which_hold_in_departments(session):
    matrix = await service.read_matrix(session)
    assert [one.name for one in matrix.permissions] == sorted(Permission)
    by_name = {role.name: set(role.permissions) for role in matrix.roles}
    for role, permissions in ROLE_PERMISSIONS.items():
        assert by_name[role] == permissions
    scoped = {one.name for one in matrix.permissions if one.is_scoped}
    assert Permission.DEVICES_READ in scoped
    assert Permission.USERS_WRITE not in scoped
