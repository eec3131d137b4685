"""Lists as files, which the log keeps: who took what, and by which filters."""

from typing import Any

from fastapi import Request
from pydantic import BaseModel
from sqlalchemy.ext.asyncio import AsyncSession
from starlette.responses import StreamingResponse

from fleetkeeper.audit.recorder import record_event
from fleetkeeper.database.exports import Columns, Fetch, chosen_fields, export_response, filters_of


async def export_list(
    request: Request,
    session: AsyncSession,
    fetch: Fetch,
    schema: type[BaseModel] | Columns,
    table: str,
    *,
    file_format: str,
    fields: str,
) -> StreamingResponse:
    """All rows of a list as a file; `fetch` reads one page of it. What is wrong is said before the file begins.

    Columns say what a file may have where rows are more than the fields of their schema.
    Raises InvalidInputError.
    """
    columns = schema if isinstance(schema, Columns) else Columns(list(schema.model_fields))
    named, filters = chosen_fields(columns, fields), filters_of(request)
    await fetch(session, [*filters, ("limit", "1")])
    details: dict[str, Any] = {
        "format": file_format,
        "filters": {name[:100]: text[:300] for name, text in filters},
    }
    await record_event(session, f"{table}.export", table, details=details)
    return export_response(request, fetch, columns, named, table, file_format)
