"""What the worker does for the log: partitions, seals, archives and the nightly check."""

from collections.abc import Callable
from dataclasses import asdict
from typing import Any

import structlog
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncSession

from fleetkeeper.audit import archive, newest_seal, queries
from fleetkeeper.audit.archive_files import ArchivedMonths, archive_folder
from fleetkeeper.audit.chain import SealingStoppedError
from fleetkeeper.audit.recorder import record_event
from fleetkeeper.audit.seals import Seal
from fleetkeeper.audit.service import seal_entries
from fleetkeeper.audit.signing_key import signing_key
from fleetkeeper.audit.verification import Report, Verification
from fleetkeeper.config.service import read_config
from fleetkeeper.database.context import TransactionContext, product_context
from fleetkeeper.database.engine import Database
from fleetkeeper.database.listeners import Listeners
from fleetkeeper.errors import ConflictError
from fleetkeeper.jobs.declaring import job
from fleetkeeper.jobs.run import Run
from fleetkeeper.kit.clock import utc_now
from fleetkeeper.settings import Settings

log = structlog.get_logger(__name__)

# Told when a check finds the log changed, with the first finding.
CHECK_FAILED: Listeners[[str]] = Listeners()

VERIFIED = "audit.verified"
VERIFY_TASK = "audit.verify"
SEALING = "audit.sealing"
STOPPED, RESUMED = "audit.sealing_stopped", "audit.sealing_resumed"
FINDINGS_KEPT = 20
Progress = Callable[[int], None]


async def manage_partitions(database: Database) -> None:
    """Make the partitions of this month and the next two."""
    async with database.session(product_context("job", "audit.manage_partitions")) as session:
        await session.execute(text("SELECT manage_audit_partitions()"))


async def seal(
    keeper: Database,
    settings: Settings,
    context: TransactionContext | None = None,
    progress: Progress | None = None,
) -> list[Seal]:
    """Seal all that can be sealed; returns the new seals. `keeper` is a login of the log's keeper.

    Raises SealingStoppedError.
    """
    made: list[Seal] = []
    while seals := await seal_some(keeper, settings, context):
        made += seals
        if progress is not None:
            progress(sum(one.entries for one in seals))
    return made


async def seal_some(
    keeper: Database, settings: Settings, context: TransactionContext | None = None
) -> list[Seal]:
    """The same for about half a million entries. The log keeps when sealing stopped, and when it went on."""
    key = signing_key(settings)
    context = (context or product_context("job", "audit.seal")).of_keeper()
    try:
        async with keeper.session(context) as session:
            seals = await seal_entries(session, key, settings.home, utc_now())
            if seals:
                await _tell(session, RESUMED, "")
    except SealingStoppedError as error:
        async with keeper.session(context) as session:
            await queries.lock_sealing(session)
            await _tell(session, STOPPED, error.detail)
        raise
    if seals:
        newest_seal.note(settings.home, seals[-1])
    return seals


async def go_on_after_restore(keeper: Database, settings: Settings, context: TransactionContext) -> None:
    """Take the newest seal of a restored database for the newest; the log keeps who said so."""
    async with keeper.session(context.of_keeper()) as session:
        await queries.lock_sealing(session)
        await record_event(session, "audit.restored", "audit", SEALING)
    newest_seal.forget(settings.home)


async def _tell(session: AsyncSession, action: str, reason: str) -> None:
    """Record that sealing stopped or went on, if that is news."""
    last, details = await queries.last_event(session, SEALING) or (RESUMED, {})
    if (action, reason) != (last, details.get("reason", "")):
        await record_event(session, action, "audit", SEALING, details={"reason": reason} if reason else None)


async def seal_each_minute(keeper: Database, settings: Settings) -> None:
    """Seal; what stops it is an error in the log, each time, and no reason to try again before the next minute."""
    try:
        await seal(keeper, settings)
    except SealingStoppedError as error:
        log.error("the audit log is not sealed", reason=error.detail)  # noqa: TRY400 - its trace says nothing


async def verify(
    database: Database,
    settings: Settings,
    context: TransactionContext | None = None,
    *,
    expected: bytes | None = None,
    progress: Progress | None = None,
) -> Report:
    """Check the whole log, some seals to a transaction. `progress` is told how many entries were checked."""
    context = context or product_context("job", "audit.verify")
    key = signing_key(settings)
    while True:
        report, is_settled = await _check_once(database, settings, context, key, expected, progress)
        if report.is_sound or is_settled:
            return report


