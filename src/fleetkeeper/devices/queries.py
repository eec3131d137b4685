"""The SQL of devices."""

from collections.abc import Collection, Sequence
from datetime import date, datetime, timedelta
from typing import Any, get_args
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    Interval,
    Result,
    Select,
    Uuid,
    and_,
    any_,
    bindparam,
    cast,
    exists,
    func,
    or_,
    select,
    text,
    update,
)
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased

from fleetkeeper.annotations.fields.queries import values_of
from fleetkeeper.annotations.tags.queries import slugs_of
from fleetkeeper.devices.models import Device, DeviceSource, DeviceVitals
from fleetkeeper.devices.presence import OWN_OFFLINE_INTERVALS, next_interval
from fleetkeeper.devices.revisions.moments import SPECIAL
from fleetkeeper.devices.schemas import DeviceType, Lifecycle
from fleetkeeper.identity.actor import Actor
from fleetkeeper.identity.permissions import Permission
from fleetkeeper.kit.listing import LAST_DAY, Field, Listing

# `stale` is online, but late.
STATUSES = ("online", "stale", "offline", "unknown")
LISTING = Listing(
    fields={
        "id": Field(Device.id.expression, UUID, sortable=False),
        "name": Field(Device.name.expression, str),
        "hostname": Field(Device.hostname.expression, str),
        "status": Field(Device.status.expression, str, choices=STATUSES),
        "lifecycle": Field(Device.lifecycle.expression, str, choices=get_args(Lifecycle)),
        "device_type": Field(Device.device_type.expression, str, choices=get_args(DeviceType)),
        "department_id": Field(Device.department_id.expression, UUID, sortable=False),
        "location": Field(Device.location.expression, str, null_as="''"),
        "location_id": Field(Device.location_id.expression, UUID, sortable=False),
        "asset_tag": Field(Device.asset_tag.expression, str, null_as="''"),
        "owner": Field(Device.owner.expression, str, null_as="''"),
        "warranty_until": Field(Device.warranty_until.expression, date, null_as=LAST_DAY),
        "end_of_support_on": Field(Device.end_of_support_on.expression, date, null_as=LAST_DAY),
        "source_system": Field(Device.source_system.expression, str, null_as="''"),
        "manufacturer": Field(Device.manufacturer.expression, str, null_as="''"),
        "model": Field(Device.model.expression, str, null_as="''"),
        "domain": Field(Device.domain.expression, str, null_as="''"),
        "os_name": Field(Device.os_name.expression, str, null_as="''"),
        "os_version": Field(Device.os_version.expression, str, null_as="''"),
        "serial_number": Field(Device.serial_number.expression, str, null_as="''"),
        "cpu_cores": Field(Device.cpu_cores.expression, int, null_as="-1"),
        "memory_total_bytes": Field(Device.memory_total_bytes.expression, int, null_as="-1"),
        "first_seen": Field(Device.first_seen.expression, datetime, null_as="to_timestamp(0)"),
        "last_seen": Field(Device.last_seen.expression, datetime, null_as="to_timestamp(0)"),
        "created_at": Field(Device.created_at.expression, datetime),
        "updated_at": Field(Device.updated_at.expression, datetime),
        "cpu_percent": Field(DeviceVitals.cpu_percent.expression, float, null_as="-1", joined=True),
        "memory_percent": Field(DeviceVitals.memory_percent.expression, float, null_as="-1", joined=True),
        "disk_percent": Field(DeviceVitals.disk_percent.expression, float, null_as="-1", joined=True),
    },
    search=(Device.search_text.expression,),
    key=Device.id.expression,
    default_ordering="name",
    special=SPECIAL,
)


# Sources whose devices are no machines: the product made them for series of its own.
PRODUCT_SYSTEMS = ("fleetkeeper", "recording_rules")


def visible_to(actor: Actor, permission: Permission = Permission.DEVICES_READ) -> Select[Any]:
    """The devices that an actor may see, or do something else with; not those that were merged into others."""
    scope, visible = actor.scope(permission), select(Device).where(Device.merged_into.is_(None))
    if scope.everywhere:
        return visible
    return visible.where(Device.department_id.in_(sorted(scope.departments)))


def among(ids: Sequence[UUID]) -> ColumnElement[bool]:
    """One parameter for any number of keys."""
    return Device.id == any_(cast(list(ids), ARRAY(Uuid)))


