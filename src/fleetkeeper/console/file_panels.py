"""Files on the pages of objects."""

from urllib.parse import urlencode
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from fleetkeeper.annotations.attachments.schemas import AttachmentRead
from fleetkeeper.annotations.attachments.service import list_attachments
from fleetkeeper.annotations.schemas import object_name
from fleetkeeper.console.contexts.panels import Cell, Panel, Row, RowAction, Table, Upload
from fleetkeeper.console.device_page import format_bytes
from fleetkeeper.identity.actor import Actor
from fleetkeeper.settings.attachments import AttachmentSettings

API = "/api/v1/attachments"
SHOWN = "200"


async def file_panels(
    session: AsyncSession,
    actor: Actor,
    limits: AttachmentSettings,
    object_type: str,
    object_id: UUID,
    *,
    may_write: bool,
) -> list[Panel]:
    """The files of an object that the actor may see, and the form for more."""
    name = object_name(object_type, object_id)
    page = await list_attachments(session, actor, name, [("limit", SHOWN)])
    rows = tuple(_row(one, may_write=may_write) for one in page.results)
    rest = page.count - len(rows)
    text = f"The newest {len(rows)} are shown." if rest else ""
    columns = ("Name", "Added")
    empty = "No files yet."
    if may_write:
        empty += " Add documents, photos or configurations for this device."
    table = Table("attachments", "Files", columns, rows, text=text, empty=empty, count=page.count)
    upload = Upload(
        "add-files",
        "Add files",
        f"{API}?{urlencode({'object': name})}",
        limits.max_file_bytes,
        f"Up to {limits.max_file_megabytes} MiB each",
    )
    return [table, upload] if may_write else [table]


def _row(one: AttachmentRead, *, may_write: bool) -> Row:
    delete = RowAction(
        "Delete", f"/attachments/{one.id}/delete", f"Delete {one.name}? This cannot be undone."
    )
    cells = (
        Cell(one.name, f"{API}/{one.id}/content", f"{format_bytes(one.size_bytes)} by {one.author}"),
        Cell(at=one.created_at, kind="time", is_soft=True),
    )
    return Row(cells, (delete,) if may_write else ())