async def _check_once(
    database: Database,
    settings: Settings,
    context: TransactionContext,
    key: bytes,
    expected: bytes | None,
    progress: Progress | None,
) -> tuple[Report, bool]:
    """One check, and whether the archive stood still meanwhile: entries on their way into a file are not missing."""
    async with database.session(context) as session:
        before = await queries.archives(session)
        months = ArchivedMonths(archive_folder(settings.home), before, key)
    check = Verification(key, months, expected)
    try:
        check.noted = newest_seal.read_noted(settings.home)
    except ConflictError as error:
        check.report.add("seal_missing", error.detail)
    more = True
    while more:
        checked = check.report.entries + check.report.archived_entries
        async with database.session(context) as session:
            more = await check.step(session)
        if progress is not None:
            progress(check.report.entries + check.report.archived_entries - checked)
    async with database.session(context) as session:
        report = await check.finish(session)
        after = await queries.archives(session)
    return report, [one.signature for one in before] == [one.signature for one in after]


async def verify_nightly(database: Database, settings: Settings) -> Report:
    """Check the log and keep the outcome as an event, which the console shows."""
    report = await verify(database, settings)
    if not report.is_sound:
        log.error("the audit log is not as it was sealed", first=report.findings[0].message)
    async with database.session(product_context("job", "audit.verify")) as session:
        await record_event(session, VERIFIED, "audit", VERIFIED, details=outcome_of(report))
        if not report.is_sound:
            await CHECK_FAILED.tell(session, report.findings[0].message)
    return report


def outcome_of(report: Report) -> dict[str, Any]:
    """A report as JSON, with its first findings."""
    kept = asdict(report)
    kept["findings"] = [
        {
            name: value if name != "timestamp" or value is None else value.isoformat()
            for name, value in one.items()
        }
        for one in kept["findings"][:FINDINGS_KEPT]
    ]
    return {"sound": report.is_sound} | kept


async def archive_old_months(
    keeper: Database, settings: Settings, context: TransactionContext | None = None
) -> list[str]:
    """Archive the months that are due and remove the files past their retention; returns the new files' names.

    `keeper` is a login of the log's keeper. A month that cannot go yet is left for the next day, with a line in the
    product's log.
    """
    context = (context or product_context("job", "audit.archive")).of_keeper()
    key = signing_key(settings)
    async with keeper.session(context) as session:
        config = (await read_config(session)).audit
        due = await archive.due_months(session, utc_now().date(), config.archive_after_months)
    written: list[str] = []
    for month in due:
        try:
            async with keeper.session(context) as session:
                written.append(
                    (await archive.archive_month(session, key, settings.home, month, utc_now())).file_name
                )
        except (ConflictError, SQLAlchemyError, OSError) as error:
            log.warning(
                "a month of the audit log was not archived", month=f"{month:%Y-%m}", reason=str(error)
            )
    async with keeper.session(context) as session:
        await archive.expire_archives(session, key, utc_now(), config.retention_months)
    async with keeper.session(context) as session:
        await archive.remove_expired_files(session, settings.home)
    return written


@job("audit.manage_partitions", "Manage audit log partitions", cron="3 0 * * *", is_quiet=True)
async def manage_partitions_nightly(run: Run) -> None:
    """Keep the partitions as they must be."""
    await manage_partitions(run.database)


@job("audit.seal", "Seal the audit log", cron="* * * * *", is_quiet=True)
async def seal_by_schedule(run: Run) -> None:
    """Seal what came in the last minute."""
    await seal_each_minute(run.tools.keeper, run.settings)


@job("audit.archive", "Archive the audit log", cron="41 1 * * *")
async def archive_by_schedule(run: Run) -> None:
    """Move old months into files."""
    await archive_old_months(run.tools.keeper, run.settings)


@job(VERIFY_TASK, "Verify the audit log", cron="17 2 * * *", manual_run=True)
async def verify_by_schedule(run: Run) -> None:
    """Check every entry against the seals."""
    await verify_nightly(run.database, run.settings)
