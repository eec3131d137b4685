"""Enrollment tokens and agents as the console shows them. Pure."""

import shlex
from collections.abc import Mapping, Sequence
from typing import Annotated
from uuid import UUID

from pydantic import BaseModel, Field

from fleetkeeper.console.contexts.agents import AgentRow, Command
from fleetkeeper.console.contexts.lists import Empty
from fleetkeeper.console.contexts.panels import Cell, EntryForm, RowAction, Tag
from fleetkeeper.console.device_page import collector_row
from fleetkeeper.console.forms.form import Form, Widget
from fleetkeeper.console.forms.status_forms import status_cell
from fleetkeeper.console.lists.declaring import Choice, Column, ListPage, QuickFilter, status_filter
from fleetkeeper.console.panels import department_options, model_of
from fleetkeeper.console.rendering import format_words
from fleetkeeper.fleet.queries import AGENTS, TOKENS
from fleetkeeper.fleet.schemas import AgentRead, EnrollmentTokenCreate, EnrollmentTokenRead
from fleetkeeper.fleet.status import ENROLLMENT_TOKENS, EnrollmentTokenState
from fleetkeeper.identity.departments.schemas import DepartmentRead

HOME = "/agents/enrollment-tokens"
HOUR_SECONDS = 3600
_STATUSES = ("online", "offline", "unknown")


class EnrollmentForm(BaseModel):
    """What people enter of an enrollment token; the service's schema says what is wrong with the rest."""

    name: str
    max_uses: int = 1
    ttl_hours: Annotated[int, Field(ge=1, le=8760)] = 24
    department_id: UUID | None = None
    allowed_networks: list[str] = []


FORM = Form(
    EnrollmentForm,
    "new-token",
    "Enroll machines",
    "Create token",
    {
        "name": Widget("Name", hint="Purpose, such as “web servers Frankfurt”"),
        "max_uses": Widget("Machines", hint="How many machines can enroll with it"),
        "ttl_hours": Widget("Valid for (hours)", hint="The token is refused afterwards"),
        "department_id": Widget("Department", hint="Department for new devices"),
        "allowed_networks": Widget(
            "From networks", hint="Such as 192.0.2.0/24. Leave empty for any network", kind="text"
        ),
    },
    text="Machines use an enrollment token to join. It is shown once. Each machine receives its own key.",
)


def token_form(departments: Sequence[DepartmentRead], *, may_enrol_anywhere: bool) -> EntryForm:
    """The form that makes a token."""
    places = department_options(departments, None, "None" if may_enrol_anywhere else None)
    return FORM.shown(HOME, options={"department_id": places}, is_open=True)


def wanted_token(sent: Mapping[str, Sequence[str]]) -> EnrollmentTokenCreate:
    """The token that a sent form asks for. Raises InvalidInputError with each field's problem."""
    entered = FORM.read(sent).model_dump()
    entered["ttl_seconds"] = entered.pop("ttl_hours") * HOUR_SECONDS
    entered["allowed_networks"] = entered["allowed_networks"] or None
    return model_of(EnrollmentTokenCreate, entered)


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
            "The machine becomes a new device, unless the token was made for its device. If its agent does not run as "
            "a service, stop the agent first.",
        ),
    )


def token_list(departments: Sequence[DepartmentRead], *, may_enrol: bool) -> ListPage[EnrollmentTokenRead]:
    """Enrollment tokens, newest first, without their secrets."""
    paths = {one.id: one.path for one in departments}

    def actions(one: EnrollmentTokenRead) -> tuple[RowAction, ...]:
        if not may_enrol or one.state != EnrollmentTokenState.ACTIVE:
            return ()
        question = f"Revoke the token “{one.name}”? Machines that joined with it stay."
        return (RowAction("Revoke", f"{HOME}/{one.id}/revoke", question),)

    def name(one: EnrollmentTokenRead) -> Cell:
        networks = f"from {', '.join(one.allowed_networks)}" if one.allowed_networks else ""
        return Cell(one.name, detail=networks)

    def department(one: EnrollmentTokenRead) -> Cell:
        return Cell("" if one.department_id is None else paths.get(one.department_id, ""))

    return ListPage(
        path=HOME,
        title="Enrollment tokens",
        noun=("token", "tokens"),
        listing=TOKENS,
        search="Name",
        quick=(status_filter(EnrollmentTokenState, "state", is_chips=True),),
        columns=(
            Column("name", "Token", name, sort="name"),
            Column("uses", "Used", lambda one: Cell(f"{one.uses} of {one.max_uses}"), sort="uses"),
            Column("department_id", "Department", department),
            Column(
                "created_at",
                "Created",
                lambda one: Cell(at=one.created_at, kind="time", is_soft=True),
                sort="created_at",
                falls_first=True,
            ),
            Column(
                "expires_at",
                "Expires",
                lambda one: Cell(at=one.expires_at, kind="time", style="exact", is_soft=True),
                sort="expires_at",
            ),
            Column("state", "State", lambda one: status_cell(ENROLLMENT_TOKENS, one.state), sort="state"),
        ),
        actions=actions,
        export="/api/v1/enrollment-tokens/export",
        exports_columns=False,
        empty=Empty("No enrollment tokens yet", "Create one above and run its command on a machine."),
        refresh_seconds=5,
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
        if not may_enrol:
            return ()
        again = RowAction(
            "Enroll again",
            f"/agents/{one.device_id}/enroll-again",
            f"Create a token that makes one machine the device “{one.device_name}”, such as after it was installed "
            "again? When it is used, the device's present key ends.",
            is_danger=False,
            shows_page=True,
        )
        if one.is_revoked:
            return (again,)
        question = f"Revoke the key of “{one.device_name}”? Its agent is refused until it enrolls again."
        return (again, RowAction("Revoke", f"/agents/{one.device_id}/revoke", question))

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
        export="/api/v1/agents/export",
        exports_columns=False,
        empty=Empty(
            "No agents yet",
            "Create an enrollment token above and run its command on a machine."
            if may_enrol
            else "Administrators and operators enroll machines.",
        ),
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
