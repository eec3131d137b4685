"""`/archived-requests`: requests of devices that ended long ago."""

from typing import Any
from uuid import UUID

from fastapi import APIRouter, Request, Response

from fleetkeeper.console.contexts.lists import Empty
from fleetkeeper.console.contexts.panels import Cell, Facts
from fleetkeeper.console.details import Panels, Tab, show_detail
from fleetkeeper.console.forms.schema_fields import words_of
from fleetkeeper.console.forms.status_forms import status_cell
from fleetkeeper.console.lists.answering import show_list
from fleetkeeper.console.lists.declaring import Choice, Column, ListPage, QuickFilter
from fleetkeeper.console.navigation import Place, declare
from fleetkeeper.console.request_list import HOME as REQUESTS_HOME
from fleetkeeper.console.request_list import json_table
from fleetkeeper.database.request_session import AppDatabase, AppSettings, Session, context_of
from fleetkeeper.device_requests.access import RequestsRead
from fleetkeeper.device_requests.archiving import service
from fleetkeeper.device_requests.archiving.queries import LISTING
from fleetkeeper.device_requests.archiving.schemas import ArchivedRead
from fleetkeeper.device_requests.status import DEVICE_REQUESTS, ENDED
from fleetkeeper.identity.permissions import Permission

HOME = "/archived-requests"
router = APIRouter(prefix=HOME)
declare(
    Place(
        HOME,
        "Archived requests",
        "archive",
        Permission.REQUESTS_READ,
        parent=REQUESTS_HOME,
        order=14,
        words="old past retention parquet",
    )
)
PAGE: ListPage[ArchivedRead] = ListPage(
    path=HOME,
    title="Archived requests",
    noun=("request", "requests"),
    listing=LISTING,
    search="Type or device",
    quick=(
        QuickFilter("status", "Status", tuple(Choice(one, words_of(one)) for one in ENDED), is_chips=True),
    ),
    columns=(
        Column[ArchivedRead]("request_type", "Type", lambda one: Cell(one.request_type, f"{HOME}/{one.id}")),
        Column[ArchivedRead](
            "device_name", "Device", lambda one: Cell(one.device_name, f"/devices/{one.device_id}")
        ),
        Column[ArchivedRead]("status", "Status", lambda one: status_cell(DEVICE_REQUESTS, one.status)),
        Column[ArchivedRead](
            "created_at",
            "Submitted",
            lambda one: Cell(at=one.created_at, kind="time"),
            sort="created_at",
            falls_first=True,
        ),
    ),
    titles={
        "id": "ID",
        "device_id": "Device ID",
        "device": "Device",
        "department_id": "Department ID",
        "payload_hash": "Payload hash",
    },
    empty=Empty(
        "No archived requests yet",
        "Requests go here once they ended and the time under Settings \N{RIGHTWARDS ARROW} Device requests is over.",
        action=(REQUESTS_HOME, "View all requests"),
        narrowed="Try fewer filters, or choose “All”.",
    ),
)


@router.get("")
async def list_archived(request: Request, actor: RequestsRead, session: Session) -> Response:
    """All of them, the newest first."""

    async def fetch(asked: list[tuple[str, str]]) -> Any:
        return await service.list_archived(session, actor, asked)

    return await show_list(request, session, actor, PAGE, fetch, crumbs=((REQUESTS_HOME, "Device requests"),))


@router.get("/{request_id}")
async def show_archived(
    request: Request, request_id: UUID, actor: RequestsRead, database: AppDatabase, settings: AppSettings
) -> Response:
    """One of them, out of its file."""
    async with database.session(context_of(request)) as session:
        found = await service.find_archived(session, actor, request_id)
    one = await service.read_archived(settings, *found)
    facts = [
        ("Device", Cell(one.device_name, f"/devices/{one.device_id}")),
        ("Type", Cell(one.request_type, kind="code")),
        ("Status", status_cell(DEVICE_REQUESTS, one.status)),
        ("Submitted", Cell(at=one.created_at, kind="time")),
        ("Archived", Cell(at=one.archived_at, kind="time")),
        ("ID", Cell(str(one.id), kind="code")),
    ]

    async def overview() -> Panels:
        return [
            Facts("request", "Request", tuple(facts)),
            json_table("document", "As it was", one.document, "Nothing is known of it."),
        ]

    return await show_detail(
        request,
        actor,
        HOME,
        f"{one.request_type} from {one.device_name}",
        [Tab("overview", "Overview", overview)],
        crumbs=((REQUESTS_HOME, "Device requests"), (HOME, "Archived requests")),
    )
