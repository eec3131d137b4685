"""Lists as files: all pages of a list, each in a transaction of its own, with what the caller may see."""

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Literal
from urllib.parse import parse_qs

from fastapi import Query, Request
from pydantic import BaseModel
from sqlalchemy.ext.asyncio import AsyncSession
from starlette.responses import StreamingResponse

from fleetkeeper.database.context import TransactionContext
from fleetkeeper.database.engine import Database
from fleetkeeper.database.request_session import context_of
from fleetkeeper.errors import FieldError, InvalidInputError
from fleetkeeper.kit.services import services_of
from fleetkeeper.kit.table_files import KINDS, table_file

PAGE = 1000
# What the address of an export says beside the filters of its list.
_OWN = frozenset({"format", "fields", "limit", "cursor"})
FileFormat = Annotated[
    Literal["csv", "xlsx", "json", "yaml"], Query(alias="format", description="Format of the file")
]
FileFields = Annotated[
    str, Query(alias="fields", max_length=2000, description="Fields, with commas; all where none is named")
]
Fetch = Callable[[AsyncSession, list[tuple[str, str]]], Awaitable[Any]]
RESPONSES: dict[int | str, dict[str, Any]] = {200: {"content": {kind: {} for kind in KINDS.values()}}}


def filters_of(request: Request) -> list[tuple[str, str]]:
    """The list's own part of an export's address."""
    return [item for item in request.query_params.multi_items() if item[0] not in _OWN]


@dataclass(frozen=True)
class Columns:
    """What a file may have of a row: all fields of its schema, or those of rows that are more than that."""

    names: Sequence[str]
    values: Callable[[Any], dict[str, Any]] = BaseModel.model_dump


def chosen_fields(columns: Columns, asked: str) -> list[str]:
    """The fields that a file has. Raises InvalidInputError for one that there is not."""
    names = [name.strip() for name in asked.split(",") if name.strip()] or list(columns.names)
    unknown = [name for name in names if name not in columns.names]
    if unknown:
        known = ", ".join(columns.names)
        raise InvalidInputError(
            "The export was not begun.",
            fields=[FieldError("fields", f"There is no field {unknown[0]!r}; there are {known}")],
        )
    return list(dict.fromkeys(names))


def export_response(
    request: Request, fetch: Fetch, columns: Columns, fields: Sequence[str], name: str, file_format: str
) -> StreamingResponse:
    """All rows of a list as a file; `fetch` reads one page of it by the parameters of its address."""
    database = services_of(request).get(Database)
    pages = _pages(database, context_of(request), fetch, columns, filters_of(request))
    return StreamingResponse(
        table_file(pages, fields, file_format),
        media_type=KINDS[file_format],
        headers={
            "Content-Disposition": f'attachment; filename="{name}.{file_format}"',
            "Cache-Control": "no-store",
        },
    )


async def _pages(
    database: Database,
    context: TransactionContext,
    fetch: Fetch,
    columns: Columns,
    parameters: list[tuple[str, str]],
) -> AsyncIterator[list[dict[str, Any]]]:
    cursor = ""
    while True:
        asked = [*parameters, ("limit", str(PAGE)), ("cursor", cursor)]
        async with database.session(context) as session:
            page = await fetch(session, asked)
        yield [columns.values(row) for row in page.results]
        if page.next is None:
            return
        cursor = parse_qs(page.next.partition("?")[2])["cursor"][0]
