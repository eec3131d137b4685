"""`/groups`: people who get roles together."""

from functools import partial
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, Field
from sqlalchemy.ext.asyncio import AsyncSession

from fleetkeeper.console.annotation_tabs import annotating, annotation_tabs
from fleetkeeper.console.audit_entries import history_links
from fleetkeeper.console.contexts.lists import Empty
from fleetkeeper.console.contexts.panels import (
    Cell,
    EntryForm,
    Facts,
    Option,
    Row,
    RowAction,
    Table,
    Tag,
)
from fleetkeeper.console.details import Panels, Refusal, Tab, show_detail
from fleetkeeper.console.forms.form import Form, Widget, version_in
from fleetkeeper.console.history import history_tab
from fleetkeeper.console.lists.answering import show_list
from fleetkeeper.console.lists.declaring import Column, ListPage
from fleetkeeper.console.memberships import ROLE, membership_table, role_form
from fleetkeeper.console.navigation import Place, declare
from fleetkeeper.console.panels import Sent, act_form, attempt, done, refused
from fleetkeeper.console.requests import FormLists
from fleetkeeper.database.request_session import Session
from fleetkeeper.errors import FleetkeeperError
from fleetkeeper.identity.actor import Actor
from fleetkeeper.identity.groups import service
from fleetkeeper.identity.groups.access import GroupsRead, GroupsWrite
from fleetkeeper.identity.groups.queries import LISTING
from fleetkeeper.identity.groups.schemas import GroupCreate, GroupRead, GroupUpdate
from fleetkeeper.identity.memberships import service as memberships
from fleetkeeper.identity.oidc.service import provider_names
from fleetkeeper.identity.permissions import Permission
from fleetkeeper.identity.users.access import MembershipsWrite
from fleetkeeper.identity.users.service import find_user

router = APIRouter()
declare(
    Place(
        "/groups",
        "Groups",
        "users-group",
        Permission.GROUPS_READ,
        group="Access",
        order=20,
        key="w",
        words="teams",
    )
)


class MemberForm(BaseModel):
    """Who is to be in a group."""

    user: Annotated[str, Field(min_length=1)]


HOME = "/groups"
SHOWN = (("limit", "100"),)
SOURCES = {"local": "This console", "oidc": "Identity provider", "scim": "SCIM"}
NEW_GROUP = "new-group"
_NAMES: dict[str, Widget | str] = {"name": Widget("Name", is_required=True), "description": "Description"}
_PROVIDER = Widget("Members come from", hint="For a provider, use the name in its groups claim")
NEW = Form(GroupCreate, NEW_GROUP, "Create group", "Create group", {**_NAMES, "provider_id": _PROVIDER})
CHANGE = Form(GroupUpdate, "change", "Edit name and description", "Save changes", _NAMES)
ADD = Form(MemberForm, "add-member", "Add member", "Add member", {"user": "Username"})
GROUPS: ListPage[GroupRead] = ListPage(
    path=HOME,
    title="Groups",
    noun=("group", "groups"),
    listing=LISTING,
    search="Name or description",
    columns=(
        Column("name", "Group", lambda one: Cell(one.name, f"{HOME}/{one.id}"), sort="name"),
        Column("description", "Description", lambda one: Cell(one.description, is_soft=True)),
        Column("source", "Members come from", lambda one: Cell(SOURCES[one.source]), sort="source"),
        Column("members", "Members", lambda one: Cell(str(one.members))),
    ),
    titles={"id": "ID", "source": "Source"},
    export="/api/v1/groups/export",
    exports_columns=False,
    empty=Empty("No groups yet", "A group gives several people the same roles."),
)


@router.get("/groups")
async def list_groups(request: Request, actor: GroupsRead, session: Session) -> Response:
    """All groups."""
    form = await _new_form(session) if actor.may(Permission.GROUPS_WRITE) else None
    return await show_list(
        request, session, actor, GROUPS, partial(service.list_groups, session), before=[form]
    )


@router.post("/groups")
async def create_group(request: Request, sent: FormLists, actor: GroupsWrite, session: Session) -> Response:
    """Make a group."""

    async def make() -> GroupRead:
        return await service.create_group(session, NEW.read(sent))

    outcome = await attempt(session, make())
    if not isinstance(outcome, FleetkeeperError):
        return done(request, f"{HOME}/{outcome.id}")
    before = [refused(await _new_form(session), outcome, sent)]
    fetch = partial(service.list_groups, session)
    return await show_list(request, session, actor, GROUPS, fetch, before=before, status=outcome.status)


@router.get("/groups/{group_id}")
async def show_group(request: Request, group_id: UUID, actor: GroupsRead, session: Session) -> Response:
    """One group: who is in it, and what they get by it."""
    return await _group_page(request, session, actor, group_id)


@router.post("/groups/{group_id}")
async def change_group(
    request: Request, group_id: UUID, sent: FormLists, actor: GroupsWrite, session: Session
) -> Response:
    """Change a group's name and description."""

    async def change() -> GroupRead:
        return await service.update_group(session, actor, group_id, CHANGE.read(sent), version_in(sent))

    outcome = await attempt(session, change())
    return await _outcome(request, session, actor, group_id, "change", outcome, sent)


@router.post("/groups/{group_id}/delete")
async def delete_group(request: Request, group_id: UUID, actor: GroupsWrite, session: Session) -> Response:
    """Delete a group."""
    outcome = await attempt(session, service.delete_group(session, actor, group_id))
    if outcome is None:
        return done(request, HOME)
    return await _outcome(request, session, actor, group_id, "delete", outcome, {})


