"""`/roles`: which role allows what."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from fastapi import APIRouter, Request, Response
from sqlalchemy.ext.asyncio import AsyncSession

from fleetkeeper.console.audit_entries import history_links
from fleetkeeper.console.contexts.panels import (
    Cell,
    Entry,
    EntryForm,
    Facts,
    Matrix,
    Option,
    Panel,
    Row,
    RowAction,
    Table,
    Tag,
)
from fleetkeeper.console.panels import attempt, done, model_of, refused, show_page
from fleetkeeper.console.requests import FormLists, FormValues
from fleetkeeper.database.request_session import Session
from fleetkeeper.errors import FleetkeeperError
from fleetkeeper.identity.actor import Actor
from fleetkeeper.identity.permissions import SCOPED, Permission
from fleetkeeper.identity.roles import service
from fleetkeeper.identity.roles.access import RolesRead, RolesWrite
from fleetkeeper.identity.roles.schemas import RoleCreate, RoleMatrix, RoleRead, RoleUpdate

router = APIRouter()

HOME = "/roles"


@router.get("/roles")
async def list_roles(actor: RolesRead, session: Session) -> Response:
    """All roles and the matrix."""
    return await _list_page(session, actor)


@router.post("/roles")
async def create_role(
    request: Request, form: FormValues, lists: FormLists, actor: RolesWrite, session: Session
) -> Response:
    """Make a role."""

    async def make() -> RoleRead:
        return await service.create_role(session, actor, model_of(RoleCreate, _values(form, lists)))

    outcome = await attempt(session, make())
    if not isinstance(outcome, FleetkeeperError):
        return done(request, f"{HOME}/{outcome.id}")
    chosen = lists.get("permissions", [])
    return await _list_page(session, actor, refused(_form(actor, HOME, None, chosen), outcome, form), outcome)


@router.get("/roles/{role_id}")
async def show_role(role_id: UUID, actor: RolesRead, session: Session) -> Response:
    """One role."""
    return await _role_page(session, actor, role_id)


@router.post("/roles/{role_id}")
async def change_role(
    request: Request,
    role_id: UUID,
    form: FormValues,
    lists: FormLists,
    actor: RolesWrite,
    session: Session,
) -> Response:
    """Change a role: a built-in one sends only whether it asks for a second factor."""

    async def change() -> RoleRead:
        role = await service.get_role(session, role_id)
        values = _values(form, lists)
        if role.is_builtin:
            values = {"requires_second_factor": values["requires_second_factor"]}
        return await service.update_role(session, actor, role_id, model_of(RoleUpdate, values))

    outcome = await attempt(session, change())
    if not isinstance(outcome, FleetkeeperError):
        return done(request, f"{HOME}/{role_id}")
    return await _role_page(session, actor, role_id, outcome, form, lists.get("permissions", []))


@router.post("/roles/{role_id}/delete")
async def delete_role(request: Request, role_id: UUID, actor: RolesWrite, session: Session) -> Response:
    """Delete a role."""
    await service.delete_role(session, actor, role_id)
    return done(request, HOME)


def _values(form: Mapping[str, str], lists: Mapping[str, list[str]]) -> dict[str, Any]:
    return {
        "name": form.get("name", "").strip(),
        "description": form.get("description", "").strip(),
        "requires_second_factor": form.get("requires_second_factor") == "true",
        "permissions": lists.get("permissions", []),
    }


async def _list_page(
    session: AsyncSession,
    actor: Actor,
    new_role: EntryForm | None = None,
    error: FleetkeeperError | None = None,
) -> Response:
    matrix = await service.read_matrix(session)
    may_write = actor.may(Permission.ROLES_WRITE)
    form = (new_role or _form(actor, HOME, None, ())) if may_write else None
    panels: list[Panel | None] = [form, _table(matrix, may_write=may_write), _matrix(matrix)]
    return show_page(actor, HOME, "Roles", panels, status=200 if error is None else error.status)


def _tags(role: RoleRead) -> tuple[Tag, ...]:
    builtin = (Tag("Built in"),) if role.is_builtin else ()
    return (*builtin, *((Tag("Second factor", "good"),) if role.requires_second_factor else ()))


def _table(matrix: RoleMatrix, *, may_write: bool) -> Table:
    rows = tuple(
        Row(
            (
                Cell(role.name, f"{HOME}/{role.id}", tags=_tags(role)),
                Cell(role.description, is_soft=True),
                Cell(str(len(role.permissions))),
                Cell(str(role.memberships)),
            ),
            (RowAction("Delete", f"{HOME}/{role.id}/delete", f"Delete the role “{role.name}”?"),)
            if may_write and not role.is_builtin and not role.memberships
            else (),
        )
        for role in matrix.roles
    )
    return Table("roles", "Roles", ("Role", "What it is for", "Permissions", "Given"), rows)


def _matrix(matrix: RoleMatrix) -> Matrix:
    return Matrix(
        "matrix",
        tuple(Cell(role.name) for role in matrix.roles),
        tuple(
            (one.name, one.is_scoped, tuple(one.name in role.permissions for role in matrix.roles))
            for one in matrix.permissions
        ),
    )


def _form(actor: Actor, action: str, role: RoleRead | None, chosen: Any) -> EntryForm:
    """The form of a role. One may tick what one has everywhere oneself; what a role has besides stays shown."""
    factor = Entry(
        "requires_second_factor",
        "Ask for a second factor",
        "true" if role is not None and role.requires_second_factor else "",
        kind="toggle",
        hint="Whoever has the role can do nothing before they have set one up",
    )
    if role is not None and role.is_builtin:
        return EntryForm("change", "Change this role", action, "Save", (factor,), is_open=True)
    ticks = tuple(
        Option(str(one), str(one), str(one) in chosen, "in departments" if one in SCOPED else "")
        for one in Permission
        if actor.may_everywhere(one) or str(one) in chosen
    )
    return EntryForm(
        "new-role" if role is None else "change",
        "Make a role" if role is None else "Change this role",
        action,
        "Make the role" if role is None else "Save",
        (
            Entry("name", "Name", role.name if role else ""),
            Entry("description", "What it is for", role.description if role else "", is_required=False),
            factor,
            Entry("permissions", "Permissions", kind="ticks", options=ticks),
        ),
        is_open=role is not None,
    )


async def _role_page(
    session: AsyncSession,
    actor: Actor,
    role_id: UUID,
    error: FleetkeeperError | None = None,
    values: Mapping[str, str] | None = None,
    chosen: list[str] | None = None,
) -> Response:
    role = await service.get_role(session, role_id)
    form = None
    if actor.may(Permission.ROLES_WRITE):
        form = _form(actor, f"{HOME}/{role_id}", role, role.permissions if chosen is None else chosen)
        if error is not None:
            form = refused(form, error, values or {})
    facts = Facts(
        "role",
        "Role",
        (
            ("What it is for", Cell(role.description)),
            ("Given", Cell(f"{role.memberships} times")),
            ("Permissions", Cell(tags=tuple(Tag(name) for name in role.permissions))),
        ),
    )
    return show_page(
        actor,
        HOME,
        role.name,
        [facts, form],
        crumbs=((HOME, "Roles"),),
        links=history_links(actor, "roles", role.id),
        tags=_tags(role),
        status=200 if error is None else error.status,
    )
