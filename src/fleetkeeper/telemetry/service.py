"""Reading telemetry, and taking agents' lists of processes and sessions."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import msgspec
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from fleetkeeper.devices import service as devices
from fleetkeeper.errors import FieldError, InvalidInputError
from fleetkeeper.identity.actor import Actor
from fleetkeeper.identity.permissions import Permission
from fleetkeeper.telemetry import catalogue, login_sessions, queries
from fleetkeeper.telemetry.host_mark import HOST_MARK, key_with_host
from fleetkeeper.telemetry.models import ArchivePolicy, UserSession
from fleetkeeper.telemetry.reading import channels_of
from fleetkeeper.telemetry.schemas import (
    ArchivePolicyRead,
    ArchivePolicyUpdate,
    LatestRead,
    LatestValue,
    MetricCatalogue,
    MetricRead,
    ProcessesRead,
    SessionRead,
    SessionsRead,
)
from fleetkeeper_protocol.messages import ProcessReport, SessionReport
from fleetkeeper_protocol.metrics import BUILT_IN, describe, parse_channel


async def latest(session: AsyncSession, actor: Actor, device_id: UUID) -> LatestRead:
    """The newest frame of a device. Raises NotFoundError."""
    await devices.check_permission(session, actor, Permission.TELEMETRY_READ, device_id)
    rows = await queries.latest_of_device(session, device_id)
    values = []
    host = ""
    if any(HOST_MARK in row.key for row in rows):
        host = (await catalogue.hosts_of(session, [device_id])).get(device_id, "")
    for row in rows:
        name, labels = parse_channel(key_with_host(row.key, host))
        metric = describe(name)
        values.append(
            LatestValue(metric=name, labels=labels, value=row.value, unit=metric.unit, kind=metric.kind)
        )
    newest = max((row.ts.timestamp() for row in rows), default=None)
    return LatestRead(device=device_id, ts=newest, values=values)


async def metric_catalogue(session: AsyncSession, actor: Actor, device_id: UUID | None) -> MetricCatalogue:
    """Metrics with their units: those of a device with its label sets, or all that agents or visible devices send."""
    if device_id is None:
        known = {item.name: item for item in BUILT_IN.values()}
        used = await catalogue.metrics_in_use(session, actor)
        of_others = [item for item in used if item.name not in known]
        return MetricCatalogue(results=[_metric(item) for item in (*known.values(), *of_others)])
    await devices.check_permission(session, actor, Permission.TELEMETRY_READ, device_id)
    metrics: dict[str, MetricRead] = {}
    for channel in await channels_of(session, device_id):
        metric = metrics.setdefault(channel.metric, _metric(channel, channel.metric))
        metric.labels.append(channel.labels)
    return MetricCatalogue(results=list(metrics.values()))


def _metric(about: Any, name: str | None = None) -> MetricRead:
    name = name or about.name
    return MetricRead(
        name=name,
        unit=about.unit,
        kind=about.kind,
        group=about.group,
        description=about.description,
        is_built_in=name in BUILT_IN,
        labels=[],
    )


async def store_processes(
    session: AsyncSession, device_id: UUID, report: ProcessReport, now: datetime, max_age: timedelta
) -> int:
    """Keep lists of processes whose time is believable; returns how many were new. Raises InvalidInputError."""
    snapshots = []
    for index, item in enumerate(report.snapshots):
        moment = believable_time(item.ts, f"snapshots[{index}].ts", now, max_age)
        snapshots.append((moment, msgspec.json.encode(item.processes).decode()))
    for day in sorted({moment.date() for moment, _ in snapshots}):
        await queries.ensure_partition(session, datetime(day.year, day.month, day.day, tzinfo=UTC))
    return await queries.store_process_snapshots(session, device_id, snapshots) if snapshots else 0


async def store_sessions(
    session: AsyncSession, device_id: UUID, report: SessionReport, now: datetime, max_age: timedelta
) -> None:
    """Bring a device's login sessions up to what it says. Raises InvalidInputError."""
    moment = believable_time(report.ts, "ts", now, max_age)
    await login_sessions.reconcile(session, device_id, report.sessions, moment)


def believable_time(ts: float, field: str, now: datetime, max_age: timedelta) -> datetime:
    """Epoch seconds as a time, no later than five minutes from now. Raises InvalidInputError with the field."""
    earliest, latest_time = (now - max_age).timestamp(), (now + timedelta(minutes=5)).timestamp()
    if not earliest <= ts <= latest_time:
        message = "is too old or lies in the future; check the clock of this machine"
        raise InvalidInputError("The report's time is wrong.", fields=[FieldError(field, message)])
    return datetime.fromtimestamp(ts, UTC)


async def processes(session: AsyncSession, actor: Actor, device_id: UUID, at: datetime) -> ProcessesRead:
    """The top processes of a device at a moment. Raises NotFoundError."""
    await devices.check_permission(session, actor, Permission.TELEMETRY_READ, device_id)
    row = await queries.processes_at(session, device_id, at)
    if row is None:
        return ProcessesRead(device=device_id, ts=None, processes=[])
    return ProcessesRead(device=device_id, ts=row.ts.timestamp(), processes=row.processes)


async def sessions(session: AsyncSession, actor: Actor, device_id: UUID, limit: int) -> SessionsRead:
    """Login sessions of a device, open ones first. Raises NotFoundError."""
    await devices.check_permission(session, actor, Permission.TELEMETRY_READ, device_id)
    rows = await session.scalars(
        select(UserSession)
        .where(UserSession.device_id == device_id)
        .order_by(UserSession.is_active.desc(), UserSession.login_time.desc())
        .limit(limit)
    )
    return SessionsRead(results=[SessionRead.model_validate(row) for row in rows])


async def archive_policy(session: AsyncSession) -> ArchivePolicyRead:
    """How long snapshots are kept."""
    return ArchivePolicyRead.model_validate(await _policy(session))


async def change_archive_policy(session: AsyncSession, changes: ArchivePolicyUpdate) -> ArchivePolicyRead:
    """Change how long snapshots are kept; the next run of the retention applies it."""
    policy = await _policy(session)
    for name, value in changes.model_dump(exclude_none=True).items():
        setattr(policy, name, value)
    await session.flush()
    await session.refresh(policy)
    return ArchivePolicyRead.model_validate(policy)


async def _policy(session: AsyncSession) -> ArchivePolicy:
    policy: Any = await session.scalar(select(ArchivePolicy).order_by(ArchivePolicy.id).limit(1))
    if policy is None:
        policy = ArchivePolicy()
        session.add(policy)
        await session.flush()
        await session.refresh(policy)
    found: ArchivePolicy = policy
    return found


def device_ids(values: Sequence[str]) -> list[UUID]:
    """Read device ids, given apart or separated by commas. Raises InvalidInputError."""
    found = []
    for value in (part for text in values for part in text.split(",") if part):
        try:
            found.append(UUID(value))
        except ValueError:
            raise InvalidInputError(
                "The device is wrong.", fields=[FieldError("device", "is the UUID of a device")]
            ) from None
    return list(dict.fromkeys(found))