@router.post("/groups/{group_id}/members")
async def add_member(
    request: Request, group_id: UUID, sent: FormLists, actor: GroupsWrite, session: Session
) -> Response:
    """Put somebody into a group."""

    async def add() -> None:
        user = await find_user(session, actor, ADD.read(sent).user)
        await service.add_member(session, actor, group_id, user.id)

    outcome = await attempt(session, add())
    return await _outcome(request, session, actor, group_id, ADD.id, outcome, sent)


@router.post("/groups/{group_id}/members/{user_id}/remove")
async def remove_member(
    request: Request, group_id: UUID, user_id: UUID, actor: GroupsWrite, session: Session
) -> Response:
    """Take somebody out of a group."""
    await service.remove_member(session, actor, group_id, user_id)
    return done(request, f"{HOME}/{group_id}")


@router.post("/groups/{group_id}/memberships")
async def give_role(
    request: Request, group_id: UUID, sent: FormLists, actor: MembershipsWrite, session: Session
) -> Response:
    """Give a group a role."""

    async def give() -> object:
        await service.get_group(session, group_id)
        wanted = ROLE.read(sent)
        place = wanted.department_id
        return await memberships.add_membership(session, actor, wanted.role, place, group_id=group_id)

    outcome = await attempt(session, give())
    return await _outcome(request, session, actor, group_id, "give-role", outcome, sent)


@router.post("/groups/{group_id}/memberships/{membership_id}/remove")
async def take_role(
    request: Request, group_id: UUID, membership_id: UUID, actor: MembershipsWrite, session: Session
) -> Response:
    """Take a role away from a group."""
    await memberships.remove_membership(session, actor, membership_id, group_id=group_id)
    return done(request, f"{HOME}/{group_id}")


async def _new_form(session: AsyncSession) -> EntryForm:
    providers = await provider_names(session)
    choices = [Option(str(key), f"The provider {name}") for key, _, name in providers]
    only = tuple(NEW.widgets) if choices else ("name", "description")
    options = {"provider_id": [Option("", "This console"), *choices]}
    return NEW.shown(HOME, options=options, only=only)


async def _outcome(
    request: Request,
    session: AsyncSession,
    actor: Actor,
    group_id: UUID,
    form_id: str,
    outcome: object,
    values: Sent,
) -> Response:
    if not isinstance(outcome, FleetkeeperError):
        return done(request, f"{HOME}/{group_id}")
    tab = "settings" if form_id in {"change", "delete"} else ""
    return await _group_page(request, session, actor, group_id, Refusal(form_id, outcome, values, tab))


async def _group_page(
    request: Request, session: AsyncSession, actor: Actor, group_id: UUID, refusal: Refusal | None = None
) -> Response:
    group = await service.get_group(session, group_id)
    base = f"{HOME}/{group_id}"
    may_write = actor.may(Permission.GROUPS_WRITE)
    may_give = actor.may(Permission.MEMBERSHIPS_WRITE)
    is_local = group.source == "local"

    async def overview() -> Panels:
        roles = await service.list_group_memberships(session, actor, group_id, SHOWN)
        return [
            Facts("group", "Group", (("Description", Cell(group.description)),)),
            await _members(session, actor, group, may_remove=may_write and is_local),
            ADD.shown(f"{base}/members") if may_write and is_local else None,
            membership_table(roles, f"{base}/memberships", may_remove=may_give),
            await role_form(session, actor, f"{base}/memberships") if may_give else None,
        ]

    about = await annotating(request, session, actor, "groups", group.id)

    async def settings() -> Panels:
        text = f"{group.members} members lose the roles that they have through it."
        delete = act_form("delete", "Delete group", f"{base}/delete", text, asks_why=False)
        return [CHANGE.shown(base, group, version=group.version, is_open=True), about.tags_form, delete]

    return await show_detail(
        request,
        actor,
        HOME,
        group.name,
        [
            Tab("overview", "Overview", overview),
            *annotation_tabs(about),
            history_tab(session, actor, "groups", group.id),
            Tab("settings", "Settings", settings) if may_write else None,
        ],
        crumbs=((HOME, "Groups"),),
        tags=(*(() if is_local else (Tag(SOURCES[group.source]),)), *about.shown_tags),
        links=history_links(actor, "groups", group.id),
        refusal=refusal,
    )


async def _members(session: AsyncSession, actor: Actor, group: GroupRead, *, may_remove: bool) -> Table:
    page = await service.list_members(session, actor, group.id, SHOWN)
    rows = tuple(
        Row(
            (
                Cell(one.username, f"/users/{one.id}" if actor.may(Permission.USERS_READ) else ""),
                Cell(one.name, tags=() if one.enabled else (Tag("Disabled", "bad"),)),
            ),
            (
                RowAction(
                    "Remove",
                    f"{HOME}/{group.id}/members/{one.id}/remove",
                    f"Remove {one.username} from “{group.name}”? They lose the roles they have through it.",
                ),
            )
            if may_remove
            else (),
        )
        for one in page.results
    )
    text = "" if group.source == "local" else "The identity provider decides who is a member."
    hidden = group.members - page.count
    if hidden:
        text += f" You cannot see {hidden} more."
    return Table(
        "members", "Members", ("User", "Name"), rows, text=text, count=page.count, empty="No members yet."
    )
