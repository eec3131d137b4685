"""The SQL that reads measurements, and asks how far the work is."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import Select, bindparam, case, func, select, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.types import Uuid

from fleetkeeper.devices.models import Device
from fleetkeeper.devices.queries import visible_to
from fleetkeeper.identity.actor import Actor
from fleetkeeper.identity.permissions import Permission
from fleetkeeper.kit.listing import Field, Listing
from fleetkeeper.telemetry.chunks.queries import MAX_MOMENTS
from fleetkeeper.telemetry.space.models import SpaceChannels, SpaceDevice

_TIERS = ("hot", "sealed", "rollups", "archive")
_SUMS = (
    select(
        SpaceDevice.device_id,
        func.sum(case((SpaceDevice.tier != "rollups", SpaceDevice.samples), else_=0)).label("samples"),
        func.sum(SpaceDevice.size_bytes).label("size_bytes"),
        *(
            func.coalesce(func.sum(SpaceDevice.size_bytes).filter(SpaceDevice.tier == tier), 0).label(
                f"{tier}_bytes"
            )
            for tier in _TIERS
        ),
    )
    .group_by(SpaceDevice.device_id)
    .subquery("sums")
)
_CHANNELS = func.coalesce(SpaceChannels.channels, 0)
DEVICES = Listing(
    fields={
        "name": Field(Device.name.expression, str),
        **{
            name: Field(_SUMS.c[name], int, sortable=True)
            for name in ("samples", "size_bytes", *(f"{tier}_bytes" for tier in _TIERS))
        },
        "channels": Field(_CHANNELS, int),
    },
    search=(Device.name.expression, Device.hostname.expression),
    key=Device.id.expression,
    default_ordering="-size_bytes",
)


def devices_of(actor: Actor) -> Select[Any]:
    """Devices that the actor may see, each with what it takes."""
    return (
        visible_to(actor, Permission.TELEMETRY_READ)
        .join(_SUMS, _SUMS.c.device_id == Device.id)
        .outerjoin(SpaceChannels, SpaceChannels.device_id == Device.id)
        .add_columns(
            *(_SUMS.c[name] for name in ("samples", "size_bytes", *(f"{tier}_bytes" for tier in _TIERS))),
            _CHANNELS.label("channels"),
        )
    )


_NEWEST = """
    unnest(CAST(ARRAY['hot', 'sealed', 'rollups', 'archive'] AS text[])) AS known (tier)
    CROSS JOIN LATERAL (
        SELECT measured_at, samples, size_bytes FROM space_totals t WHERE t.tier = known.tier
        ORDER BY measured_at DESC LIMIT 1
    ) newest
"""


async def newest_totals(session: AsyncSession) -> Sequence[Any]:
    """Of each tier the newest measurement: tier, measured_at, samples, size_bytes."""
    rows = await session.execute(
        text(f"SELECT known.tier, measured_at, samples, size_bytes FROM {_NEWEST}")  # noqa: S608 - a constant
    )
    return rows.all()


async def newest_groups(session: AsyncSession) -> Sequence[Any]:
    """The groups of each tier's newest measurement: tier, metric_type, samples, size_bytes."""
    rows = await session.execute(
        text(
            f"SELECT g.tier, g.metric_type, g.samples, g.size_bytes FROM {_NEWEST} "  # noqa: S608 - a constant
            "JOIN space_groups g ON g.tier = known.tier AND g.measured_at = newest.measured_at"
        )
    )
    return rows.all()


async def totals_between(
    session: AsyncSession, start: datetime, end: datetime, step: timedelta
) -> Sequence[Any]:
    """The last measurement of each step, oldest first: at, and {tier: bytes}."""
    rows = await session.execute(
        text(
            """
            SELECT max(measured_at) AS at, jsonb_object_agg(tier, size_bytes) AS tiers FROM (
                SELECT DISTINCT ON (tier, step) tier, size_bytes, measured_at, step FROM (
                    SELECT *, date_bin(CAST(:step AS interval), measured_at, CAST(:start AS timestamptz)) AS step
                    FROM space_totals WHERE measured_at >= :start AND measured_at <= :end
                ) t ORDER BY tier, step, measured_at DESC
            ) last GROUP BY step ORDER BY step
            """
        ),
        {"start": start, "end": end, "step": step},
    )
    return rows.all()


async def rates_since(
    session: AsyncSession, start: datetime, end: datetime, step: timedelta
) -> Sequence[Any]:
    """Samples accepted in each step that has any, oldest first: at, number."""
    rows = await session.execute(
        text(
            """
            SELECT date_bin(CAST(:step AS interval), minute, CAST(:start AS timestamptz)) AS at, sum(number) AS number
            FROM intake_minutes WHERE outcome = 'accepted' AND minute >= :start AND minute < :end
            GROUP BY 1 ORDER BY 1
            """
        ),
        {"start": start, "end": end, "step": step},
    )
    return rows.all()


async def arrivals_since(session: AsyncSession, start: datetime) -> Sequence[Any]:
    """What became of what arrived: protocol, outcome, reason, number; the most first."""
    rows = await session.execute(
        text(
            """
            SELECT protocol, outcome, reason, sum(number)::bigint AS number FROM intake_minutes WHERE minute >= :start
            GROUP BY protocol, outcome, reason ORDER BY number DESC, protocol, outcome, reason LIMIT 200
            """
        ),
        {"start": start},
    )
    return rows.all()


