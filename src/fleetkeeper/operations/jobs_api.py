"""`/api/v1/jobs`: what the worker does, by itself and for those who ask."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Path, Request

from fleetkeeper.database.request_session import Session
from fleetkeeper.error_handlers import problem_responses
from fleetkeeper.identity.access import ConfigWrite, OperationsRead
from fleetkeeper.identity.exporting import add_export
from fleetkeeper.identity.permissions import Permission
from fleetkeeper.jobs import service
from fleetkeeper.jobs.schemas import JobRead, RunAsked, RunPage, RunRead
from fleetkeeper.jobs.service import LISTING as RUNS_LISTING
from fleetkeeper.kit.list_query import ListParameters, listed_by
from fleetkeeper.kit.pagination import with_links
from fleetkeeper.kit.patterns import shaped
from fleetkeeper.operations import jobs_service

router = APIRouter(prefix="/jobs", tags=["jobs"])
RunsQuery = Annotated[ListParameters, listed_by(RUNS_LISTING)]

_NAME = shaped(r"^[a-z_.]+$", "be the name of a job, such as telemetry.seal")
JobName = Annotated[str, Path(max_length=80, pattern=_NAME)]


@router.get("", responses=problem_responses(401, 403))
async def list_jobs(actor: OperationsRead, session: Session) -> list[JobRead]:
    """List all jobs, each with its newest run."""
    del actor
    return await service.list_jobs(session)


@router.get("/runs", responses=problem_responses(401, 403, 422))
async def list_runs(request: Request, actor: OperationsRead, session: Session, asked: RunsQuery) -> RunPage:
    """List runs, newest first."""
    del actor
    page = await service.list_runs(session, asked)
    return with_links(page, request.url.path)


add_export(
    router,
    "job runs",
    Permission.OPERATIONS_READ,
    RunRead,
    "job_runs",
    lambda session, _, parameters: service.list_runs(session, parameters),
    path="/runs/export",
)


@router.get("/runs/{run_id}", responses=problem_responses(401, 403, 404, 422))
async def get_run(run_id: UUID, actor: OperationsRead, session: Session) -> RunRead:
    """Get one run, and how far it is."""
    del actor
    return await service.get_run(session, run_id)


@router.post("/runs/{run_id}/cancel", responses=problem_responses(400, 401, 403, 404, 409, 422))
async def cancel_run(run_id: UUID, actor: ConfigWrite, session: Session) -> RunRead:
    """Cancel a run that waits, or ask one that is under way to stop at its next step."""
    del actor
    return await jobs_service.cancel_run(session, run_id)


@router.post("/{name}/runs", status_code=202, responses=problem_responses(400, 401, 403, 404, 422))
async def run_job(name: JobName, actor: ConfigWrite, session: Session) -> RunAsked:
    """Run a job as soon as a worker can."""
    del actor
    return await jobs_service.run_job(session, name)
