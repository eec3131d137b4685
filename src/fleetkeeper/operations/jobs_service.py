"""Jobs that people run and cancel. The log keeps who did: the room of jobs lies below it."""

from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from fleetkeeper.audit.recorder import record_event
from fleetkeeper.jobs import service
from fleetkeeper.jobs.schemas import RunAsked, RunRead


async def run_job(session: AsyncSession, name: str, reason: str = "") -> RunAsked:
    """Let a job run that people may ask for. Raises NotFoundError, InvalidInputError."""
    asked = await service.ask_for(session, name, reason)
    await record_event(session, "jobs.run", "jobs", str(asked.id), name)
    return asked


async def cancel_run(session: AsyncSession, run_id: UUID) -> RunRead:
    """Let a run not begin, or ask it to stop at its next step. Raises NotFoundError, ConflictError."""
    run = await service.cancel(session, run_id)
    await record_event(session, "jobs.cancel", "jobs", str(run_id), run.job)
    return run
