"""Roles that people have, and why they may do what they may, as the console shows them."""

from sqlalchemy.ext.asyncio import AsyncSession

from fleetkeeper.console.contexts.panels import (
    Cell,
    Entry,
    Option,
    Row,
    RowAction,
    Table,
    Tag,
)
from fleetkeeper.console.panels import department_options
from fleetkeeper.identity.actor import Actor
from fleetkeeper.identity.authority import lacking
from fleetkeeper.identity.departments import service as departments
from fleetkeeper.identity.memberships.schemas import AccessSource, MembershipPage, UserAccess
from fleetkeeper.identity.permissions import Permission, Role
from fleetkeeper.identity.roles import service as roles

EVERYWHERE = "Everywhere"


async def role_entries(
    session: AsyncSession, actor: Actor, nothing: str | None = None, *, with_place: bool = True
) -> tuple[Entry, ...]:
    """Which role to give, and where: those that the actor may give in one of the places that they may give them in."""
    places = await departments.all_departments(session, actor, Permission.MEMBERSHIPS_WRITE)
    everywhere = actor.may_everywhere(Permission.MEMBERSHIPS_WRITE)
    scopes = [*([None] if everywhere else []), *(place.id for place in places)]
    matrix = await roles.read_matrix(session)
    first = () if nothing is None else (Option("", nothing, is_chosen=True),)
    options = tuple(
        Option(role.name, role.name, is_chosen=nothing is None and role.name == Role.VIEWER)
        for role in matrix.roles
        if any(not lacking(actor, role.permissions, scope) for scope in scopes)
    )
    role_entry = Entry("role", "Role", kind="select", options=(*first, *options))
    if not with_place:
        return (role_entry,)
    place_entry = Entry(
        "department_id",
        "Department",
        kind="select",
        hint="Includes all departments below it",
        options=department_options(places, nothing=EVERYWHERE if everywhere else None),
    )
    return (role_entry, place_entry)


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
                    f"Remove the role “{one.role}” from {one.holder}? This takes effect at their next click.",
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
        empty="No roles yet. Without a role, nothing can be opened.",
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
