"""`/cloud-files`: files of device requests, and what people do about them."""

from typing import Any
from uuid import UUID

from fastapi import APIRouter, Request, Response
from sqlalchemy.ext.asyncio import AsyncSession

from fleetkeeper.cloud_files import service
from fleetkeeper.cloud_files.status import CLOUD_FILES, SyncStatus
from fleetkeeper.console.cloud_file_list import API, FILES, HOME, file_facts
from fleetkeeper.console.contexts.panels import EntryForm
from fleetkeeper.console.details import Panels, Refusal, Tab, show_detail
from fleetkeeper.console.forms.status_forms import status_cell
from fleetkeeper.console.history import history_tab
from fleetkeeper.console.lists.answering import show_list
from fleetkeeper.console.navigation import Place, declare
from fleetkeeper.console.panels import act_form, submit
from fleetkeeper.console.request_list import HOME as REQUESTS_HOME
from fleetkeeper.console.request_list import moves_table
from fleetkeeper.console.requests import FormLists
from fleetkeeper.database.request_session import Session
from fleetkeeper.database.status_history import changes_of
from fleetkeeper.device_requests.access import RequestsRead, RequestsWrite
from fleetkeeper.errors import FleetkeeperError
from fleetkeeper.identity.access import reason_given
from fleetkeeper.identity.actor import Actor
from fleetkeeper.identity.permissions import Permission

router = APIRouter(prefix=HOME)
declare(
    Place(
        HOME,
        "Cloud files",
        "download",
        Permission.REQUESTS_READ,
        parent=REQUESTS_HOME,
        order=15,
        words="attachments uploads sharepoint google drive s3 sync failed",
    )
)


@router.get("")
async def list_files(request: Request, actor: RequestsRead, session: Session) -> Response:
    """All files, the newest first."""

    async def fetch(asked: list[tuple[str, str]]) -> Any:
        return await service.list_files(session, actor, asked)

    return await show_list(request, session, actor, FILES, fetch)


@router.get("/{file_id}")
async def show_file(request: Request, file_id: UUID, actor: RequestsRead, session: Session) -> Response:
    """One file."""
    return await _page(request, session, actor, file_id)


@router.post("/{file_id}/retry")
async def retry_file(request: Request, file_id: UUID, actor: RequestsWrite, session: Session) -> Response:
    """Copy one to its store now."""

    async def again(error: FleetkeeperError) -> Response:
        return await _page(request, session, actor, file_id, Refusal("retry", error, {}))

    tried = service.retry(session, actor, file_id)
    return await submit(request, session, tried, lambda _: f"{HOME}/{file_id}", again)


@router.post("/{file_id}/delete")
async def delete_file(
    request: Request, file_id: UUID, sent: FormLists, actor: RequestsWrite, session: Session
) -> Response:
    """Delete one."""

    async def remove() -> Any:
        await reason_given(request)
        return await service.delete_file(session, actor, file_id)

    async def again(error: FleetkeeperError) -> Response:
        return await _page(request, session, actor, file_id, Refusal("delete", error, sent))

    return await submit(
        request, session, remove(), lambda gone: f"{REQUESTS_HOME}/{gone.request_id}?tab=files", again
    )


async def _page(
    request: Request, session: AsyncSession, actor: Actor, file_id: UUID, refusal: Refusal | None = None
) -> Response:
    found = await service.get_file(session, actor, file_id)
    may_write = actor.may_in(Permission.REQUESTS_WRITE, found.department_id)

    async def overview() -> Panels:
        again = EntryForm(
            "retry",
            "Try again",
            f"{HOME}/{file_id}/retry",
            "Try again",
            text="The file is copied to its store now, from the first attempt on.",
            is_open=True,
        )
        gone = act_form(
            "delete",
            "Delete file",
            f"{HOME}/{file_id}/delete",
            "Its store loses it within minutes. This cannot be undone.",
        )
        return [
            file_facts(found),
            again if may_write and found.sync_status != SyncStatus.SYNCED else None,
            moves_table(await changes_of(session, file_id)),
            gone if may_write else None,
        ]

    return await show_detail(
        request,
        actor,
        HOME,
        found.name,
        [Tab("overview", "Overview", overview), history_tab(session, actor, "cloud_file_refs", file_id)],
        crumbs=((REQUESTS_HOME, "Device requests"), (HOME, "Cloud files")),
        tags=status_cell(CLOUD_FILES, found.sync_status).tags,
        links=((f"{API}/{file_id}/content", "Download"),),
        refusal=refusal,
    )
