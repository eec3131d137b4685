"""What the pages of users show: the list, the forms, and all about one of them."""

from uuid import UUID

from fastapi import Request, Response
from sqlalchemy.ext.asyncio import AsyncSession

from fleetkeeper.console.annotation_tabs import annotating, annotation_tabs
from fleetkeeper.console.audit_entries import acts_links, history_links
from fleetkeeper.console.contexts.lists import Empty
from fleetkeeper.console.contexts.panels import (
    Cell,
    EntryForm,
    Facts,
    Panel,
    Tag,
)
from fleetkeeper.console.details import Panels, Refusal, Tab, show_detail
from fleetkeeper.console.forms.form import Form, Widget
from fleetkeeper.console.history import history_tab
from fleetkeeper.console.lists.declaring import Choice, Column, ListPage, QuickFilter
from fleetkeeper.console.memberships import access_table, membership_table, role_form, role_options
from fleetkeeper.console.panels import act_form
from fleetkeeper.console.sessions import sessions_of_one
from fleetkeeper.console.tokens import tokens_of_one
from fleetkeeper.devices.service import list_devices
from fleetkeeper.identity.actor import Actor
from fleetkeeper.identity.permissions import Permission
from fleetkeeper.identity.service import actor_of_user_id
from fleetkeeper.identity.sessions import service as sessions
from fleetkeeper.identity.sessions.api import idle_time
from fleetkeeper.identity.tokens import service as tokens
from fleetkeeper.identity.users import service
from fleetkeeper.identity.users.queries import LISTING, LISTING_OF_DEPARTMENTS
from fleetkeeper.identity.users.schemas import PasswordSet, UserCreate, UserRead, UserUpdate
from fleetkeeper.kit.clock import utc_now

HOME = "/users"
SHOWN = (("limit", "100"),)
_NAMES: dict[str, Widget | str] = {
    "username": Widget("Username", is_required=True),
    "name": "Full name",
    "email": "Email",
}
NEW = Form(
    UserCreate,
    "new-user",
    "Create user",
    "Create user",
    {
        **_NAMES,
        "password": Widget(
            "Password",
            hint="At least 8 characters. Share it securely",
            is_required=True,
            autocomplete="new-password",
        ),
        "role": "Role",
        "department_id": Widget("Department", hint="Includes all departments below it"),
    },
)
CHANGE = Form(UserUpdate, "change", "Edit user", "Save changes", _NAMES)
PASSWORD = Form(
    PasswordSet,
    "password",
    "Set password",
    "Set password",
    {
        "password": Widget("New password", autocomplete="new-password"),
        "revoke_tokens": "Also revoke their API tokens",
    },
    text="Ends all sessions of this user.",
)


def _tags(user: UserRead) -> tuple[Tag, ...]:
    state = () if user.enabled else (Tag("Disabled", "bad"),)
    return (*state, *(() if user.source == "local" else (Tag(user.source.upper()),)))


def user_list(actor: Actor) -> ListPage[UserRead]:
    """The users, as far as the actor may know them."""
    contacts = (
        Column[UserRead]("email", "Email", lambda one: Cell(one.email or "", is_soft=True), sort="email"),
        Column[UserRead](
            "last_login",
            "Last sign-in",
            lambda one: Cell(at=one.last_login, kind="time", is_soft=True),
            sort="last_login",
            falls_first=True,
        ),
    )
    sees_contacts = service.sees_contacts(actor)
    return ListPage(
        path=HOME,
        title="Users",
        noun=("user", "users"),
        listing=LISTING if sees_contacts else LISTING_OF_DEPARTMENTS,
        search="Name or email address" if sees_contacts else "Name",
        quick=(
            QuickFilter(
                "enabled",
                "Status",
                (Choice("true", "Enabled"), Choice("false", "Disabled")),
                is_chips=True,
            ),
        ),
        columns=(
            Column(
                "username",
                "User",
                lambda one: Cell(one.username, f"{HOME}/{one.id}", tags=_tags(one)),
                sort="username",
            ),
            Column("name", "Name", lambda one: Cell(one.name), sort="name"),
            *(contacts if sees_contacts else ()),
            Column("source", "Source", lambda one: Cell(one.source), sort="source", is_extra=True),
            Column(
                "created_at",
                "Created",
                lambda one: Cell(at=one.created_at, kind="time", is_soft=True),
                sort="created_at",
                is_extra=True,
            ),
        ),
        titles={"id": "ID", "enabled": "Enabled"},
        export="/api/v1/users/export",
        exports_columns=False,
        empty=Empty("No users yet"),
    )


