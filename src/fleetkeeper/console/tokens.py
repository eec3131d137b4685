"""API tokens as the console shows them. Pure."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from fleetkeeper.console.administration import department_options
from fleetkeeper.console.contexts.administration import (
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
from fleetkeeper.errors import FieldError, InvalidInputError
from fleetkeeper.identity.actor import Actor
from fleetkeeper.identity.departments.schemas import DepartmentRead
from fleetkeeper.identity.tokens.schemas import TokenCreated, TokenPage, TokenRead

DEFAULT_DAYS = "90"


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
    columns = ("Token", "May", "Expires", "Last used")
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
        empty="No token yet. Scripts sign in with one, and may do no more than it says.",
    )


def _row(one: TokenRead, base: str, *, with_user: bool, may_revoke: bool, may_rotate: bool) -> Row:
    limits = [
        "all that the user may" if one.permissions is None else ", ".join(one.permissions) or "nothing",
        "" if one.departments is None else f"in {len(one.departments)} departments",
        "" if one.allowed_networks is None else f"from {', '.join(one.allowed_networks)}",
    ]
    cells = (
        Cell(one.name, tags=(Tag("Old secret still works", "warning"),) if one.previous_expires_at else ()),
        Cell(limits[0], detail=" ".join(filter(None, limits[1:]))),
        Cell(at=one.expires_at, is_time=True, style="exact", is_soft=True),
        Cell(at=one.last_used_at, is_time=True, is_soft=True),
    )
    user = (Cell(one.username, f"/users/{one.user_id}"),) if with_user else ()
    rotate = RowAction(
        "Rotate",
        f"{base}/{one.id}/rotate",
        f"Make a new secret for “{one.name}”? The old one works for one hour more.",
        is_danger=False,
    )
    revoke = RowAction(
        "Revoke",
        f"{base}/{one.id}/revoke",
        f"Revoke the token “{one.name}”? Whatever uses it is refused at once.",
    )
    return Row((*user, *cells), (*((rotate,) if may_rotate else ()), *((revoke,) if may_revoke else ())))


def token_form(actor: Actor, departments: Sequence[DepartmentRead]) -> EntryForm:
    """The form that makes a token."""
    permissions = tuple(Option(str(one), str(one)) for one in sorted(actor.permissions))
    return EntryForm(
        "new-token",
        "Make an API token",
        "/account/tokens",
        "Make the token",
        (
            Entry("name", "Name", hint="What it is for, such as “backup script”"),
            Entry(
                "days",
                "Valid for (days)",
                DEFAULT_DAYS,
                kind="number",
                hint="Empty is for ever",
                is_required=False,
            ),
            Entry(
                "allowed_networks",
                "From networks",
                hint="Such as 192.0.2.0/24, parted by commas; empty is from anywhere",
                is_required=False,
            ),
            Entry(
                "department_id",
                "Where",
                kind="select",
                options=department_options(departments, nothing="Wherever you may"),
            ),
            Entry(
                "permissions",
                "Only these permissions; none ticked is all that you have",
                kind="ticks",
                options=permissions,
            ),
        ),
    )


def token_values(form: Mapping[str, str], permissions: Sequence[str], now: datetime) -> dict[str, Any]:
    """What a sent form asks for, for the API's model. Raises InvalidInputError."""
    days = form.get("days", "").strip()
    if days and not (days.isascii() and days.isdigit() and len(days) <= 4 and 1 <= int(days) <= 3650):
        raise InvalidInputError("See the fields below.", fields=[FieldError("days", "Must be 1 to 3650")])
    networks = [text.strip() for text in form.get("allowed_networks", "").split(",") if text.strip()]
    place = form.get("department_id", "").strip()
    return {
        "name": form.get("name", "").strip(),
        "permissions": list(permissions) or None,
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
