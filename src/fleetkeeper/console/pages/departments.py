"""`/departments`: the tree, its managers and its people."""

from collections.abc import Sequence
from functools import partial
from uuid import UUID

from fastapi import APIRouter, Request, Response
from sqlalchemy.ext.asyncio import AsyncSession

from fleetkeeper.console.annotation_tabs import annotating, annotation_tabs
from fleetkeeper.console.audit_entries import history_links
from fleetkeeper.console.contexts.panels import (
    Cell,
    EntryForm,
    Facts,
    Panel,
    Row,
    RowAction,
    Table,
)
from fleetkeeper.console.department_list import HOME, department_list
from fleetkeeper.console.details import Panels, Refusal, Tab, show_detail
from fleetkeeper.console.forms.form import Form, Widget, version_in
from fleetkeeper.console.history import history_tab
from fleetkeeper.console.lists.answering import show_list
from fleetkeeper.console.memberships import MEMBER, member_form
from fleetkeeper.console.navigation import Place, declare
from fleetkeeper.console.panels import (
    Sent,
    act_form,
    attempt,
    department_options,
    done,
    refused,
    submit,
)
from fleetkeeper.console.requests import FormLists
from fleetkeeper.database.request_session import Session
from fleetkeeper.devices.service import count_by_department
from fleetkeeper.errors import FieldError, FleetkeeperError, InvalidInputError
from fleetkeeper.identity.actor import Actor
from fleetkeeper.identity.departments import service
from fleetkeeper.identity.departments.access import DepartmentsRead, DepartmentsWrite
from fleetkeeper.identity.departments.schemas import DepartmentCreate, DepartmentRead, DepartmentUpdate
from fleetkeeper.identity.memberships import service as memberships
from fleetkeeper.identity.permissions import Permission
from fleetkeeper.identity.queries import find_user
from fleetkeeper.identity.texts import FullName
from fleetkeeper.identity.users.access import MembershipsWrite

router = APIRouter()
declare(
    Place(
        "/departments",
        "Departments",
        "hierarchy-2",
        Permission.DEPARTMENTS_READ,
        group="Access",
        order=40,
        key="p",
        words="tenants",
    )
)

SHOWN = (("limit", "100"),)


class DepartmentForm(DepartmentUpdate):
    """What the form says of a department: its manager by name."""

    manager: FullName = ""


NEW = Form(
    DepartmentCreate,
    "new-department",
    "Create department",
    "Create department",
    {"name": "Name", "parent_id": "Parent", "description": "Description"},
)
CHANGE = Form(
    DepartmentForm,
    "change",
    "Edit department",
    "Save changes",
    {
        "name": Widget("Name", is_required=True),
        "parent_id": "Parent",
        "manager": Widget("Manager", hint="Exact username. Gets the role manager here and below"),
        "description": "Description",
    },
)


@router.get("/departments")
async def list_departments(request: Request, actor: DepartmentsRead, session: Session) -> Response:
    """The departments, as a tree where nothing is searched for."""
    return await _list_page(request, session, actor, await _new_form(session, actor))


@router.post("/departments")
async def create_department(
    request: Request, sent: FormLists, actor: DepartmentsWrite, session: Session
) -> Response:
    """Make a department."""

    async def make() -> DepartmentRead:
        return await service.create_department(session, actor, NEW.read(sent))

    async def again(error: FleetkeeperError) -> Response:
        form = await _new_form(session, actor)
        return await _list_page(request, session, actor, form and refused(form, error, sent), error.status)

    return await submit(request, session, make(), lambda _: HOME, again)


@router.get("/departments/{department_id}")
async def show_department(
    request: Request, department_id: UUID, actor: DepartmentsRead, session: Session
) -> Response:
    """One department."""
    return await _department_page(request, session, actor, department_id)


@router.post("/departments/{department_id}")
async def change_department(
    request: Request, department_id: UUID, sent: FormLists, actor: DepartmentsWrite, session: Session
) -> Response:
    """Rename, describe or move it, or name its manager, who is given by the exact user name."""

    async def change() -> DepartmentRead:
        present = await service.get_department(session, actor, department_id)
        entered = CHANGE.read(sent, only=[name for name in CHANGE.widgets if name in sent])
        values = entered.model_dump(exclude_unset=True)
        manager = values.pop("manager", "")
        if manager != (present.manager or ""):
            values["manager_id"] = await _manager_id(session, manager)
        changes = DepartmentUpdate(**values)
        return await service.update_department(session, actor, department_id, changes, version_in(sent))

    outcome = await attempt(session, change())
    return await _outcome(request, session, actor, department_id, "change", outcome, sent)


@router.post("/departments/{department_id}/delete")
async def delete_department(
    request: Request, department_id: UUID, actor: DepartmentsWrite, session: Session
) -> Response:
    """Delete an empty department."""
    outcome = await attempt(session, service.delete_department(session, actor, department_id))
    if outcome is None:
        return done(request, HOME)
    return await _outcome(request, session, actor, department_id, "delete", outcome, {})


@router.post("/departments/{department_id}/members")
async def add_member(
    request: Request, department_id: UUID, sent: FormLists, actor: MembershipsWrite, session: Session
) -> Response:
    """Give somebody a role in it."""

    async def add() -> object:
        wanted = MEMBER.read(sent)
        return await memberships.add_member(session, actor, department_id, wanted.username, wanted.role)

    outcome = await attempt(session, add())
    return await _outcome(request, session, actor, department_id, "add-member", outcome, sent)


@router.post("/departments/{department_id}/members/{membership_id}/remove")
async def remove_member(
    request: Request, department_id: UUID, membership_id: UUID, actor: MembershipsWrite, session: Session
) -> Response:
    """Take a role in it away."""
    await memberships.remove_membership(session, actor, membership_id, department_id=department_id)
    return done(request, f"{HOME}/{department_id}")


