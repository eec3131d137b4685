"""The tree of departments: who sees which, who may move what, and what cannot be."""

import pytest
from sqlalchemy import text

from fleetkeeper.errors import ConflictError, ForbiddenError, InvalidInputError, NotFoundError
from fleetkeeper.identity.actor import product_actor
from fleetkeeper.identity.departments import service
from fleetkeeper.identity.departments.schemas import DepartmentCreate, DepartmentUpdate
from fleetkeeper.identity.permissions import Permission, Role
from fleetkeeper.identity.service import actor_of_user_id
from tests.factories.identity import give, make_actor, make_department, make_role, make_tree, make_user

ROOT = product_actor("command", "test")


class TestScope:
    async def test_a_manager_sees_their_part_of_the_tree(self, session):
        north, harbour, south = await make_tree(session)
        actor = await make_actor(session, Role.MANAGER, north)
        page = await service.list_departments(session, actor, [])
        assert [one.id for one in page.results] == [north.id, harbour.id]
        assert page.results[1].path == f"{north.name}/Harbour"
        assert (await service.get_department(session, actor, harbour.id)).name == "Harbour"
        with pytest.raises(NotFoundError):
            await service.get_department(session, actor, south.id)

    async def test_a_path_begins_where_one_may_see(self, session):
        north, harbour, _ = await make_tree(session)
        actor = await make_actor(session, Role.VIEWER, harbour)
        (only,) = (await service.list_departments(session, actor, [])).results
        assert (only.path, only.parent_id) == ("Harbour", north.id)

    async def test_search_and_count_are_scoped_too(self, session):
        _, harbour, _ = await make_tree(session)
        other = await make_tree(session)
        actor = await make_actor(session, Role.MANAGER, harbour)
        page = await service.list_departments(session, actor, [("q", "Harbour"), ("id", str(other[1].id))])
        assert (page.count, page.results) == (0, [])

    @pytest.mark.parametrize("action", ["update", "delete"])
    async def test_elsewhere_is_not_there(self, session, action):
        _, harbour, south = await make_tree(session)
        actor = await make_actor(session, Role.MANAGER, harbour)
        with pytest.raises(NotFoundError):
            if action == "update":
                await service.update_department(session, actor, south.id, DepartmentUpdate(name="x"))
            else:
                await service.delete_department(session, actor, south.id)

    async def test_a_viewer_changes_nothing(self, session):
        north, _, _ = await make_tree(session)
        actor = await make_actor(session, Role.VIEWER, north)
        with pytest.raises(ForbiddenError):
            await service.update_department(session, actor, north.id, DepartmentUpdate(name="x"))

    async def test_found_by_path_or_id(self, session):
        north, harbour, _ = await make_tree(session)
        assert await service.find_department(session, ROOT, f"{north.name}/Harbour") == harbour.id
        assert await service.find_department(session, ROOT, str(harbour.id)) == harbour.id
        with pytest.raises(InvalidInputError) as refusal:
            await service.find_department(session, ROOT, "Nowhere")
        assert refusal.value.fields[0].field == "department"


class TestMaking:
    async def test_below_one_s_own_and_nowhere_else(self, session):
        north, _, south = await make_tree(session)
        actor = await make_actor(session, Role.MANAGER, north)
        made = await service.create_department(
            session, actor, DepartmentCreate(name="Depot", parent_id=north.id)
        )
        assert made.path == f"{north.name}/Depot"
        for parent in (south.id, None):
            with pytest.raises(ForbiddenError):
                await service.create_department(
                    session, actor, DepartmentCreate(name="Depot", parent_id=parent)
                )

    async def test_a_name_is_there_once_in_a_place(self, session):
        north, _, _ = await make_tree(session)
        with pytest.raises(ConflictError) as refusal:
            await service.create_department(
                session, ROOT, DepartmentCreate(name="Harbour", parent_id=north.id)
            )
        assert refusal.value.fields[0].field == "name"

    async def test_parent_that_is_not_there(self, session):
        wanted = DepartmentCreate(name="x", parent_id="0198f6a0-0000-7000-8000-000000000001")
        with pytest.raises(InvalidInputError) as refusal:
            await service.create_department(session, ROOT, wanted)
        assert refusal.value.fields[0].field == "parent_id"


