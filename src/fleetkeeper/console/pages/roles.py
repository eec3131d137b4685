"""`/roles`: which role allows what."""

from collections.abc import Sequence
from functools import partial
from uuid import UUID

from fastapi import APIRouter, Request, Response
from sqlalchemy.ext.asyncio import AsyncSession

from fleetkeeper.console.annotation_tabs import annotating, annotation_tabs
from fleetkeeper.console.audit_entries import history_links
from fleetkeeper.console.contexts.lists import Empty
from fleetkeeper.console.contexts.panels import Cell, EntryForm, Facts, Matrix, Option, RowAction, Tag
from fleetkeeper.console.details import Panels, Refusal, Tab, show_detail
from fleetkeeper.console.forms.form import Form, Widget, version_in
from fleetkeeper.console.history import history_tab
from fleetkeeper.console.lists.answering import show_list
from fleetkeeper.console.lists.declaring import Choice, Column, ListPage, QuickFilter
from fleetkeeper.console.navigation import Place, declare
from fleetkeeper.console.panels import attempt, done, refused, show_page
from fleetkeeper.console.requests import FormLists
from fleetkeeper.database.request_session import Session
from fleetkeeper.errors import FleetkeeperError
from fleetkeeper.identity.actor import Actor
from fleetkeeper.identity.permissions import PERMISSION_DESCRIPTIONS, SCOPED, Permission
from fleetkeeper.identity.roles import service
from fleetkeeper.identity.roles.access import RolesRead, RolesWrite
from fleetkeeper.identity.roles.queries import LISTING
from fleetkeeper.identity.roles.schemas import RoleCreate, RoleMatrix, RoleRead, RoleUpdate

router = APIRouter()
declare(
    Place(
        "/roles",
        "Roles",
        "shield-lock",
        Permission.ROLES_READ,
        group="Access",
        order=30,
        key="r",
        words="permissions",
    )
)
declare(
    Place(
        "/roles/matrix",
        "Permissions by role",
        "shield-lock",
        Permission.ROLES_READ,
        group="Access",
        order=31,
        parent="/roles",
        words="matrix",
    )
)

HOME = "/roles"
MATRIX = f"{HOME}/matrix"
BUILTIN = QuickFilter(
    "is_builtin", "Origin", (Choice("true", "Built in"), Choice("false", "Custom")), is_chips=True
)
_WIDGETS: dict[str, Widget | str] = {
    "name": Widget("Name", is_required=True),
    "description": "Description",
    "requires_second_factor": Widget(
        "Require a second factor",
        hint="People with this role can use nothing else until they have set one up",
    ),
    "permissions": "Permissions",
}
NEW = Form(RoleCreate, "new-role", "Create role", "Create role", _WIDGETS)
CHANGE = Form(RoleUpdate, "change", "Edit role", "Save changes", _WIDGETS)


@router.get("/roles")
async def list_roles(request: Request, actor: RolesRead, session: Session) -> Response:
    """All roles."""
    return await _list_page(request, session, actor)


@router.get(MATRIX)
async def show_matrix(actor: RolesRead, session: Session) -> Response:
    """Which role allows what."""
    matrix = await service.read_matrix(session)
    return show_page(actor, MATRIX, "Permissions by role", [_matrix(matrix)], crumbs=((HOME, "Roles"),))


@router.post("/roles")
async def create_role(request: Request, sent: FormLists, actor: RolesWrite, session: Session) -> Response:
    """Make a role."""

    async def make() -> RoleRead:
        return await service.create_role(session, actor, NEW.read(sent))

    outcome = await attempt(session, make())
    if not isinstance(outcome, FleetkeeperError):
        return done(request, f"{HOME}/{outcome.id}")
    form = refused(NEW.shown(HOME, options=_options(actor)), outcome, sent)
    return await _list_page(request, session, actor, form, outcome.status)


@router.get("/roles/{role_id}")
async def show_role(request: Request, role_id: UUID, actor: RolesRead, session: Session) -> Response:
    """One role."""
    return await _role_page(request, session, actor, role_id)


@router.post("/roles/{role_id}")
async def change_role(
    request: Request,
    role_id: UUID,
    sent: FormLists,
    actor: RolesWrite,
    session: Session,
) -> Response:
    """Change a role: a built-in one sends only whether it asks for a second factor."""

    async def change() -> RoleRead:
        role = await service.get_role(session, role_id)
        wanted = CHANGE.read(sent, only=_fields_of(role))
        return await service.update_role(session, actor, role_id, wanted, version_in(sent))

    outcome = await attempt(session, change())
    if not isinstance(outcome, FleetkeeperError):
        return done(request, f"{HOME}/{role_id}")
    return await _role_page(request, session, actor, role_id, Refusal("change", outcome, sent, "settings"))


