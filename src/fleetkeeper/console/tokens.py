"""API tokens as the console shows them. Pure."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from fleetkeeper.console.contexts.panels import (
    Cell,
    Entry,
    EntryForm,
    Option,
    Row,
    RowAction,
    Secret,
    Table,
    Tag,
)
from fleetkeeper.console.panels import department_options
from fleetkeeper.errors import FieldError, InvalidInputError
from fleetkeeper.identity.actor import Actor
from fleetkeeper.identity.departments.schemas import DepartmentRead
from fleetkeeper.identity.tokens.presets import Preset, is_open_to
from fleetkeeper.identity.tokens.schemas import TokenCreated, TokenPage, TokenRead

DEFAULT_DAYS = "90"
CUSTOM = "custom"
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


def token_table(
    page: TokenPage,
    base: str,
    *,
    with_user: bool = False,
    may_revoke: bool = True,
    may_rotate: bool = False,
    neighbours: tuple[str | None, str | None] = (None, None),
) -> Table:
    """Tokens without their secrets; `base` is where what a button does is sent to."""
    columns = ("Token", "Permissions", "Expires", "Last used")
    return Table(
        "tokens",
        "API tokens",
        ("User", *columns) if with_user else columns,
        tuple(
            _row(one, base, with_user=with_user, may_revoke=may_revoke, may_rotate=may_rotate)
            for one in page.results
        ),
        count=page.count,
        previous_href=neighbours[0],
        next_href=neighbours[1],
        empty="No API tokens yet. Scripts and integrations sign in with one.",
    )


def _row(one: TokenRead, base: str, *, with_user: bool, may_revoke: bool, may_rotate: bool) -> Row:
    limits = [
        "everything the user can do" if one.permissions is None else ", ".join(one.permissions) or "nothing",
        "" if one.departments is None else f"in {len(one.departments)} departments",
        "" if one.allowed_networks is None else f"from {', '.join(one.allowed_networks)}",
    ]
    cells = (
        Cell(one.name, tags=(Tag("Old secret still works", "warning"),) if one.previous_expires_at else ()),
        Cell(limits[0], detail=" ".join(filter(None, limits[1:]))),
        Cell(at=one.expires_at, kind="time", style="exact", is_soft=True),
        Cell(at=one.last_used_at, kind="time", is_soft=True),
    )
    user = (Cell(one.username, f"/users/{one.user_id}"),) if with_user else ()
    rotate = RowAction(
        "Rotate",
        f"{base}/{one.id}/rotate",
        f"Create a new secret for “{one.name}”? The old one works for one more hour.",
        is_danger=False,
    )
    revoke = RowAction(
        "Revoke",
        f"{base}/{one.id}/revoke",
        f"Revoke the token “{one.name}”? Whatever uses it is refused immediately.",
    )
    return Row((*user, *cells), (*((rotate,) if may_rotate else ()), *((revoke,) if may_revoke else ())))


def token_form(actor: Actor, departments: Sequence[DepartmentRead]) -> EntryForm:
    """The form that makes a token. What it may do has to be chosen: nothing is preselected."""
    permissions = tuple(Option(str(one), str(one)) for one in sorted(actor.permissions))
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
            Entry("name", "Name", hint="What uses it, such as “backup script”"),
            Entry(
                "days",
                "Expires after (days)",
                DEFAULT_DAYS,
                kind="number",
                hint="We suggest 90. Leave empty for a token that never expires",
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
        raise InvalidInputError("See the fields below.", fields=problems)
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