class TestMoving:
    @pytest.mark.parametrize("where", ["itself", "below"])
    async def test_not_below_itself(self, session, where):
        north, harbour, _ = await make_tree(session)
        parent = north.id if where == "itself" else harbour.id
        with pytest.raises(InvalidInputError) as refusal:
            await service.update_department(session, ROOT, north.id, DepartmentUpdate(parent_id=parent))
        assert refusal.value.fields[0].field == "parent_id"

    async def test_needs_the_permission_in_both_places(self, session):
        north, harbour, south = await make_tree(session)
        actor = await make_actor(session, Role.MANAGER, north)
        for parent in (south.id, None):
            with pytest.raises(ForbiddenError):
                await service.update_department(
                    session, actor, harbour.id, DepartmentUpdate(parent_id=parent)
                )
        moved = await service.update_department(
            session, ROOT, harbour.id, DepartmentUpdate(parent_id=south.id)
        )
        assert moved.path == f"{south.name}/Harbour"

    async def test_nobody_gets_rights_by_moving_under_their_own(self, session):
        """Who may only arrange departments in one part and delete devices in another must not join the two."""
        north, harbour, south = await make_tree(session)
        arranger = await make_role(session, Permission.DEPARTMENTS_READ, Permission.DEPARTMENTS_WRITE)
        user = await make_user(session)
        await give(session, user, Role.MANAGER, south)
        await give(session, user, arranger, north)
        actor = await actor_of_user_id(session, user.id)
        with pytest.raises(ForbiddenError, match="devices:delete"):
            await service.update_department(session, actor, harbour.id, DepartmentUpdate(parent_id=south.id))


class TestManager:
    async def test_named_by_who_could_give_the_role(self, session):
        north, harbour, _ = await make_tree(session)
        otto = await make_user(session)
        actor = await make_actor(session, Role.MANAGER, north)
        changes = DepartmentUpdate(manager_id=otto.id)
        named = await service.update_department(session, actor, harbour.id, changes)
        assert named.manager == otto.username
        assert (await actor_of_user_id(session, otto.id)).may_in(Permission.DEVICES_DELETE, harbour.id)

    async def test_not_by_who_only_arranges_departments(self, session):
        north, _, _ = await make_tree(session)
        arranger = await make_role(session, Permission.DEPARTMENTS_READ, Permission.DEPARTMENTS_WRITE)
        user = await make_user(session)
        await give(session, user, arranger, north)
        actor = await actor_of_user_id(session, user.id)
        with pytest.raises(ForbiddenError):
            await service.update_department(session, actor, north.id, DepartmentUpdate(manager_id=user.id))

    async def test_is_an_enabled_user(self, session):
        north, _, _ = await make_tree(session)
        gone = await make_user(session, enabled=False)
        with pytest.raises(InvalidInputError) as refusal:
            await service.update_department(session, ROOT, north.id, DepartmentUpdate(manager_id=gone.id))
        assert refusal.value.fields[0].field == "manager_id"


class TestDeleting:
    async def test_an_empty_one(self, session):
        _, harbour, _ = await make_tree(session)
        await service.delete_department(session, ROOT, harbour.id)
        with pytest.raises(NotFoundError):
            await service.get_department(session, ROOT, harbour.id)

    async def test_says_how_much_belongs_to_it(self, session):
        north, _, south = await make_tree(session)
        await make_department(session, "Depot", north)
        await give(session, await make_user(session), Role.VIEWER, north)
        with pytest.raises(ConflictError, match="2 departments and 1 membership"):
            await service.delete_department(session, ROOT, north.id)
        for name in ("a", "b"):
            await session.execute(
                text(
                    "INSERT INTO devices (id, name, hostname, department_id) "
                    "VALUES (gen_random_uuid(), :name, :name, :department)"
                ),
                {"name": name, "department": south.id},
            )
        with pytest.raises(ConflictError, match="2 devices"):
            await service.delete_department(session, ROOT, south.id)
        assert await service.get_department(session, ROOT, south.id)