@router.post("/roles/{role_id}/delete")
async def delete_role(request: Request, role_id: UUID, actor: RolesWrite, session: Session) -> Response:
    """Delete a role."""
    await service.delete_role(session, actor, role_id)
    return done(request, HOME)


async def _list_page(
    request: Request,
    session: AsyncSession,
    actor: Actor,
    new_role: EntryForm | None = None,
    status: int = 200,
) -> Response:
    may_write = actor.may(Permission.ROLES_WRITE)
    form = (new_role or NEW.shown(HOME, options=_options(actor))) if may_write else None
    return await show_list(
        request,
        session,
        actor,
        _role_list(may_write=may_write),
        partial(service.list_roles, session),
        before=[form],
        links=((MATRIX, "Permissions by role"),),
        status=status,
    )


def _role_list(*, may_write: bool) -> ListPage[RoleRead]:
    def actions(role: RoleRead) -> tuple[RowAction, ...]:
        if not may_write or role.is_builtin or role.memberships:
            return ()
        return (RowAction("Delete", f"{HOME}/{role.id}/delete", f"Delete the role “{role.name}”?"),)

    return ListPage(
        path=HOME,
        title="Roles",
        noun=("role", "roles"),
        listing=LISTING,
        search="Name or description",
        quick=(BUILTIN,),
        columns=(
            Column("name", "Role", lambda one: Cell(one.name, f"{HOME}/{one.id}", tags=_tags(one)), "name"),
            Column("description", "Description", lambda one: Cell(one.description, is_soft=True)),
            Column("permissions", "Permissions", lambda one: Cell(str(len(one.permissions)))),
            Column("memberships", "Assignments", lambda one: Cell(str(one.memberships))),
            Column(
                "created_at",
                "Created",
                lambda one: Cell(at=one.created_at, kind="time", is_soft=True),
                "created_at",
                falls_first=True,
                is_extra=True,
            ),
        ),
        actions=actions,
        titles={"id": "ID", "is_builtin": "Built in", "requires_second_factor": "Second factor required"},
        empty=Empty("No roles yet", "A role says what its holders may see and do."),
        export="/api/v1/roles/export",
    )


def _tags(role: RoleRead) -> tuple[Tag, ...]:
    builtin = (Tag("Built in"),) if role.is_builtin else ()
    return (*builtin, *((Tag("Second factor", "good"),) if role.requires_second_factor else ()))


def _matrix(matrix: RoleMatrix) -> Matrix:
    return Matrix(
        "matrix",
        tuple(Cell(role.name) for role in matrix.roles),
        tuple(
            (one.name, one.is_scoped, tuple(one.name in role.permissions for role in matrix.roles))
            for one in matrix.permissions
        ),
    )


def _fields_of(role: RoleRead) -> tuple[str, ...]:
    """What may be changed of it."""
    return ("requires_second_factor",) if role.is_builtin else tuple(CHANGE.widgets)


def _options(actor: Actor, present: Sequence[str] = ()) -> dict[str, Sequence[Option]]:
    """One may tick what one has everywhere oneself; what a role has besides stays shown."""
    ticks = [
        Option(
            str(one),
            PERMISSION_DESCRIPTIONS[one],
            hint=f"{one}, in departments" if one in SCOPED else str(one),
        )
        for one in Permission
        if actor.may_everywhere(one) or str(one) in present
    ]
    return {"permissions": ticks}


async def _role_page(
    request: Request, session: AsyncSession, actor: Actor, role_id: UUID, refusal: Refusal | None = None
) -> Response:
    role = await service.get_role(session, role_id)

    async def overview() -> Panels:
        facts = (
            ("Description", Cell(role.description)),
            ("Assignments", Cell(str(role.memberships))),
            ("Permissions", Cell(tags=tuple(Tag(name) for name in role.permissions))),
        )
        return [Facts("role", "Role", facts)]

    about = await annotating(request, session, actor, "roles", role_id)

    async def settings() -> Panels:
        options, fields = _options(actor, role.permissions), _fields_of(role)
        change = CHANGE.shown(
            f"{HOME}/{role_id}", role, options=options, only=fields, version=role.version, is_open=True
        )
        return [change, about.tags_form]

    return await show_detail(
        request,
        actor,
        HOME,
        role.name,
        [
            Tab("overview", "Overview", overview),
            *annotation_tabs(about),
            history_tab(session, actor, "roles", role.id),
            Tab("settings", "Settings", settings) if actor.may(Permission.ROLES_WRITE) else None,
        ],
        crumbs=((HOME, "Roles"),),
        tags=(*_tags(role), *about.shown_tags),
        links=history_links(actor, "roles", role.id),
        refusal=refusal,
    )