def machines(statement: Select[Any]) -> Select[Any]:
    """The same devices without those that the product made for series of its own."""
    own = select(DeviceSource.device_id).where(DeviceSource.source_system.in_(PRODUCT_SYSTEMS))
    return statement.where(Device.id.not_in(own))


def with_vitals(statement: Select[Any], actor: Actor) -> Select[Any]:
    """The same devices, each with its vital signs, the slugs of its tags, and its custom fields."""
    tags = slugs_of("devices", Device.id.expression)
    fields = values_of(actor, "devices", Device.id.expression)
    joined = statement.join(DeviceVitals, DeviceVitals.device_id == Device.id)
    return joined.add_columns(DeviceVitals, tags, fields)


async def count_by_status(session: AsyncSession, actor: Actor, stale_before: datetime) -> dict[str, int]:
    """Number of devices by status; `stale` counts those that are shown so, which are online by their status."""
    visible = machines(visible_to(actor))
    rows: Any = await session.execute(
        visible.with_only_columns(Device.status, func.count(), maintain_column_froms=True).group_by(
            Device.status
        )
    )
    counts: dict[str, int] = {row[0]: row[1] for row in rows}
    stale = visible.where(_is_stale(Device, stale_before))
    counts["stale"] = (
        await session.scalar(stale.with_only_columns(func.count(), maintain_column_froms=True)) or 0
    )
    return counts


def conditions_of_silence(stale_before: datetime) -> dict[tuple[str, str], ColumnElement[bool]]:
    """The filters that tell stale devices from the others that are online."""
    other = aliased(Device)
    # The stale ones are few, and an index has them: they are found once and left out.
    stale = select(other.id).where(_is_stale(other, stale_before))
    return {
        ("status", "stale"): _is_stale(Device, stale_before),
        ("status", "fresh"): and_(Device.status == "online", Device.id.not_in(stale)),
    }


def _is_stale(device: Any, stale_before: datetime) -> ColumnElement[bool]:
    """The rule of `presence.shown_status`."""
    silent = and_(
        # An index serves this, and only those that it finds are asked for their rhythm.
        device.last_seen < stale_before,
        device.last_seen + _intervals(1, device=device) < stale_before,
    )
    return and_(device.status == "online", or_(device.last_seen.is_(None), silent))


# Made once: an alias of a device costs more than the question.
_NAMED, _OTHER = aliased(Device), aliased(Device)
_HAS_NAMESAKE = select(
    exists().where(
        _NAMED.id == bindparam("device_id"),
        _OTHER.id != _NAMED.id,
        _OTHER.name == _NAMED.name,
        _OTHER.department_id.is_not_distinct_from(_NAMED.department_id),
    )
)


async def has_namesake(session: AsyncSession, device_id: UUID) -> bool:
    """Whether another device of its department has its name."""
    return bool(await session.scalar(_HAS_NAMESAKE, {"device_id": device_id}))


async def shared_names(session: AsyncSession, actor: Actor, names: Collection[str]) -> set[str]:
    """Those of the names that several devices have which the actor may see."""
    statement = visible_to(actor).where(Device.name.in_(sorted(names)))
    counted = statement.with_only_columns(Device.name, maintain_column_froms=True).group_by(Device.name)
    return {*await session.scalars(counted.having(func.count() > 1))}


async def count_by_department(session: AsyncSession, actor: Actor) -> dict[UUID, int]:
    """Number of devices right in each department; those of nobody are left out."""
    visible = visible_to(actor).where(Device.department_id.is_not(None))
    rows: Any = await session.execute(
        visible.with_only_columns(Device.department_id, func.count(), maintain_column_froms=True).group_by(
            Device.department_id
        )
    )
    return {row[0]: row[1] for row in rows}


async def busiest(
    session: AsyncSession, actor: Actor, measure: str, limit: int, since: datetime
) -> Sequence[Any]:
    """The devices with the highest vital sign among those that reported since."""
    column = getattr(DeviceVitals, f"{measure}_percent")
    rows: Result[Any] = await session.execute(
        with_vitals(visible_to(actor), actor)
        .where(column.is_not(None), DeviceVitals.ts >= since)
        .order_by(column.desc(), Device.id)
        .limit(limit)
    )
    return rows.all()


def _intervals(number: float, more_seconds: float = 0.0, device: Any = Device) -> ColumnElement[timedelta]:
    """So many of a device's own intervals, and some seconds."""
    vitals = aliased(DeviceVitals)
    own = select(vitals.report_interval_seconds).where(vitals.device_id == device.id).correlate(device)
    seconds = func.coalesce(own.scalar_subquery(), 0.0) * number + more_seconds
    return func.make_interval(0, 0, 0, 0, 0, 0, seconds, type_=Interval())