async def accepted_since(session: AsyncSession, start: datetime | None) -> int:
    """Samples stored since the minute of a moment, or all that are known of."""
    value = await session.scalar(
        text(
            "SELECT coalesce(sum(number), 0)::bigint FROM intake_minutes WHERE outcome = 'accepted' "
            "AND (CAST(:start AS timestamptz) IS NULL OR minute >= date_trunc('minute', CAST(:start AS timestamptz)))"
        ),
        {"start": start},
    )
    return int(value or 0)


async def due_frames(session: AsyncSession, aged: datetime) -> Any:
    """Devices with frames before a moment, and the oldest frame: waiting, oldest. One look per device and day."""
    rows = await session.execute(
        text(
            """
            SELECT count(*) AS waiting, min(f.ts) AS oldest
            FROM (SELECT DISTINCT device_id FROM device_layouts) d
            CROSS JOIN LATERAL (
                SELECT ts FROM frames WHERE device_id = d.device_id AND ts < :aged ORDER BY ts LIMIT 1
            ) f
            """
        ),
        {"aged": aged},
    )
    return rows.one()


async def changed_days(session: AsyncSession) -> Any:
    """Days whose rollups wait: waiting, oldest."""
    rows = await session.execute(
        text(
            "SELECT count(*) AS waiting, min(day)::timestamp AT TIME ZONE 'UTC' AS oldest FROM rollup_changes"
        )
    )
    return rows.one()


async def scattered_days(session: AsyncSession, start: datetime, end: datetime) -> Any:
    """Days of devices, in that time, whose chunks could be fewer: waiting, oldest."""
    rows = await session.execute(
        text(
            """
            SELECT count(*) AS waiting, min(day) AS oldest FROM (
                SELECT DISTINCT date_trunc('day', start, 'UTC') AS day, device_id FROM chunks
                WHERE channel_id <= 0 AND start >= :start AND start < :end
                GROUP BY 1, device_id, channel_id HAVING count(*) > ceil(sum(samples) / CAST(:most AS float8))
            ) d
            """
        ),
        {"start": start, "end": end, "most": MAX_MOMENTS},
    )
    return rows.one()


async def dropped_by_agents(session: AsyncSession) -> int:
    """Frames that agents say they dropped, by their newest reports."""
    value = await session.scalar(
        text(
            """
            SELECT coalesce(sum(n.values[l.position]), 0) FROM channels c
            JOIN layout_channels l ON l.channel_id = c.id JOIN latest n ON n.layout_id = l.layout_id
            WHERE c.key = 'agent_dropped_frames_total' AND n.values[l.position] BETWEEN 0 AND 1e15
            """
        )
    )
    return int(value or 0)


async def count_channels(session: AsyncSession) -> Any:
    """How many there are: channels, metrics."""
    rows = await session.execute(
        text("SELECT (SELECT count(*) FROM channels) AS channels, (SELECT count(*) FROM metrics) AS metrics")
    )
    return rows.one()


async def devices_with_many_channels(
    session: AsyncSession, actor: Actor, limit: int
) -> Sequence[tuple[UUID, str, int]]:
    """Devices that the actor may see, those with the most channels first."""
    statement = (
        visible_to(actor, Permission.TELEMETRY_READ)
        .join(SpaceChannels, SpaceChannels.device_id == Device.id)
        .with_only_columns(Device.id, Device.name, SpaceChannels.channels)
        .order_by(SpaceChannels.channels.desc(), Device.id)
        .limit(limit)
    )
    return [(row[0], row[1], row[2]) for row in await session.execute(statement)]


async def count_at_least(session: AsyncSession, channels: float) -> int:
    """How many devices have that many channels."""
    return await session.scalar(select(func.count()).where(SpaceChannels.channels >= channels)) or 0


async def labels_of(session: AsyncSession, device_ids: Sequence[UUID], limit: int) -> Sequence[Any]:
    """Of each device the label names with the most values: device_id, label, values, channels."""
    rows = await session.execute(
        text(
            """
            SELECT * FROM (
                SELECT *, row_number() OVER (PARTITION BY device_id ORDER BY values DESC, channels DESC, label) AS place
                FROM (
                    SELECT d.device_id, v.key AS label, count(DISTINCT v.value) AS values,
                           count(DISTINCT c.id) AS channels
                    FROM device_layouts d
                    JOIN layout_channels l ON l.layout_id = d.layout_id
                         AND (d.present IS NULL OR d.present & (1::bigint << l.position - 1) <> 0)
                    JOIN channels c ON c.id = l.channel_id CROSS JOIN LATERAL jsonb_each_text(c.labels) v
                    WHERE d.device_id = ANY(:devices) GROUP BY d.device_id, v.key
                ) counted
            ) ranked WHERE place <= :limit ORDER BY device_id, place
            """
        ).bindparams(bindparam("devices", type_=ARRAY(Uuid))),
        {"devices": list(device_ids), "limit": limit},
    )
    return rows.all()


async def new_channels(session: AsyncSession, start: datetime) -> Sequence[Any]:
    """Channels first seen on each day (UTC) that has any, oldest first: day, channels."""
    rows = await session.execute(
        text(
            "SELECT (first_seen AT TIME ZONE 'UTC')::date AS day, count(*) AS channels FROM channels "
            "WHERE first_seen >= :start GROUP BY 1 ORDER BY 1"
        ),
        {"start": start},
    )
    return rows.all()
