"""API tokens as the console shows them. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Annotated
from uuid import UUID

from pydantic import AfterValidator, BaseModel, Field, ValidationInfo, field_validator

from fleetkeeper.console.contexts.lists import Empty, ListPanel
from fleetkeeper.console.contexts.panels import Cell, EntryForm, Option, RowAction, Secret, Tag
from fleetkeeper.console.forms.form import Form, Widget
from fleetkeeper.console.lists.declaring import Choice, Column, ListPage, QuickFilter
from fleetkeeper.console.lists.showing import related_panel
from fleetkeeper.console.panels import department_options, model_of
from fleetkeeper.identity.actor import Actor
from fleetkeeper.identity.departments.schemas import DepartmentRead
from fleetkeeper.identity.permissions import PERMISSION_DESCRIPTIONS, Permission
from fleetkeeper.identity.texts import Name
from fleetkeeper.identity.tokens.presets import Preset, is_open_to
from fleetkeeper.identity.tokens.queries import LISTING
from fleetkeeper.identity.tokens.schemas import TokenCreate, TokenCreated, TokenPage, TokenRead
from fleetkeeper.identity.tokens.status import TOKENS, TokenState
from fleetkeeper.kit.networks import Network

HOME = "/tokens"
CUSTOM = "custom"
_EMPTY = ("No API tokens yet", "Scripts and integrations sign in with one.")
# What the form calls each, and what follows from it.
_PRESETS = {
    Preset.SEND_TELEMETRY: (
        "Send telemetry",
        "For agents, collectors and integrations. Writes metrics and looks up devices; changes nothing else.",
    ),
    Preset.READ: ("Read", "For dashboards, reports and exports. Reads what you can read; changes nothing."),
    Preset.ADMINISTER: (
        "Administer",
        "Warning: does everything that you can do, now and later. Whoever gets hold of it can act as you.",
    ),
}


def _access(preset: str) -> str:
    if preset not in {*Preset, CUSTOM}:
        raise ValueError("Choose what the token may do")
    return preset


class TokenForm(BaseModel):
    """What people enter of a token."""

    name: Name
    days: Annotated[int, Field(ge=1, le=3650)] | None = 90
    preset: Annotated[str, AfterValidator(_access)]
    permissions: list[Permission] = []
    allowed_networks: list[Network] = []
    department_id: UUID | None = None

    @field_validator("permissions")
    @classmethod
    def _some_for_custom(cls, permissions: list[Permission], info: ValidationInfo) -> list[Permission]:
        if info.data.get("preset") == CUSTOM and not permissions:
            raise ValueError("Choose at least one permission")
        return permissions


FORM = Form(
    TokenForm,
    "new-token",
    "Create API token",
    "Create token",
    {
        "name": Widget("Name", hint="Purpose, such as “backup script”"),
        "days": Widget(
            "Expires after (days)", hint="Suggested: 90. Leave empty for a token that never expires"
        ),
        "preset": Widget("Access", kind="choice"),
        "permissions": Widget("Permissions", only_if=f"preset={CUSTOM}"),
        "allowed_networks": Widget(
            "Allowed networks",
            hint="Such as 192.0.2.0/24, separated by commas. Leave empty to allow any network",
            kind="text",
        ),
        "department_id": "Department",
    },
)


def token_list(base: str = HOME, *, may_revoke: bool = True, may_rotate: bool = False) -> ListPage[TokenRead]:
    """Tokens without their secrets; `base` is where what a button does is sent to."""

    def actions(one: TokenRead) -> list[RowAction]:
        rotate = RowAction(
            "Rotate",
            f"{base}/{one.id}/rotate",
            f"Create a new secret for “{one.name}”? The old one works for one more hour.",
            is_danger=False,
            shows_page=True,
        )
        revoke = RowAction(
            "Revoke",
            f"{base}/{one.id}/revoke",
            f"Revoke the token “{one.name}”? It stops working immediately.",
        )
        return [*([rotate] if may_rotate else []), *([revoke] if may_revoke else [])]

    return ListPage(
        path=base,
        title="API tokens",
        noun=("token", "tokens"),
        listing=LISTING,
        search="Token or user",
        quick=(
            QuickFilter(
                "state",
                "Status",
                (Choice(TokenState.ACTIVE, "Active"), Choice(TokenState.EXPIRED, "Expired")),
            ),
        ),
        columns=(
            Column("name", "Token", _name, sort="name"),
            Column("user", "User", lambda one: Cell(one.username, f"/users/{one.user_id}"), sort="user"),
            Column("state", "Status", lambda one: Cell(tags=(Tag(one.state, TOKENS.tones[one.state]),))),
            Column("permissions", "Permissions", _limits),
            Column("expires_at", "Expires", lambda one: _moment(one.expires_at, "exact"), sort="expires_at"),
            Column(
                "last_used_at",
                "Last used",
                lambda one: _moment(one.last_used_at),
                "last_used_at",
                falls_first=True,
            ),
            Column("created_at", "Created", lambda one: _moment(one.created_at), "created_at", is_extra=True),
        ),
        actions=actions,
        empty=Empty(
            "No API tokens yet",
            "Scripts and integrations sign in with one.",
            ("/account#new-token", "Create token"),
        ),
        titles={"user_id": "User ID", "id": "ID"},
        export="/api/v1/tokens/export" if base == "/tokens" else "",
        exports_columns=False,
    )


def tokens_of_one(
    page: TokenPage, base: str, *, may_revoke: bool = True, may_rotate: bool = False
) -> ListPanel:
    """The tokens of one user, on a page of theirs."""
    listed = token_list(base, may_revoke=may_revoke, may_rotate=may_rotate)
    columns = tuple(one for one in listed.columns if one.name != "user")
    return related_panel(replace(listed, columns=columns, empty=Empty(*_EMPTY)), page)


def _name(one: TokenRead) -> Cell:
    tags = (Tag("Old secret still works", "warning"),) if one.previous_expires_at else ()
    return Cell(one.name, tags=tags)


def _limits(one: TokenRead) -> Cell:
    permissions = (
        "everything the user can do" if one.permissions is None else ", ".join(one.permissions) or "nothing"
    )
    others = (
        "" if one.departments is None else f"in {len(one.departments)} departments",
        "" if one.allowed_networks is None else f"from {', '.join(one.allowed_networks)}",
    )
    return Cell(permissions, detail=" ".join(filter(None, others)))


def _moment(at: datetime | None, style: str = "relative") -> Cell:
    return Cell(at=at, kind="time", style=style, is_soft=True)


def token_form(actor: Actor, departments: Sequence[DepartmentRead]) -> EntryForm:
    """The form that makes a token. What it may do has to be chosen: nothing is preselected."""
    presets = [
        Option(str(one), label, hint=hint)
        for one, (label, hint) in _PRESETS.items()
        if is_open_to(actor, one)
    ]
    options = {
        "preset": [*presets, Option(CUSTOM, "Custom", hint="Choose the permissions yourself.")],
        "permissions": [
            Option(str(one), PERMISSION_DESCRIPTIONS[one], hint=str(one)) for one in sorted(actor.permissions)
        ],
        "department_id": department_options(departments, nothing="All of yours"),
    }
    return FORM.shown("/account/tokens", options=options)


def wanted_token(sent: Mapping[str, Sequence[str]], now: datetime) -> TokenCreate:
    """The token that a sent form asks for. Raises InvalidInputError."""
    entered = FORM.read(sent)
    is_custom = entered.preset == CUSTOM
    return model_of(
        TokenCreate,
        {
            "name": entered.name,
            "preset": None if is_custom else entered.preset,
            "permissions": entered.permissions if is_custom else None,
            "departments": None if entered.department_id is None else [entered.department_id],
            "allowed_networks": entered.allowed_networks or None,
            "expires_at": None if entered.days is None else now + timedelta(days=entered.days),
        },
    )


def token_secret(token: TokenCreated) -> Secret:
    """A new secret's one appearance."""
    return Secret(
        "secret-shown",
        f"This is the secret of “{token.name}”. Copy it now: it is not shown again.",
        token.token,
        "Scripts send it as Authorization: Bearer …",
    )
