"""Requests of devices as lists and pages show them. Pure."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from fleetkeeper.console.contexts.lists import Empty
from fleetkeeper.console.contexts.panels import Cell, Facts, Row, Table, Tag
from fleetkeeper.console.forms.schema_fields import words_of
from fleetkeeper.console.forms.status_forms import status_cell
from fleetkeeper.console.lists.declaring import Choice, Column, ListPage, QuickFilter
from fleetkeeper.database.status_history import StatusChange
from fleetkeeper.device_requests.queries import LISTING
from fleetkeeper.device_requests.schemas import DeviceRequestDetail, DeviceRequestRead, ResponseRead
from fleetkeeper.device_requests.status import DEVICE_REQUESTS, RESPONSES, DeviceRequestStatus

HOME = "/device-requests"
INBOX = f"{HOME}/inbox"
# Rows of a payload that are shown; the rest is in the API.
MOST_ROWS = 200
_DASH = "\N{EN DASH}"


def _status(one: DeviceRequestRead) -> Cell:
    return Cell(tags=status_tags(one))


def status_tags(one: DeviceRequestRead) -> tuple[Tag, ...]:
    """Where a request is, and what is special about that."""
    tags = list(status_cell(DEVICE_REQUESTS, one.status).tags)
    if one.dead_at is not None:
        tags.append(Tag("Gave up", "bad", hint="Nobody tries again unless you retry it"))
    if one.waits_for_person:
        tags.append(Tag("Needs verdict", "warning", hint="An agent's answer waits until a person agrees"))
    elif one.needs_person and one.status == DeviceRequestStatus.PENDING:
        tags.append(Tag("Needs person", "warning", hint="A person disagreed with an agent"))
    return tuple(tags)


def device_cell(one: DeviceRequestRead) -> Cell:
    """The device, by its name."""
    return (
        Cell(one.device_name, f"/devices/{one.device_id}") if one.device_name else Cell(_DASH, is_soft=True)
    )


_COLUMNS = (
    Column[DeviceRequestRead](
        "request_type", "Type", lambda one: Cell(one.request_type, f"{HOME}/{one.id}"), sort="type"
    ),
    Column[DeviceRequestRead]("device_name", "Device", device_cell, sort="device"),
    Column[DeviceRequestRead]("status", "Status", _status, sort="status"),
    Column[DeviceRequestRead](
        "handled_by", "Handled by", lambda one: Cell(one.handled_by or _DASH), sort="handled_by"
    ),
    Column[DeviceRequestRead](
        "attempts", "Attempts", lambda one: Cell(str(one.attempts)), sort="attempts", css="is-minor"
    ),
    Column[DeviceRequestRead](
        "created_at",
        "Submitted",
        lambda one: Cell(at=one.created_at, kind="time"),
        sort="created_at",
        falls_first=True,
    ),
)
_TITLES = {
    "id": "ID",
    "device_id": "Device ID",
    "handler_id": "Handler ID",
    "department_id": "Department ID",
    "payload_hash": "Payload hash",
    "needs_person": "Needs person",
    "waiting_for": "Waiting for",
    "answered_at": "Answered",
}
REQUESTS: ListPage[DeviceRequestRead] = ListPage(
    path=HOME,
    title="Device requests",
    noun=("request", "requests"),
    listing=LISTING,
    search="Type, device or handler",
    quick=(
        QuickFilter(
            "status",
            "Status",
            tuple(Choice(one, words_of(one)) for one in DeviceRequestStatus),
            is_chips=True,
        ),
    ),
    columns=_COLUMNS,
    titles=_TITLES,
    empty=Empty(
        "No device requests yet",
        "Devices submit requests with their key to POST /api/v1/requests. Add a handler to say who answers them.",
        action=("/request-handlers", "View handlers"),
        narrowed="Try fewer filters, or choose “All”.",
    ),
    export="/api/v1/requests/export",
    refresh_seconds=10,
)
WAITING: ListPage[DeviceRequestRead] = ListPage(
    path=INBOX,
    title="Requests for people",
    noun=("request", "requests"),
    listing=LISTING,
    search="Type, device or handler",
    columns=_COLUMNS,
    titles=_TITLES,
    empty=Empty(
        "Nothing waits for people",
        "Requests appear here when nobody else takes their type, or when an agent is not sure of its answer.",
        action=(HOME, "View all requests"),
    ),
    text="Requests that only a person can move on, oldest first.",
    refresh_seconds=10,
)


def request_facts(one: DeviceRequestDetail) -> Facts:
    """What it is, and where."""
    facts = [
        ("Device", device_cell(one)),
        ("Type", Cell(one.request_type, kind="code")),
        ("Handled by", Cell(one.handled_by or _DASH)),
        ("Attempts", Cell(str(one.attempts))),
        ("Submitted", Cell(at=one.created_at, kind="time")),
    ]
    if one.lease_expires_at is not None:
        facts.append(("Lease ends", Cell(at=one.lease_expires_at, kind="time")))
    if one.answered_at is not None:
        facts.append(("Answered", Cell(at=one.answered_at, kind="time")))
    if one.failure:
        facts.append(("Last failure", Cell(one.failure)))
    facts += [
        ("Payload hash", Cell(one.payload_hash or _DASH, kind="code")),
        ("ID", Cell(str(one.id), kind="code")),
    ]
    return Facts("request", "Request", tuple(facts))


def flattened(value: Any, path: str = "") -> Iterator[tuple[str, str]]:
    """Each value of a JSON document with its path, such as `slots[0].size`."""
    if isinstance(value, Mapping) and value:
        for key, inner in value.items():
            yield from flattened(inner, f"{path}.{key}" if path else str(key))
    elif isinstance(value, list) and value:
        for number, inner in enumerate(value):
            yield from flattened(inner, f"{path}[{number}]")
    else:
        yield path, _text(value)


def _text(value: Any) -> str:
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Mapping | list):
        return "empty"
    return str(value)[:2000]


def json_table(table_id: str, title: str, document: Mapping[str, Any], empty: str) -> Table:
    """A JSON document as rows of names and values."""
    pairs = list(flattened(document)) if document else []
    more = len(pairs) - MOST_ROWS
    text = f"The first {MOST_ROWS} of {len(pairs):,} values; the API has all." if more > 0 else ""
    rows = tuple(Row((Cell(path, kind="code"), Cell(value))) for path, value in pairs[:MOST_ROWS])
    return Table(table_id, title, ("Name", "Value"), rows, text=text, empty=empty, is_stacked=True)


def metadata_table(table_id: str, pairs: Mapping[str, str]) -> Table | None:
    """What was said beside it; nothing where nothing was."""
    if not pairs:
        return None
    rows = tuple(Row((Cell(key, kind="code"), Cell(value))) for key, value in pairs.items())
    return Table(table_id, "Metadata", ("Name", "Value"), rows, is_stacked=True)


def response_panels(response: ResponseRead | None) -> tuple[Facts | Table | None, ...]:
    """The answer, and how far it is on its way."""
    if response is None:
        return ()
    facts = [
        ("Status", status_cell(RESPONSES, response.status)),
        ("Answered by", Cell(response.answered_by or _DASH)),
        ("Made by an AI agent", Cell("Yes" if response.ai_processed else "No")),
        ("Handed to the device", Cell(f"{response.delivery_attempts:,} times")),
    ]
    if response.delivered_at is not None:
        facts.append(("Delivered", Cell(at=response.delivered_at, kind="time")))
    if response.failure:
        facts.append(("Failure", Cell(response.failure)))
    return (
        Facts("response", "Response", tuple(facts)),
        json_table("content", "Content", response.content, "The response is empty."),
        metadata_table("response-metadata", response.metadata),
    )


def moves_table(changes: Sequence[StatusChange]) -> Table:
    """Each move of its status, the newest first."""
    rows = tuple(
        Row(
            (
                Cell(at=one.changed_at, kind="time"),
                Cell(f"{words_of(one.old_status)} \N{RIGHTWARDS ARROW} {words_of(one.new_status)}"),
                Cell(one.changed_by or _DASH),
                Cell(one.reason),
            )
        )
        for one in reversed(changes)
    )
    return Table(
        "moves",
        "Status history",
        ("When", "Status", "By", "Reason"),
        rows,
        empty="The request is as it was submitted.",
        is_stacked=True,
    )
