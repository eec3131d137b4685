"""Files of device requests as lists and pages show them. Pure, but for reading a request's own."""

from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from fleetkeeper.cloud_files.queries import LISTING
from fleetkeeper.cloud_files.schemas import CloudFileRead, FileType
from fleetkeeper.cloud_files.service import list_files_of
from fleetkeeper.cloud_files.status import CLOUD_FILES, SyncStatus
from fleetkeeper.cloud_files.stores.schemas import Provider
from fleetkeeper.console.contexts.lists import Empty
from fleetkeeper.console.contexts.panels import Cell, Facts, RowAction, Upload
from fleetkeeper.console.details import Panels
from fleetkeeper.console.forms.schema_fields import words_of
from fleetkeeper.console.forms.status_forms import status_cell
from fleetkeeper.console.lists.declaring import Choice, Column, ListPage, QuickFilter, status_filter
from fleetkeeper.console.lists.showing import related_panel
from fleetkeeper.console.request_list import HOME as REQUESTS_HOME
from fleetkeeper.identity.actor import Actor
from fleetkeeper.kit.sizes import size_text
from fleetkeeper.settings.cloud_files import CloudFileSettings

HOME = "/cloud-files"
API = "/api/v1/cloud-files"
_DASH = "\N{EN DASH}"
_SHOWN = "200"


def _status(one: CloudFileRead) -> Cell:
    tags = status_cell(CLOUD_FILES, one.sync_status).tags
    return Cell(one.problem if one.sync_status != SyncStatus.SYNCED else "", tags=tags)


def _actions(one: CloudFileRead) -> list[RowAction]:
    if not one.problem or one.sync_status == SyncStatus.SYNCED:
        return []
    confirm = f"Copy {one.name} to its store now?"
    return [RowAction("Try again", f"{HOME}/{one.id}/retry", confirm, is_danger=False)]


FILES: ListPage[CloudFileRead] = ListPage(
    path=HOME,
    title="Cloud files",
    noun=("file", "files"),
    listing=LISTING,
    search="File or sender",
    quick=(
        status_filter(SyncStatus, "sync_status", is_chips=True),
        QuickFilter("cloud_provider", "Provider", tuple(Choice(one, one.label) for one in Provider)),
    ),
    columns=(
        Column("name", "Name", lambda one: Cell(one.name, f"{HOME}/{one.id}"), sort="name"),
        Column("sync_status", "Status", _status, sort="sync_status"),
        Column(
            "file_size_bytes",
            "Size",
            lambda one: Cell(size_text(one.file_size_bytes)),
            sort="file_size_bytes",
        ),
        Column("store_name", "Store", lambda one: Cell(one.store_name or one.cloud_provider.label)),
        Column(
            "request_type",
            "Request",
            lambda one: Cell(one.request_type or _DASH, f"{REQUESTS_HOME}/{one.request_id}?tab=files"),
        ),
        Column(
            "file_type",
            "Part of",
            lambda one: Cell(words_of(one.file_type)),
            sort="file_type",
            css="is-minor",
        ),
        Column(
            "uploaded_by", "Sent by", lambda one: Cell(one.uploaded_by), sort="uploaded_by", css="is-minor"
        ),
        Column(
            "created_at",
            "Received",
            lambda one: Cell(at=one.created_at, kind="time"),
            sort="created_at",
            falls_first=True,
        ),
    ),
    actions=_actions,
    titles={
        "id": "ID",
        "request_id": "Request ID",
        "response_id": "Response ID",
        "store_id": "Store ID",
        "department_id": "Department ID",
        "cloud_provider": "Provider",
        "sha256": "SHA-256",
        "uploaded_at": "Copied",
    },
    empty=Empty(
        "No files yet",
        "Devices add files to their requests, and people to responses. Each is copied to a cloud store.",
        action=("/cloud-stores", "View cloud stores"),
        narrowed="Try fewer filters, or choose “All”.",
    ),
    export=f"{API}/export",
    refresh_seconds=10,
)


async def request_files(
    session: AsyncSession,
    actor: Actor,
    limits: CloudFileSettings,
    request_id: UUID,
    *,
    may_write: bool,
) -> Panels:
    """The files of a request, and the form for more."""
    page = await list_files_of(session, actor, request_id, [("limit", _SHOWN)])
    all_files = f"{HOME}?request_id={request_id}"
    listed = related_panel(FILES, page, "Files", all_href=all_files)
    upload = Upload(
        "add-files",
        "Add files to the response",
        f"/api/v1/device-requests/{request_id}/files?file_type={FileType.RESPONSE}",
        limits.max_file_bytes,
        f"Up to {limits.max_file_megabytes} MiB each. The device gets them with the response.",
    )
    return [listed, upload] if may_write else [listed]


def file_facts(one: CloudFileRead) -> Facts:
    """What it is, where it is, and how far."""
    facts = [
        ("Status", status_cell(CLOUD_FILES, one.sync_status)),
        ("Request", Cell(one.request_type or _DASH, f"{REQUESTS_HOME}/{one.request_id}?tab=files")),
        ("Part of", Cell(words_of(one.file_type))),
        ("Size", Cell(size_text(one.file_size_bytes))),
        ("Sent by", Cell(one.uploaded_by or _DASH)),
        ("Received", Cell(at=one.created_at, kind="time")),
        ("Store", Cell(one.store_name or one.cloud_provider.label, f"/cloud-stores/{one.store_id}")),
        ("Path in the store", Cell(one.cloud_path, kind="code")),
    ]
    if one.uploaded_at is not None:
        facts.append(("Copied", Cell(at=one.uploaded_at, kind="time")))
    else:
        facts.append(("Copied so far", Cell(size_text(one.uploaded_bytes))))
        facts.append(("Attempts", Cell(str(one.attempts))))
    if one.sync_status == SyncStatus.PENDING:
        facts.append(("Next attempt", Cell(at=one.next_attempt_at, kind="time")))
    if one.problem:
        facts.append(("Last problem", Cell(one.problem)))
    facts += [("SHA-256", Cell(one.sha256, kind="code")), ("ID", Cell(str(one.id), kind="code"))]
    return Facts("file", "File", tuple(facts))