async def record_presence(session: AsyncSession, seen: Sequence[tuple[UUID, datetime]]) -> None:
    """Move `last_seen` forward and set status online, for many devices at once (keys in order).

    The gaps between such moments tell each device's rhythm.
    """
    rows = await session.execute(
        text(
            """
            SELECT d.id, d.last_seen, v.report_interval_seconds AS interval
            FROM devices d JOIN device_vitals v ON v.device_id = d.id
            WHERE d.id = ANY(CAST(:keys AS uuid[])) AND d.last_seen IS NOT NULL
            """
        ),
        {"keys": [key for key, _ in seen]},
    )
    moments = dict(seen)
    gaps = {row.id: (row.interval, (moments[row.id] - row.last_seen).total_seconds()) for row in rows}
    rhythms = sorted((key, next_interval(before, gap)) for key, (before, gap) in gaps.items() if gap > 0)
    if rhythms:
        await session.execute(
            text(
                """
                UPDATE device_vitals v SET report_interval_seconds = s.interval
                FROM (SELECT unnest(CAST(:keys AS uuid[])) AS id, unnest(CAST(:intervals AS real[])) AS interval) s
                WHERE v.device_id = s.id
                """
            ),
            {"keys": [key for key, _ in rhythms], "intervals": [interval for _, interval in rhythms]},
        )
    await session.execute(
        text(
            """
            UPDATE devices d SET last_seen = s.seen, status = 'online', first_seen = coalesce(d.first_seen, s.seen)
            FROM (SELECT unnest(CAST(:keys AS uuid[])) AS id, unnest(CAST(:seen AS timestamptz[])) AS seen) s
            WHERE d.id = s.id AND (d.last_seen IS NULL OR d.last_seen < s.seen OR d.status <> 'online')
            """
        ),
        {"keys": [item[0] for item in seen], "seen": [item[1] for item in seen]},
    )


async def record_vitals(session: AsyncSession, vitals: Sequence[dict[str, Any]]) -> None:
    """Store the newest vital signs of many devices in one statement."""
    await session.execute(
        text(
            """
            UPDATE device_vitals v SET ts = s.ts, clock_skew_seconds = s.skew,
                cpu_percent = coalesce(s.cpu, v.cpu_percent),
                memory_percent = coalesce(s.memory, v.memory_percent), disk_percent = coalesce(s.disk, v.disk_percent)
            FROM (
              SELECT unnest(CAST(:keys AS uuid[])) AS device_id, unnest(CAST(:ts AS timestamptz[])) AS ts,
                     unnest(CAST(:cpu AS float8[])) AS cpu, unnest(CAST(:memory AS float8[])) AS memory,
                     unnest(CAST(:disk AS float8[])) AS disk, unnest(CAST(:skew AS real[])) AS skew
            ) s
            WHERE v.device_id = s.device_id AND (v.ts IS NULL OR s.ts > v.ts
                OR (v.ts > now() + interval '5 seconds' AND s.ts > now() - interval '5 minutes'))
            """
        ),
        {
            "keys": [item["device_id"] for item in vitals],
            "ts": [item["ts"] for item in vitals],
            "cpu": [item["cpu_percent"] for item in vitals],
            "memory": [item["memory_percent"] for item in vitals],
            "disk": [item["disk_percent"] for item in vitals],
            "skew": [item["skew"] for item in vitals],
        },
    )


async def mark_silent_offline(
    session: AsyncSession, silent_since: datetime, presence_seconds: float = 0.0
) -> int:
    """Set devices offline that have not reported since, nor for some intervals of their own; returns how many.

    Their vital signs are forgotten.
    Vital signs come first, the order in which reports write both, so that the two never wait for each other.
    """
    silent = (
        (Device.status == "online")
        & (Device.last_seen < silent_since)
        & (Device.last_seen + _intervals(OWN_OFFLINE_INTERVALS, presence_seconds) < func.now())
    )
    await session.execute(
        update(DeviceVitals)
        .where(DeviceVitals.device_id == Device.id, silent)
        .values(cpu_percent=None, memory_percent=None, disk_percent=None)
        .execution_options(synchronize_session=False)
    )
    outcome = await session.execute(
        update(Device).where(silent).values(status="offline").execution_options(synchronize_session=False)
    )
    return int(getattr(outcome, "rowcount", 0))