async def new_user_form(session: AsyncSession, actor: Actor) -> EntryForm | None:
    """The form that makes a user, for those who may."""
    if not actor.may(Permission.USERS_WRITE):
        return None
    return NEW.shown(HOME, options=await role_options(session, actor, nothing="No role yet"))


async def user_page(
    request: Request, session: AsyncSession, actor: Actor, user_id: UUID, refusal: Refusal | None = None
) -> Response:
    """All about one user; a form that was refused says what is wrong. Raises NotFoundError."""
    user = await service.get_user(session, actor, user_id)

    async def overview() -> Panels:
        return [await _facts(session, actor, user), *await _role_panels(session, actor, user)]

    async def access() -> Panels:
        return [access_table(await service.read_access(session, actor, user_id))]

    async def sign_ins() -> Panels:
        panels: list[Panel | None] = []
        if actor.may(Permission.SESSIONS_WRITE):
            page = await sessions.list_sessions(
                session, actor, [*SHOWN, ("user_id", str(user_id))], now=utc_now(), idle=idle_time(request)
            )
            panels.append(sessions_of_one(page, "/sessions"))
        if actor.may(Permission.TOKENS_READ):
            listed = await tokens.list_tokens(session, actor, [*SHOWN, ("user_id", str(user_id))])
            panels.append(tokens_of_one(listed, "/tokens", may_revoke=actor.may(Permission.TOKENS_WRITE)))
        return panels

    about = await annotating(request, session, actor, "users", user_id)

    async def settings() -> Panels:
        change, *others = _account_forms(user, is_oneself=user_id == actor.user_id)
        return [change, about.tags_form, *others]

    sees_sign_ins = actor.may(Permission.SESSIONS_WRITE) or actor.may(Permission.TOKENS_READ)
    return await show_detail(
        request,
        actor,
        HOME,
        user.username,
        [
            Tab("overview", "Overview", overview),
            Tab("access", "Access", access),
            Tab("sign-ins", "Sessions and tokens", sign_ins) if sees_sign_ins else None,
            *annotation_tabs(about),
            history_tab(session, actor, "users", user.id),
            Tab("settings", "Settings", settings) if actor.may(Permission.USERS_WRITE) else None,
        ],
        crumbs=((HOME, "Users"),),
        tags=(*_tags(user), *about.shown_tags),
        links=(*history_links(actor, "users", user.id), *acts_links(actor, user.id)),
        refusal=refusal,
    )


async def _facts(session: AsyncSession, actor: Actor, user: UserRead) -> Facts:
    facts = [("Name", Cell(user.name)), ("Created", Cell(at=user.created_at, kind="time", style="exact"))]
    if service.sees_contacts(actor) or user.id == actor.user_id:
        facts.insert(1, ("Email", Cell(user.email or "")))
        facts.append(("Last sign-in", Cell(at=user.last_login, kind="time")))
    if actor.may_everywhere(Permission.DEVICES_READ):
        seen = await actor_of_user_id(session, user.id)
        number = 0 if seen is None else (await list_devices(session, seen, [("limit", "1")])).count
        facts.append(("Visible devices", Cell(str(number))))
    return Facts("account", "Account", tuple(facts))


async def _role_panels(session: AsyncSession, actor: Actor, user: UserRead) -> list[Panel | None]:
    page = await service.list_user_memberships(session, actor, user.id, SHOWN)
    may_write = actor.may(Permission.MEMBERSHIPS_WRITE)
    table = membership_table(page, f"{HOME}/{user.id}/memberships", may_remove=may_write)
    if not may_write:
        return [table]
    return [table, await role_form(session, actor, f"{HOME}/{user.id}/memberships")]


def _account_forms(user: UserRead, *, is_oneself: bool) -> list[Panel | None]:
    base = f"{HOME}/{user.id}"
    change = CHANGE.shown(base, user, version=user.version)
    if is_oneself:
        return [change]
    enable = EntryForm("enable", "Enable account", f"{base}/enable", "Enable account")
    disable = act_form(
        "disable",
        "Disable account",
        f"{base}/disable",
        "Their sessions end immediately. Their tokens are refused until you enable the account again.",
    )
    return [
        change,
        act_form(
            "second-factor",
            "Remove second factor",
            f"{base}/second-factor",
            "For someone who lost it. Removes authenticator apps, passkeys and recovery codes, and ends all sessions.",
        ),
        PASSWORD.shown(f"{base}/password") if user.source == "local" else None,
        disable if user.enabled else enable,
        act_form(
            "delete",
            "Delete account",
            f"{base}/delete",
            "This also deletes their roles, tokens and sessions. Their activity stays in the audit log.",
        ),
    ]
