"""A file's content on its way out: a part at a time, and never as a page."""

import base64
from collections.abc import AsyncIterator

from fastapi import Request
from starlette.responses import StreamingResponse

from fleetkeeper.annotations.attachments import queries
from fleetkeeper.annotations.attachments.names import OCTETS, disposition_of
from fleetkeeper.annotations.attachments.schemas import AttachmentRead
from fleetkeeper.database.context import TransactionContext
from fleetkeeper.database.engine import Database
from fleetkeeper.database.request_session import context_of
from fleetkeeper.errors import NotFoundError
from fleetkeeper.kit.services import services_of


def download_of(request: Request, file: AttachmentRead) -> StreamingResponse:
    """The file. Each part is read in a transaction of its own, so that a slow reader holds none."""
    database = services_of(request).get(Database)
    checksum = base64.b64encode(bytes.fromhex(file.sha256)).decode()
    headers = {
        "Content-Disposition": disposition_of(file.name),
        "Content-Length": str(file.size_bytes),
        "Content-Security-Policy": "default-src 'none'; sandbox",
        "X-Content-Type-Options": "nosniff",
        "Cache-Control": "private, no-store",
        "Repr-Digest": f"sha-256=:{checksum}:",
    }
    return StreamingResponse(_parts(database, context_of(request), file), media_type=OCTETS, headers=headers)


async def _parts(
    database: Database, context: TransactionContext, file: AttachmentRead
) -> AsyncIterator[bytes]:
    number, sent_bytes = 0, 0
    while sent_bytes < file.size_bytes:
        async with database.session(context) as session:
            part = await queries.part_of(session, file.id, number)
        if part is None:
            # What was promised does not come any more; the reader sees that the file is cut off.
            raise NotFoundError("The file was deleted while it was read.")
        yield part
        sent_bytes += len(part)
        number += 1
