"""Enrollment tokens and agents as the console shows them. Pure."""

import shlex
from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import ValidationError

from fleetkeeper.console.contexts.agents import AgentRow, Command, TokenForm, TokenRow
from fleetkeeper.console.contexts.lists import Empty
from fleetkeeper.console.contexts.panels import Cell, RowAction, Tag
from fleetkeeper.console.contexts.shell import FormField
from fleetkeeper.console.device_page import collector_row
from fleetkeeper.console.lists.declaring import Choice, Column, ListPage, QuickFilter
from fleetkeeper.console.panels import department_options
from fleetkeeper.console.rendering import format_words
from fleetkeeper.fleet.queries import AGENTS
from fleetkeeper.fleet.schemas import AgentRead, EnrollmentTokenCreate, EnrollmentTokenRead
from fleetkeeper.identity.departments.schemas import DepartmentRead
from fleetkeeper.kit.error_words import error_words

HOUR_SECONDS = 3600
_STATUSES = ("online", "offline", "unknown")
_DEFAULTS = {"name": "", "max_uses": "1", "ttl_hours": "24"}


def token_form(
    entered: Mapping[str, str] | None = None,
    errors: Mapping[str, str] | None = None,
    message: str = "",
    *,
    departments: Sequence[DepartmentRead] = (),
    may_enrol_anywhere: bool = True,
) -> TokenForm:
    """The form that makes a token, with what was entered and what is wrong with it."""
    values, wrong = entered or _DEFAULTS, errors or {}

    def field(name: str, label: str, hint: str, **more: Any) -> FormField:
        return FormField(name, label, values.get(name, ""), hint=hint, error=wrong.get(name, ""), **more)

    return TokenForm(
        fields=(
            field("name", "Name", "What it is for, such as “web servers Frankfurt”"),
            field(
                "max_uses",
                "Machines",
                "How many machines can enroll with it",
                kind="number",
                minimum=1,
                maximum=100_000,
            ),
            field(
                "ttl_hours",
                "Valid for (hours)",
                "The token is refused afterwards",
                kind="number",
                minimum=1,
                maximum=8760,
            ),
        ),
        department=field("department_id", "Department", "Department for new devices"),
        department_options=department_options(
            departments,
            next((one.id for one in departments if str(one.id) == values.get("department_id")), None),
            "None" if may_enrol_anywhere else None,
        ),
        networks=field(
            "allowed_networks", "From networks", "Such as 192.0.2.0/24. Leave empty for any network"
        ),
        message=message,
    )


def read_token_form(entered: Mapping[str, str]) -> EnrollmentTokenCreate | dict[str, str]:
    """The wanted token, or what is wrong, by field."""
    hours = entered.get("ttl_hours", "").strip()
    if not (hours.isascii() and hours.isdigit() and 1 <= len(hours) <= 4 and 1 <= int(hours) <= 8760):
        return {"ttl_hours": "Enter a whole number from 1 to 8760"}
    wanted = {
        "name": entered.get("name", "").strip(),
        "max_uses": entered.get("max_uses", "").strip(),
        "ttl_seconds": int(hours) * HOUR_SECONDS,
        "department_id": entered.get("department_id", "").strip() or None,
        "allowed_networks": [
            text.strip() for text in entered.get("allowed_networks", "").split(",") if text.strip()
        ]
        or None,
    }
    try:
        return EnrollmentTokenCreate.model_validate(wanted)
    except ValidationError as error:
        return {str(item["loc"][0]): error_words(item) for item in error.errors()}


def install_commands(server: str, token: str) -> tuple[Command, ...]:
    """What to run on a machine."""
    script = shlex.quote(f"{server}/agent/install.sh")
    return (
        Command(
            "On Linux or macOS",
            f"curl -fsSL {script} | sh -s -- {shlex.quote(token)}",
            "Run it as root to install the agent as a service. Without root, start the agent yourself with the "
            "command that the script prints at the end.",
        ),
        Command(
            "To enroll a machine again that has the agent",
            f"curl -fsSL {script} | sh -s -- {shlex.quote(token)} --replace",
            "The machine becomes a new device. If its agent does not run as a service, stop the agent first.",
        ),
    )


def token_row(token: EnrollmentTokenRead, departments: Sequence[DepartmentRead] = ()) -> TokenRow:
    """One token, with its state."""
    place = next((one.path for one in departments if one.id == token.department_id), "")
    return TokenRow(
        token.id,
        token.name,
        token.uses,
        token.max_uses,
        token.created_at,
        token.expires_at,
        token.state,
        place,
        ", ".join(token.allowed_networks or ()),
    )


def agent_row(agent: AgentRead) -> AgentRow:
    """One agent, with the collectors that do not work."""
    rows = [collector_row(one) for one in agent.collectors]
    return AgentRow(
        device_id=agent.device_id,
        device_name=agent.device_name,
        status=agent.status,
        is_revoked=agent.is_revoked,
        version=agent.version,
        enrolled_at=agent.enrolled_at,
        last_contact=agent.last_contact,
        failing=tuple(row for row in rows if row.tone in {"bad", "warning"}),
        collector_count=len(rows),
    )


def agent_list(*, may_enrol: bool) -> ListPage[AgentRead]:
    """Agents, newest first."""

    def actions(one: AgentRead) -> tuple[RowAction, ...]:
        if not may_enrol or one.is_revoked:
            return ()
        question = f"Revoke the key of “{one.device_name}”? Its agent is refused until it enrolls again."
        return (RowAction("Revoke", f"/agents/{one.device_id}/revoke", question),)

    return ListPage(
        path="/agents",
        title="Agents",
        noun=("agent", "agents"),
        listing=AGENTS,
        search="Device",
        quick=(QuickFilter("status", "Status", tuple(Choice(one, one.capitalize()) for one in _STATUSES)),),
        columns=(
            Column(
                "device_name",
                "Device",
                lambda one: Cell(one.device_name, f"/devices/{one.device_id}"),
                sort="device_name",
            ),
            Column("status", "Status", _agent_status, sort="status"),
            Column("version", "Version", lambda one: Cell(one.version or ""), sort="version"),
            Column(
                "last_contact",
                "Last contact",
                lambda one: Cell(at=one.last_contact, kind="time", is_soft=True),
            ),
            Column("failing", "Not available", _failing, css="is-minor"),
            Column(
                "enrolled_at",
                "Enrolled",
                lambda one: Cell(at=one.enrolled_at, kind="time", is_soft=True),
                sort="enrolled_at",
                falls_first=True,
                is_extra=True,
            ),
        ),
        actions=actions,
        empty=Empty("No agents yet", "Create an enrollment token above and run its command on a machine."),
        refresh_seconds=10,
    )


def _agent_status(one: AgentRead) -> Cell:
    return Cell(tags=(Tag("Revoked", "bad"),)) if one.is_revoked else Cell(one.status, kind="status")


def _failing(one: AgentRead) -> Cell:
    """The collectors that do not work, each with its reason."""
    rows = [collector_row(item) for item in one.collectors]
    failing = [row for row in rows if row.tone in {"bad", "warning"}]
    tags = tuple(
        Tag(format_words(row.name), "bad" if row.tone == "bad" else "", row.reason) for row in failing
    )
    return Cell("" if rows else "Not reported yet", tags=tags, is_soft=True)
