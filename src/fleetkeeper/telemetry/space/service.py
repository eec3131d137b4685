"""What telemetry takes, and whether it keeps up."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy.ext.asyncio import AsyncSession

from fleetkeeper.audit.recorder import record_event
from fleetkeeper.database.context import product_context
from fleetkeeper.database.engine import Database
from fleetkeeper.identity.actor import Actor
from fleetkeeper.jobs.queue import is_under_way
from fleetkeeper.jobs.schemas import RunAsked
from fleetkeeper.jobs.service import enqueue, newest_run
from fleetkeeper.kit.clock import utc_now
from fleetkeeper.settings.telemetry import TelemetrySettings
from fleetkeeper.telemetry.archive.runs import RETAIN_TASK
from fleetkeeper.telemetry.space import queries
from fleetkeeper.telemetry.space.counting import TIERS
from fleetkeeper.telemetry.space.jobs import MEASURE_TASK, next_measurement
from fleetkeeper.telemetry.space.schemas import (
    Arrival,
    Backlog,
    Cardinality,
    DeviceSpace,
    DeviceSpacePage,
    GroupSpace,
    Health,
    History,
    HistoryPoint,
    LabelCount,
    NewChannels,
    Offender,
    RatePoint,
    Space,
    SpaceRead,
    TierSpace,
)

# A history has about this many points.
POINTS = 240
RATE_STEP = timedelta(minutes=5)
# The rate of now is that of so many whole minutes: what a process counts it tells every ten seconds.
NOW_MINUTES = 2
NEAR_LIMIT = 0.8
OFFENDERS = 10
LABELS = 5
NEW_DAYS = 14


async def read_space(session: AsyncSession, now: datetime | None = None) -> SpaceRead:
    """What each tier and group takes, as last measured, and how much has arrived since."""
    totals = {row.tier: row for row in await queries.newest_totals(session)}
    groups: dict[str, dict[str, Space]] = {}
    for row in await queries.newest_groups(session):
        groups.setdefault(row.metric_type, {})[row.tier] = _space(row.samples, row.size_bytes)
    tiers = [
        TierSpace(
            tier=tier,
            measured_at=totals[tier].measured_at,
            **_space(totals[tier].samples, totals[tier].size_bytes).model_dump(),
        )
        for tier in TIERS
        if tier in totals
    ]
    per_sample = {tier.tier: tier.bytes_per_sample for tier in tiers}
    hot, sealed = per_sample.get("hot"), per_sample.get("sealed")
    newest = max((tier.measured_at for tier in tiers), default=None)
    return SpaceRead(
        measured_at=newest,
        next_measurement_at=next_measurement(now or utc_now()),
        samples=sum(tier.samples for tier in tiers if tier.tier != "rollups"),
        arrived_since=await queries.accepted_since(session, newest),
        size_bytes=sum(tier.size_bytes for tier in tiers),
        tiers=tiers,
        groups=sorted(
            (_group(name, of) for name, of in groups.items()),
            key=lambda one: (-one.size_bytes, one.metric_type),
        ),
        unshared_bytes=sum(tier.size_bytes for tier in tiers if not _is_shared(tier.tier, groups)),
        compression_ratio=hot / sealed if hot and sealed else None,
        is_measuring=await is_under_way(session, MEASURE_TASK),
        measured_tiers=sum(tier.measured_at == newest for tier in tiers),
    )


def _is_shared(tier: str, groups: dict[str, dict[str, Space]]) -> bool:
    return any(tier in tiers for tiers in groups.values())


def _space(samples: int, size_bytes: int) -> Space:
    return Space(
        samples=samples, size_bytes=size_bytes, bytes_per_sample=size_bytes / samples if samples else None
    )


def _group(name: str, tiers: dict[str, Space]) -> GroupSpace:
    return GroupSpace(
        metric_type=name,
        samples=sum(one.samples for tier, one in tiers.items() if tier != "rollups"),
        size_bytes=sum(one.size_bytes for one in tiers.values()),
        tiers=tiers,
    )


async def read_history(session: AsyncSession, days: int, now: datetime | None = None) -> History:
    """The totals of the last days; of many measurements the last one of each step."""
    end = now or utc_now()
    span = timedelta(days=days)
    rows = await queries.totals_between(session, end - span, end, max(span / POINTS, timedelta(hours=1)))
    return History(results=[HistoryPoint(at=row.at, tiers=row.tiers) for row in rows])


async def list_devices(
    session: AsyncSession, actor: Actor, parameters: Sequence[tuple[str, str]]
) -> DeviceSpacePage:
    """One page of devices with what they take, the largest first."""
    page = await queries.DEVICES.page(session, queries.devices_of(actor), parameters)
    results = [
        DeviceSpace(
            device=row[0].id,
            name=row[0].name,
            **{
                name: int(getattr(row, name))
                for name in DeviceSpace.model_fields
                if name not in {"device", "name"}
            },
        )
        for row in page.rows
    ]
    return DeviceSpacePage(count=page.count, next=page.next, previous=page.previous, results=results)


async def read_health(
    database: Database, limits: TelemetrySettings, *, now: datetime | None = None
) -> Health:
    """How much arrives, what was not taken, and what waits. Looks at the whole fleet, and names no device."""
    now = now or utc_now()
    minute = now.replace(second=0, microsecond=0)
    day_ago = minute - timedelta(hours=24)
    async with database.session(product_context("job", "telemetry.read_health")) as session:
        rates = {
            row.at: int(row.number) for row in await queries.rates_since(session, day_ago, minute, RATE_STEP)
        }
        recent = await queries.rates_since(
            session, minute - timedelta(minutes=NOW_MINUTES), minute, timedelta(minutes=NOW_MINUTES)
        )
        sealing = await queries.due_frames(session, now - timedelta(minutes=limits.seal_after_minutes))
        today = now.replace(hour=0, minute=0, second=0, microsecond=0)
        merging = await queries.scattered_days(
            session, today - timedelta(days=limits.max_age_days + 1), today
        )
        rollups = await queries.changed_days(session)
        run = await newest_run(session, RETAIN_TASK)
        arrived = await queries.arrivals_since(session, day_ago)
        return Health(
            now=now,
            samples_per_second=sum(int(row.number) for row in recent) / (60 * NOW_MINUTES),
            arrived=[Arrival.model_validate(row, from_attributes=True) for row in arrived],
            rates=_every_step(rates, day_ago, minute),
            sealing=Backlog(waiting=sealing.waiting, oldest=sealing.oldest),
            rollups=Backlog(waiting=rollups.waiting, oldest=rollups.oldest),
            merging=Backlog(waiting=merging.waiting, oldest=merging.oldest),
            archive_run=run,
            dropped_by_agents=await queries.dropped_by_agents(session),
            seal_after_minutes=limits.seal_after_minutes,
        )


def _every_step(found: dict[datetime, int], start: datetime, end: datetime) -> list[RatePoint]:
    steps = round((end - start) / RATE_STEP)
    moments = (start + number * RATE_STEP for number in range(steps))
    seconds = RATE_STEP.total_seconds()
    return [RatePoint(at=at, samples_per_second=found.get(at, 0) / seconds) for at in moments]


async def read_cardinality(session: AsyncSession, actor: Actor, limits: TelemetrySettings) -> Cardinality:
    """How many channels there are, and which devices have most of them."""
    counts = await queries.count_channels(session)
    limit = limits.max_channels_per_device
    worst = await queries.devices_with_many_channels(session, actor, OFFENDERS)
    labels: dict[object, list[LabelCount]] = {}
    if worst:
        for row in await queries.labels_of(session, [device_id for device_id, _, _ in worst], LABELS):
            labels.setdefault(row.device_id, []).append(
                LabelCount(label=row.label, values=row.values, channels=row.channels)
            )
    today = utc_now().date()
    start = today - timedelta(days=NEW_DAYS - 1)
    midnight = utc_now().replace(hour=0, minute=0, second=0, microsecond=0) - timedelta(days=NEW_DAYS - 1)
    new = {row.day: row.channels for row in await queries.new_channels(session, midnight)}
    return Cardinality(
        channels=counts.channels,
        metrics=counts.metrics,
        max_channels_per_device=limit,
        devices_near_limit=await queries.count_at_least(session, limit * NEAR_LIMIT),
        offenders=[
            Offender(
                device=device_id,
                name=name,
                channels=channels,
                share_of_limit=channels / limit,
                labels=labels.get(device_id, []),
            )
            for device_id, name, channels in worst
        ],
        new_channels=[
            NewChannels(day=day, channels=new.get(day, 0))
            for day in (start + timedelta(days=number) for number in range(NEW_DAYS))
        ],
    )


async def ask_for_measurement(session: AsyncSession) -> RunAsked:
    """Let the worker measure as soon as it can; it does so each hour by itself."""
    asked = await enqueue(session, MEASURE_TASK)
    await record_event(session, "telemetry.measurement_asked", "space_totals")
    return asked
