"""Roles that people have, and why they may do what they may, as the console shows them."""

from collections.abc import Mapping, Sequence

from sqlalchemy.ext.asyncio import AsyncSession

from fleetkeeper.console.contexts.panels import (
    Cell,
    EntryForm,
    Option,
    Row,
    RowAction,
    Table,
    Tag,
)
from fleetkeeper.console.forms.form import Form, Widget
from fleetkeeper.console.panels import department_options
from fleetkeeper.identity.actor import Actor
from fleetkeeper.identity.authority import lacking
from fleetkeeper.identity.departments import service as departments
from fleetkeeper.identity.memberships.schemas import (
    AccessSource,
    MemberCreate,
    MembershipCreate,
    MembershipPage,
    UserAccess,
)
from fleetkeeper.identity.permissions import Permission, Role
from fleetkeeper.identity.roles import service as roles

EVERYWHERE = "Everywhere"
Options = Mapping[str, Sequence[Option]]


ROLE = Form(
    MembershipCreate,
    "give-role",
    "Assign role",
    "Assign role",
    {"role": "Role", "department_id": Widget("Department", hint="Includes all departments below it")},
)
MEMBER = Form(
    MemberCreate,
    "add-member",
    "Add member",
    "Add member",
    {"username": Widget("Username", hint="The exact name"), "role": "Role"},
)


async def role_options(session: AsyncSession, actor: Actor, nothing: str | None = None) -> Options:
    """Which role to give, and where: those that the actor may give in one of the places that they may give them in."""
    places = await departments.all_departments(session, actor, Permission.MEMBERSHIPS_WRITE)
    everywhere = actor.may_everywhere(Permission.MEMBERSHIPS_WRITE)
    scopes = [*([None] if everywhere else []), *(place.id for place in places)]
    matrix = await roles.read_matrix(session)
    first = () if nothing is None else (Option("", nothing),)
    options = tuple(
        Option(role.name, role.name)
        for role in matrix.roles
        if any(not lacking(actor, role.permissions, scope) for scope in scopes)
    )
    return {
        "role": (*first, *options),
        "department_id": department_options(places, nothing=EVERYWHERE if everywhere else None),
    }


async def role_form(session: AsyncSession, actor: Actor, action: str) -> EntryForm:
    """The form that gives a role somewhere; the least that there is comes first."""
    present = MembershipCreate(role=Role.VIEWER)
    return ROLE.shown(action, present, options=await role_options(session, actor))


async def member_form(session: AsyncSession, actor: Actor, action: str) -> EntryForm:
    """The form that gives somebody a role in one department."""
    present = MemberCreate.model_construct(username="", role=Role.VIEWER)
    return MEMBER.shown(action, present, options=await role_options(session, actor))


def membership_table(page: MembershipPage, base: str, *, may_remove: bool) -> Table:
    """The roles of a user or a group; `base` is where a removal is sent to."""
    rows = tuple(
        Row(
            (
                Cell(one.role),
                _place(one.department_id is None, one.department),
                Cell(at=one.assigned_at, kind="time", is_soft=True),
            ),
            (
                RowAction(
                    "Remove",
                    f"{base}/{one.id}/remove",
                    f"Remove the role “{one.role}” from {one.holder}? This takes effect immediately.",
                ),
            )
            if may_remove
            else (),
        )
        for one in page.results
    )
    return Table(
        "roles",
        "Roles",
        ("Role", "Department", "Since"),
        rows,
        empty="No roles yet. A user without a role cannot open any page.",
    )


def access_table(access: UserAccess) -> Table:
    """What somebody can see and do, and why."""
    rows = tuple(
        Row(
            (
                Cell(one.permission),
                Cell(EVERYWHERE)
                if one.everywhere
                else Cell(tags=tuple(Tag(place.path) for place in one.departments)),
                Cell("; ".join(_why(source) for source in one.because), is_soft=True),
            )
        )
        for one in access.permissions
    )
    if access.enabled:
        text = "Permissions of this user, and where each comes from."
    else:
        text = "Permissions this user would have if the account were enabled."
    if access.needs_second_factor:
        text += " One of their roles requires a second factor."
    return Table(
        "access", "Access", ("Permission", "Department", "Source"), rows, text=text, empty="No permissions."
    )


def _place(everywhere: bool, path: str | None) -> Cell:
    return Cell(EVERYWHERE) if everywhere else Cell(path or "a department that you cannot see")


def _why(source: AccessSource) -> str:
    place = "everywhere" if source.department_id is None else f"in {source.department}"
    if source.via == "manager":
        return f"manages {source.department}"
    by = f", by the group {source.group}" if source.via == "group" else ""
    return f"{source.role} {place}{by}"
