"""The door by which a list can be had as a file."""

from collections.abc import Awaitable, Callable, Sequence
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request
from pydantic import BaseModel
from sqlalchemy.ext.asyncio import AsyncSession
from starlette.responses import StreamingResponse

from fleetkeeper.audit.exports import export_list
from fleetkeeper.database.exports import RESPONSES, FileFields, FileFormat
from fleetkeeper.database.request_session import Session
from fleetkeeper.error_handlers import problem_responses
from fleetkeeper.identity.access import require
from fleetkeeper.identity.actor import Actor
from fleetkeeper.identity.permissions import Permission

Page = Callable[[AsyncSession, Actor, Sequence[tuple[str, str]]], Awaitable[Any]]


def add_export(
    router: APIRouter,
    what: str,
    permission: Permission,
    schema: type[BaseModel],
    table: str,
    page: Page,
    *,
    path: str = "/export",
) -> None:
    """Add the door to a list's router, before any route that takes one object's key.

    `page` reads one page of the list, of what its caller may see; rows are of `schema`.
    """
    may_read = require(permission)

    @router.get(
        path,
        summary=f"Export {what}",
        description=f"Download the {what} that match the filters of the list. The audit log keeps who took them.",
        response_class=StreamingResponse,
        responses={**RESPONSES, **problem_responses(401, 403, 422)},
    )
    async def export(
        request: Request,
        actor: Annotated[Actor, Depends(may_read)],
        session: Session,
        file_format: FileFormat = "csv",
        fields: FileFields = "",
    ) -> StreamingResponse:
        """Download what matches the filters of the list."""

        async def fetch(own: AsyncSession, parameters: list[tuple[str, str]]) -> Any:
            return await page(own, actor, parameters)

        return await export_list(
            request, session, fetch, schema, table, file_format=file_format, fields=fields
        )
