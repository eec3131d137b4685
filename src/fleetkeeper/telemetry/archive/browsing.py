"""What the doors show and ask for: files, the state of the store, and deletions."""

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from fleetkeeper.audit.recorder import record_event
from fleetkeeper.database.engine import Database, driver_connection
from fleetkeeper.devices import service as devices
from fleetkeeper.errors import FieldError, InvalidInputError, NotFoundError
from fleetkeeper.identity.actor import Actor
from fleetkeeper.identity.permissions import Permission
from fleetkeeper.jobs.queue import is_under_way
from fleetkeeper.jobs.schemas import RunAsked
from fleetkeeper.jobs.service import enqueue
from fleetkeeper.kit.clock import utc_now
from fleetkeeper.kit.ids import uuid7
from fleetkeeper.kit.listing import Field, Listing
from fleetkeeper.kit.text import is_storable
from fleetkeeper.settings import Settings
from fleetkeeper.telemetry.archive import deletion_queries
from fleetkeeper.telemetry.archive.deletion_queries import Request
from fleetkeeper.telemetry.archive.jobs import preview
from fleetkeeper.telemetry.archive.keeping_queries import read_policies
from fleetkeeper.telemetry.archive.models import ArchiveFile, TelemetryDeletion
from fleetkeeper.telemetry.archive.runs import RETAIN_TASK, outcome_of
from fleetkeeper.telemetry.archive.schemas import (
    Amounts,
    DeletionCreate,
    DeletionPage,
    DeletionRead,
    FilePage,
    FileRead,
    Outcome,
    StoreState,
)
from fleetkeeper.telemetry.archive.status import DeletionState
from fleetkeeper.telemetry.archive.store import StoreError, store_for_new
from fleetkeeper.telemetry.archive.verification import VERIFY_TASK
from fleetkeeper.telemetry.models import Metric

_EPOCH = date(1970, 1, 1)
FILES = Listing(
    fields={
        "day": Field(func.to_char(ArchiveFile.day, "YYYY-MM-DD"), str),
        "store": Field(ArchiveFile.store.expression, str),
        "path": Field(ArchiveFile.path.expression, str),
        "rows": Field(ArchiveFile.rows.expression, int),
        "size_bytes": Field(ArchiveFile.size_bytes.expression, int),
        "made_at": Field(ArchiveFile.made_at.expression, datetime),
        "problem": Field(ArchiveFile.problem.expression, str),
    },
    search=(ArchiveFile.path.expression,),
    key=ArchiveFile.id.expression,
    default_ordering="-path",
)
DELETIONS = Listing(
    fields={
        "state": Field(TelemetryDeletion.state.expression, str, choices=tuple(DeletionState)),
        "device_id": Field(TelemetryDeletion.device_id.expression, UUID, sortable=False),
        "requested_at": Field(TelemetryDeletion.requested_at.expression, datetime),
    },
    search=(TelemetryDeletion.device_name.expression, TelemetryDeletion.reason.expression),
    key=TelemetryDeletion.id.expression,
    default_ordering="-requested_at",
)


async def dry_run(database: Database, settings: Settings) -> Outcome:
    """What a run would do now."""
    run = await preview(database.url, settings)
    async with database.session() as session:
        policies = await read_policies(await driver_connection(session))
    return Outcome.model_validate(outcome_of(run, policies))


async def ask_for_run(session: AsyncSession) -> RunAsked:
    """Let the worker apply the policies as soon as it can; the log keeps who asked."""
    asked = await enqueue(session, RETAIN_TASK)
    await record_event(session, "telemetry.retention_asked", "job_runs", str(asked.id))
    return asked


async def list_files(session: AsyncSession, parameters: Sequence[tuple[str, str]]) -> FilePage:
    """One page of the files that count, newest day first."""
    statement = select(ArchiveFile).where(ArchiveFile.state == "live")
    page = await FILES.page(session, statement, parameters)
    results = [_file(row[0]) for row in page.rows]
    return FilePage(count=page.count, next=page.next, previous=page.previous, results=results)