async def _manager_id(session: AsyncSession, username: str) -> UUID | None:
    if not username:
        return None
    user = await find_user(session, username)
    if user is None:
        raise InvalidInputError(
            "Correct the marked fields.", fields=[FieldError("manager", "No user has this name")]
        )
    return user.id


async def _list_page(
    request: Request, session: AsyncSession, actor: Actor, form: EntryForm | None, status: int = 200
) -> Response:
    devices = await count_by_department(session, actor) if actor.may(Permission.DEVICES_READ) else None
    page = department_list(request.query_params, devices)
    fetch = partial(service.list_departments, session, actor)
    return await show_list(request, session, actor, page, fetch, before=[form], status=status)


async def _new_form(session: AsyncSession, actor: Actor) -> EntryForm | None:
    if not actor.may(Permission.DEPARTMENTS_WRITE):
        return None
    places = await service.all_departments(session, actor, Permission.DEPARTMENTS_WRITE)
    top = "None (top level)" if actor.may_everywhere(Permission.DEPARTMENTS_WRITE) else None
    return NEW.shown(HOME, options={"parent_id": department_options(places, nothing=top)})


async def _outcome(
    request: Request,
    session: AsyncSession,
    actor: Actor,
    department_id: UUID,
    form_id: str,
    outcome: object,
    values: Sent,
) -> Response:
    if not isinstance(outcome, FleetkeeperError):
        return done(request, f"{HOME}/{department_id}")
    tab = "" if form_id == "add-member" else "settings"
    return await _department_page(
        request, session, actor, department_id, Refusal(form_id, outcome, values, tab)
    )


async def _department_page(
    request: Request,
    session: AsyncSession,
    actor: Actor,
    department_id: UUID,
    refusal: Refusal | None = None,
) -> Response:
    department = await service.get_department(session, actor, department_id)
    base = f"{HOME}/{department_id}"

    async def overview() -> Panels:
        panels: list[Panel | None] = [await _facts(session, actor, department)]
        if actor.may_in(Permission.USERS_READ, department_id):
            panels.append(await _members(session, actor, department_id, base))
        if actor.may_in(Permission.MEMBERSHIPS_WRITE, department_id):
            panels.append(await member_form(session, actor, f"{base}/members"))
        return panels

    about = await annotating(request, session, actor, "departments", department_id)

    async def settings() -> Panels:
        places = await service.all_departments(session, actor, Permission.DEPARTMENTS_WRITE)
        change, delete = _forms(actor, department, places, base)
        return [change, about.tags_form, delete]

    may_write = actor.may_in(Permission.DEPARTMENTS_WRITE, department_id)
    return await show_detail(
        request,
        actor,
        HOME,
        department.name,
        [
            Tab("overview", "Overview", overview),
            *annotation_tabs(about),
            history_tab(session, actor, "departments", department.id),
            Tab("settings", "Settings", settings) if may_write else None,
        ],
        crumbs=((HOME, "Departments"),),
        tags=about.shown_tags,
        links=history_links(actor, "departments", department.id),
        refusal=refusal,
    )


async def _facts(session: AsyncSession, actor: Actor, department: DepartmentRead) -> Facts:
    facts = [
        ("Path", Cell(department.path)),
        ("Description", Cell(department.description)),
        ("Manager", Cell(department.manager or "")),
    ]
    if actor.may_in(Permission.DEVICES_READ, department.id):
        number = (await count_by_department(session, actor)).get(department.id, 0)
        facts.append(("Devices", Cell(str(number), f"/devices?department={department.id}")))
    return Facts("department", "Department", tuple(facts))


async def _members(session: AsyncSession, actor: Actor, department_id: UUID, base: str) -> Table:
    page = await memberships.list_members(session, actor, department_id, SHOWN)
    may_remove = actor.may_in(Permission.MEMBERSHIPS_WRITE, department_id)
    rows = tuple(
        Row(
            (
                Cell(
                    one.holder,
                    f"/users/{one.user_id}" if one.user_id else f"/groups/{one.group_id}",
                    detail="" if one.user_id else "Group",
                ),
                Cell(one.role),
                Cell(at=one.assigned_at, kind="time", is_soft=True),
            ),
            (
                RowAction(
                    "Remove",
                    f"{base}/members/{one.id}/remove",
                    f"Remove the role “{one.role}” in this department from {one.holder}?",
                ),
            )
            if may_remove
            else (),
        )
        for one in page.results
    )
    text = "People with a role in a department above or everywhere are not listed, but have it here too."
    columns = ("User or group", "Role", "Since")
    return Table("members", "Members", columns, rows, text=text, count=page.count, empty="No members yet.")


def _forms(
    actor: Actor, department: DepartmentRead, places: Sequence[DepartmentRead], base: str
) -> list[Panel | None]:
    outside = [
        one
        for one in places
        if one.id != department.id and not f"{one.path}/".startswith(f"{department.path}/")
    ]
    parents = department_options(outside, department.parent_id, "None (top level)")
    if not any(option.is_chosen for option in parents):
        # Its place cannot be chosen by the actor, so it is not offered to be changed.
        parents = ()
    may_move = bool(parents) and (
        department.parent_id is not None or actor.may_everywhere(Permission.DEPARTMENTS_WRITE)
    )
    change = CHANGE.shown(
        base,
        department,
        options={"parent_id": parents},
        only=[name for name in CHANGE.widgets if may_move or name != "parent_id"],
        version=department.version,
        is_open=True,
    )
    text = "A department can be deleted once it has no devices, members or departments."
    return [change, act_form("delete", "Delete department", f"{base}/delete", text, asks_why=False)]
