"""API tokens as the console shows them. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from fleetkeeper.console.contexts.lists import Empty, ListPanel
from fleetkeeper.console.contexts.panels import Cell, Entry, EntryForm, Option, RowAction, Secret, Tag
from fleetkeeper.console.lists.declaring import Choice, Column, ListPage, QuickFilter
from fleetkeeper.console.lists.showing import related_panel
from fleetkeeper.console.panels import department_options
from fleetkeeper.errors import FieldError, InvalidInputError
from fleetkeeper.identity.actor import Actor
from fleetkeeper.identity.departments.schemas import DepartmentRead
from fleetkeeper.identity.permissions import PERMISSION_DESCRIPTIONS
from fleetkeeper.identity.tokens.presets import Preset, is_open_to
from fleetkeeper.identity.tokens.queries import LISTING
from fleetkeeper.identity.tokens.schemas import TokenCreated, TokenPage, TokenRead
from fleetkeeper.identity.tokens.status import TOKENS, TokenState

HOME = "/tokens"
DEFAULT_DAYS = "90"
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
    permissions = tuple(
        Option(str(one), PERMISSION_DESCRIPTIONS[one], hint=str(one)) for one in sorted(actor.permissions)
    )
    presets = (
        Option(str(one), label, hint=hint)
        for one, (label, hint) in _PRESETS.items()
        if is_open_to(actor, one)
    )
    return EntryForm(
        "new-token",
        "Create API token",
        "/account/tokens",
        "Create token",
        (
            Entry("name", "Name", hint="Purpose, such as “backup script”"),
            Entry(
                "days",
                "Expires after (days)",
                DEFAULT_DAYS,
                kind="number",
                hint="Suggested: 90. Leave empty for a token that never expires",
                is_required=False,
            ),
            Entry(
                "preset",
                "Access",
                kind="choice",
                options=(
                    *presets,
                    Option(CUSTOM, "Custom", hint="Choose the permissions yourself."),
                ),
            ),
            Entry("permissions", "Permissions", kind="ticks", options=permissions, only_if=CUSTOM),
            Entry(
                "allowed_networks",
                "Allowed networks",
                hint="Such as 192.0.2.0/24, separated by commas. Leave empty to allow any network",
                is_required=False,
            ),
            Entry(
                "department_id",
                "Department",
                kind="select",
                options=department_options(departments, nothing="All of yours"),
            ),
        ),
    )


def token_values(form: Mapping[str, str], permissions: Sequence[str], now: datetime) -> dict[str, Any]:
    """What a sent form asks for, for the API's model. Raises InvalidInputError."""
    days = form.get("days", "").strip()
    preset = form.get("preset", "").strip()
    problems = []
    if days and not (days.isascii() and days.isdigit() and len(days) <= 4 and 1 <= int(days) <= 3650):
        problems.append(FieldError("days", "Must be 1 to 3650"))
    if not preset:
        problems.append(FieldError("preset", "Choose what the token may do"))
    if preset == CUSTOM and not permissions:
        problems.append(FieldError("permissions", "Choose at least one permission"))
    if problems:
        raise InvalidInputError("Correct the marked fields.", fields=problems)
    networks = [text.strip() for text in form.get("allowed_networks", "").split(",") if text.strip()]
    place = form.get("department_id", "").strip()
    return {
        "name": form.get("name", "").strip(),
        "preset": None if preset == CUSTOM else preset,
        "permissions": list(permissions) if preset == CUSTOM else None,
        "departments": [place] if place else None,
        "allowed_networks": networks or None,
        "expires_at": now + timedelta(days=int(days)) if days else None,
    }


def token_secret(token: TokenCreated) -> Secret:
    """A new secret's one appearance."""
    return Secret(
        "secret-shown",
        f"This is the secret of “{token.name}”. Copy it now: it is not shown again.",
        token.token,
        "Scripts send it as Authorization: Bearer …",
    )
