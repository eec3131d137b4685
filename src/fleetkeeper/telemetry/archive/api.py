"""`/api/v1/telemetry/archive`: policies, files, and the deletion of telemetry."""

from datetime import date
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Path, Query, Request

from fleetkeeper.approvals.schemas import ApprovalRead
from fleetkeeper.database.request_session import AppDatabase, AppSettings, Session
from fleetkeeper.error_handlers import problem_responses
from fleetkeeper.identity.access import ConfigRead, ConfigWrite, ReasonGiven
from fleetkeeper.jobs.schemas import RunAsked
from fleetkeeper.kit.list_query import ListParameters, listed_by
from fleetkeeper.kit.pagination import with_links
from fleetkeeper.telemetry.access import TelemetryRead
from fleetkeeper.telemetry.archive import browsing, editing, requesting
from fleetkeeper.telemetry.archive.access import TelemetryDelete
from fleetkeeper.telemetry.archive.browsing import DELETIONS as DELETIONS_LISTING
from fleetkeeper.telemetry.archive.browsing import FILES as FILES_LISTING
from fleetkeeper.telemetry.archive.schemas import (
    Amounts,
    DeletionCreate,
    DeletionPage,
    DeletionRead,
    EffectivePolicy,
    FilePage,
    Outcome,
    PolicyList,
    PolicyRead,
    PolicyWrite,
    StoreState,
)

router = APIRouter(prefix="/telemetry/archive", tags=["telemetry archive"])
DeletionsQuery = Annotated[ListParameters, listed_by(DELETIONS_LISTING)]
FilesQuery = Annotated[ListParameters, listed_by(FILES_LISTING)]

PolicyId = Annotated[int, Path(ge=1, le=2**31 - 1)]


@router.get("", responses=problem_responses(401, 403))
async def read_store(actor: ConfigRead, session: Session, settings: AppSettings) -> StoreState:
    """Read where the archive is, and what it holds."""
    del actor
    return await browsing.store_state(session, settings)


@router.get("/policies", responses=problem_responses(401, 403))
async def list_policies(actor: ConfigRead, session: Session) -> PolicyList:
    """List all policies, the strongest first."""
    del actor
    return await editing.list_policies(session)


@router.post("/policies", status_code=201, responses=problem_responses(400, 401, 403, 409, 422))
async def create_policy(wanted: PolicyWrite, actor: ConfigWrite, session: Session) -> PolicyRead:
    """Make a policy; the next run applies it."""
    del actor
    return await editing.create_policy(session, wanted)


@router.get("/policies/{policy_id}", responses=problem_responses(401, 403, 404, 422))
async def get_policy(policy_id: PolicyId, actor: ConfigRead, session: Session) -> PolicyRead:
    """Get one policy."""
    del actor
    return await editing.get_policy(session, policy_id)


@router.patch("/policies/{policy_id}", responses=problem_responses(400, 401, 403, 404, 409, 422))
async def change_policy(
    policy_id: PolicyId, changes: PolicyWrite, actor: ConfigWrite, session: Session
) -> PolicyRead:
    """Change a policy; fields that are left out stay, and null means never."""
    del actor
    return await editing.change_policy(session, policy_id, changes)


@router.delete("/policies/{policy_id}", status_code=204, responses=problem_responses(401, 403, 404, 409, 422))
async def delete_policy(policy_id: PolicyId, actor: ConfigWrite, session: Session) -> None:
    """Delete a policy; others hold for what it was for."""
    del actor
    await editing.delete_policy(session, policy_id)


@router.get("/effective", responses=problem_responses(401, 403, 404, 422))
async def read_effective_policy(
    device: UUID,
    metric: Annotated[str, Query(min_length=1, max_length=200)],
    actor: TelemetryRead,
    session: Session,
) -> EffectivePolicy:
    """Read which policy holds for a metric of a device, and why."""
    return await editing.effective_policy(session, actor, device, metric)


@router.get("/dry-run", responses=problem_responses(401, 403))
async def dry_run(actor: ConfigRead, database: AppDatabase, settings: AppSettings) -> Outcome:
    """Read what a run would move and remove now, by policy and tier. Nothing changes."""
    del actor
    return await browsing.dry_run(database, settings)


@router.post("/runs", status_code=202, responses=problem_responses(400, 401, 403))
async def ask_for_run(actor: ConfigWrite, session: Session) -> RunAsked:
    """Apply the policies as soon as the worker can; it does so each night by itself. `/jobs/runs` shows the run."""
    del actor
    return await browsing.ask_for_run(session)


@router.get("/files", responses=problem_responses(401, 403, 422))
async def list_files(request: Request, actor: ConfigRead, session: Session, asked: FilesQuery) -> FilePage:
    """List the files of the archive, newest day first."""
    del actor
    page = await browsing.list_files(session, asked)
    return with_links(page, request.url.path)


@router.post("/verify", status_code=202, responses=problem_responses(400, 401, 403))
async def ask_for_verification(actor: ConfigWrite, session: Session) -> RunAsked:
    """Check each file against its hash as soon as the worker can; the list of files shows what was found."""
    del actor
    return await browsing.ask_for_verification(session)


@router.get("/deletions/preview", responses=problem_responses(401, 403, 404, 422))
async def preview_deletion(
    device: UUID,
    actor: TelemetryDelete,
    session: Session,
    metric: Annotated[str | None, Query(min_length=1, max_length=200)] = None,
    first_day: date | None = None,
    last_day: date | None = None,
) -> Amounts:
    """Read what a deletion would take away."""
    wanted = DeletionCreate(device=device, metric=metric, first_day=first_day, last_day=last_day)
    return await browsing.preview_deletion(session, actor, wanted)


@router.post("/deletions", status_code=202, responses=problem_responses(400, 401, 403, 404, 409, 422))
async def ask_for_deletion(
    wanted: DeletionCreate, actor: TelemetryDelete, session: Session, reason: ReasonGiven
) -> DeletionRead | ApprovalRead:
    """Delete telemetry of a device in every tier; needs a reason in X-Change-Reason. It cannot be undone.

    Where an approval rule applies, the answer is the approval request, and nothing is deleted before its approval.
    """
    return await requesting.ask_for_deletion(session, actor, wanted, reason)


@router.get("/deletions", responses=problem_responses(401, 403, 422))
async def list_deletions(
    request: Request, actor: TelemetryDelete, session: Session, asked: DeletionsQuery
) -> DeletionPage:
    """List deletions, newest first."""
    del actor
    page = await browsing.list_deletions(session, asked)
    return with_links(page, request.url.path)


@router.get("/deletions/{deletion_id}", responses=problem_responses(401, 403, 404, 422))
async def get_deletion(deletion_id: UUID, actor: TelemetryDelete, session: Session) -> DeletionRead:
    """Get one deletion, and how far it is."""
    del actor
    return await browsing.get_deletion(session, deletion_id)
