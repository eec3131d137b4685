"""`/jobs`: what the worker does, and how far it is."""

from functools import partial
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Path, Request, Response

from fleetkeeper.console.job_panels import HOME, jobs_table, run_list
from fleetkeeper.console.lists.answering import show_list
from fleetkeeper.console.navigation import Place, declare
from fleetkeeper.console.toasts import told
from fleetkeeper.database.request_session import Session
from fleetkeeper.identity.access import ConfigWrite, OperationsRead
from fleetkeeper.identity.permissions import Permission
from fleetkeeper.jobs import service
from fleetkeeper.operations import jobs_service

router = APIRouter(prefix=HOME)
declare(
    Place(
        "/jobs",
        "Jobs",
        "refresh",
        Permission.OPERATIONS_READ,
        group="System",
        order=70,
        key="j",
        words="runs worker queue schedule",
    )
)


@router.get("")
async def show_jobs(request: Request, actor: OperationsRead, session: Session) -> Response:
    """Runs and jobs."""
    may_write = actor.may(Permission.CONFIG_WRITE)
    after = [jobs_table(await service.list_jobs(session), may_run=may_write)]
    page = run_list(may_cancel=may_write)
    return await show_list(request, session, actor, page, partial(service.list_runs, session), after=after)


@router.post("/runs/{run_id}/cancel")
async def cancel_run(request: Request, run_id: UUID, actor: ConfigWrite, session: Session) -> Response:
    """Cancel a run."""
    del actor
    run = await jobs_service.cancel_run(session, run_id)
    return told(request, HOME, f"Cancelled “{run.title}”" if run.finished_at else f"Stopping “{run.title}”")


@router.post("/{name}/run")
async def run_job(
    request: Request, name: Annotated[str, Path(max_length=80)], actor: ConfigWrite, session: Session
) -> Response:
    """Run a job as soon as a worker can."""
    del actor
    asked = await jobs_service.run_job(session, name)
    title = (await service.get_run(session, asked.id)).title
    return told(request, HOME, f"Queued “{title}”" if asked.is_new else f"“{title}” is already queued")
