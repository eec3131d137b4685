"""Events of the rooms below this one, which cannot emit them themselves."""

from datetime import timedelta
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from fleetkeeper.audit.jobs import CHECK_FAILED
from fleetkeeper.database.context import product_context
from fleetkeeper.jobs.declaring import job
from fleetkeeper.jobs.failures import RUN_FAILED
from fleetkeeper.jobs.run import Run
from fleetkeeper.kit.clock import utc_now
from fleetkeeper.notifications import queries
from fleetkeeper.notifications.events import ObjectRef, Severity, declare_event, emit

TOKEN_DAYS = 7
# A job that fails each minute tells of it once in this time.
QUIET_AFTER_FAILURE = timedelta(hours=1)

RUN_FAILED_EVENT = declare_event(
    "jobs.run_failed",
    "A job failed",
    subject="Job failed: {subject}",
    body="The job “{subject}” ({job}) failed and is not retried: {error}",
    fields=("job", "error"),
    severity=Severity.WARNING,
)
TOKEN_EXPIRING = declare_event(
    "identity.token_expiring",
    "An API token expires soon",
    subject="Your API token {subject} expires on {expires_on}",
    body="Your API token “{subject}” expires on {expires_on} (UTC). Rotate it, or replace it where it is used.",
    fields=("expires_on",),
    severity=Severity.WARNING,
)
AUDIT_CHECK_FAILED = declare_event(
    "audit.check_failed",
    "The audit log was changed",
    subject="The audit log does not match its seals",
    body="A check of the audit log found a difference: {finding}",
    fields=("finding",),
    severity=Severity.CRITICAL,
)


@RUN_FAILED.add
async def tell_of_failed_run(session: AsyncSession, name: str, title: str, run_id: UUID, error: str) -> None:
    """Emit `jobs.run_failed`, but for this room's own jobs: what cannot be told of cannot tell of that either."""
    since = utc_now() - QUIET_AFTER_FAILURE
    if name.startswith("notifications.") or await queries.was_told(
        session, RUN_FAILED_EVENT.name, title, since
    ):
        return
    subject = ObjectRef("job_run", str(run_id), title, "/jobs")
    await emit(session, RUN_FAILED_EVENT.name, subject=subject, job=name, error=error)


@CHECK_FAILED.add
async def tell_of_failed_check(session: AsyncSession, finding: str) -> None:
    """Emit `audit.check_failed`."""
    subject = ObjectRef("audit", "audit_log", "Audit log", "/audit")
    await emit(session, AUDIT_CHECK_FAILED.name, subject=subject, finding=finding)


@job(
    "identity.tell_of_expiring_tokens",
    "Remind of expiring tokens",
    cron="7 6 * * *",
    is_quiet=True,
    manual_run=True,
)
async def tell_of_expiring_tokens(run: Run) -> None:
    """Emit `identity.token_expiring` once for each token that expires within a week, to its owner."""
    now = utc_now()
    async with run.database.session(product_context("job", "identity.tell_of_expiring_tokens")) as session:
        for token in await queries.expiring_tokens(session, TOKEN_EXPIRING.name, now, TOKEN_DAYS):
            await emit(
                session,
                TOKEN_EXPIRING.name,
                subject=ObjectRef("api_token", str(token.id), token.name, "/account"),
                to_users=[token.user_id],
                expires_on=f"{token.expires_at:%Y-%m-%d}",
            )