def _file(file: ArchiveFile) -> FileRead:
    values: dict[str, Any] = {name: getattr(file, name) for name in FileRead.model_fields if name != "sha256"}
    return FileRead(**values, sha256=(file.sha256 or b"").hex())


async def store_state(session: AsyncSession, settings: Settings) -> StoreState:
    """Where the archive is, and what it holds."""
    try:
        store = store_for_new(settings)
        name, place = store.name, store.place
    except StoreError as error:
        name, place = "s3", str(error)
    row = (
        await session.execute(
            select(
                func.count(),
                func.coalesce(func.sum(ArchiveFile.rows), 0),
                func.coalesce(func.sum(ArchiveFile.size_bytes), 0),
                func.min(ArchiveFile.day),
                func.max(ArchiveFile.day),
                func.count().filter(ArchiveFile.problem != ""),
            ).where(ArchiveFile.state == "live")
        )
    ).one()
    return StoreState(
        store=name,
        place=place,
        files=row[0],
        rows=int(row[1]),
        size_bytes=int(row[2]),
        first_day=row[3],
        last_day=row[4],
        problems=row[5],
        is_running=await is_under_way(session, RETAIN_TASK),
        is_verifying=await is_under_way(session, VERIFY_TASK),
    )


async def ask_for_verification(session: AsyncSession) -> RunAsked:
    """Let the worker check every file as soon as it can."""
    asked = await enqueue(session, VERIFY_TASK)
    await record_event(session, "telemetry.archive_verification_asked", "archive_files")
    return asked


async def preview_deletion(session: AsyncSession, actor: Actor, wanted: DeletionCreate) -> Amounts:
    """What a deletion would take away. Raises NotFoundError, ForbiddenError, InvalidInputError."""
    device = await devices.check_permission(session, actor, Permission.DEVICES_DELETE, wanted.device)
    await check_deletion(session, wanted)
    request = Request(
        uuid7(),
        wanted.device,
        wanted.metric,
        None if wanted.first_day is None else (wanted.first_day - _EPOCH).days,
        None if wanted.last_day is None else (wanted.last_day - _EPOCH).days,
        utc_now() + timedelta(seconds=1),
    )
    connection = await driver_connection(session)
    channels = await deletion_queries.channels_of_metric(connection, wanted.metric)
    counts = await deletion_queries.count_all(connection, request, channels)
    return Amounts(
        device=wanted.device,
        device_name=device.name,
        metric=wanted.metric,
        first_day=wanted.first_day,
        last_day=wanted.last_day,
        **counts,
    )


async def list_deletions(session: AsyncSession, parameters: Sequence[tuple[str, str]]) -> DeletionPage:
    """One page of deletions of devices that the transaction sees, newest first."""
    page = await DELETIONS.page(session, select(TelemetryDeletion), parameters)
    results = [DeletionRead.model_validate(row[0]) for row in page.rows]
    return DeletionPage(count=page.count, next=page.next, previous=page.previous, results=results)


async def get_deletion(session: AsyncSession, deletion_id: UUID) -> DeletionRead:
    """One deletion. Raises NotFoundError."""
    deletion = await session.get(TelemetryDeletion, deletion_id)
    if deletion is None:
        raise NotFoundError("There is no such deletion.")
    return DeletionRead.model_validate(deletion)


async def check_deletion(session: AsyncSession, wanted: DeletionCreate) -> None:
    """Raise InvalidInputError for days or a metric that there cannot be."""
    problems = []
    if wanted.first_day and wanted.last_day and wanted.last_day < wanted.first_day:
        problems.append(FieldError("last_day", "Must not be before first_day"))
    for name in ("first_day", "last_day"):
        day = getattr(wanted, name)
        if day is not None and not 0 <= (day - _EPOCH).days < deletion_queries.LAST_DAY:
            problems.append(FieldError(name, "Must be between 1970 and 2069"))
    if wanted.metric is not None:
        known = is_storable(wanted.metric) and await session.scalar(
            select(Metric.id).where(Metric.name == wanted.metric)
        )
        if not known:
            problems.append(FieldError("metric", "is the name of a metric, without labels"))
    if problems:
        raise InvalidInputError("Nothing was deleted.", fields=problems)
