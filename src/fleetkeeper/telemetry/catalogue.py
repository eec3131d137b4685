"""The SQL of what is measured: which channels there are, and which devices have them."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import bindparam, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.types import Integer, Text, Uuid

from fleetkeeper.identity.actor import Actor
from fleetkeeper.identity.permissions import Permission

# The first and the last moment of a range of time, in UTC.
Between = tuple[datetime, datetime]
_VISIBLE = "(:everywhere OR v.department_id = ANY(:departments))"
# What the tables tell of a range of time without any sample being read.
_HAS_FRAMES = """
    EXISTS (SELECT FROM frames f WHERE f.device_id = d.device_id AND f.ts >= :start AND f.ts <= :end
            AND f.part IN (0, d.layout_id) AND f.layout_id = d.layout_id)
"""
_HAS_STORED = """
    (EXISTS (SELECT FROM chunks k WHERE k.device_id = d.device_id AND k.channel_id = {channel}
             AND k.start >= :first_day AND k.start <= :end AND k.ends >= :start)
     OR EXISTS (SELECT FROM archive_parts a JOIN archive_files f ON f.id = a.file_id
                WHERE a.device_id = d.device_id AND a.day >= CAST(:first_day AS date) AND a.day <= CAST(:end AS date)
                AND {channel} = ANY(f.channel_ids)))
"""
_PARAMETERS = (bindparam("layouts", type_=ARRAY(Integer)), bindparam("departments", type_=ARRAY(Uuid)))
_CHANNELS = text(
    """
    SELECT c.id, m.name AS metric, c.labels, jsonb_object_agg(l.layout_id, l.position) AS places
    FROM metrics m JOIN channels c ON c.metric_id = m.id JOIN layout_channels l ON l.channel_id = c.id
    WHERE :metrics IS NULL OR m.name = ANY(:metrics)
    GROUP BY c.id, m.name
    """
).bindparams(bindparam("metrics", type_=ARRAY(Text)))
_DEVICES = """
    SELECT d.device_id, v.name, coalesce(h.host, v.name) AS host, d.layout_id, d.present
    FROM device_layouts d JOIN devices v ON v.id = d.device_id
    LEFT JOIN telemetry_hosts h ON h.device_id = d.device_id AND h.is_primary
    WHERE d.layout_id = ANY(:layouts) {chosen} AND {visible} ORDER BY d.layout_id, v.name, d.device_id
"""
_DEVICES_WITH = text(_DEVICES.format(chosen="", visible=_VISIBLE)).bindparams(*_PARAMETERS)
_CHOSEN_DEVICES_WITH = text(
    _DEVICES.format(chosen="AND d.device_id = ANY(:devices)", visible=_VISIBLE)
).bindparams(*_PARAMETERS, bindparam("devices", type_=ARRAY(Uuid)))


async def channels_named(session: AsyncSession, metrics: Sequence[str] | None) -> Sequence[Any]:
    """Channels of these metrics, or of all: id, metric, labels, and {layout: position} as `places`."""
    rows = await session.execute(_CHANNELS, {"metrics": list(metrics) if metrics is not None else None})
    return rows.all()


async def described_metrics(session: AsyncSession, limit: int) -> Sequence[Any]:
    """Metrics that something was said of: name, kind, unit, description."""
    rows = await session.execute(
        text(
            "SELECT name, kind, unit, description FROM metrics WHERE description <> '' OR unit <> '' "
            "ORDER BY name LIMIT :limit"
        ),
        {"limit": limit},
    )
    return rows.all()


async def devices_with(
    session: AsyncSession, actor: Actor, layouts: Sequence[int], devices: Sequence[UUID] | None
) -> Sequence[Any]:
    """Devices that the actor may see and that use these layouts: device_id, name, host, layout_id, present."""
    parameters = _parameters(actor, layouts)
    if devices is None:
        return (await session.execute(_DEVICES_WITH, parameters)).all()
    return (await session.execute(_CHOSEN_DEVICES_WITH, {**parameters, "devices": list(devices)})).all()


async def layouts_in_use(
    session: AsyncSession, actor: Actor, layouts: Sequence[int], between: Between | None = None
) -> Sequence[Any]:
    """Those of the layouts that visible devices use: layout_id, is_whole, and the bits of positions in use.

    With `between` those that such a device has frames of in that time.
    """
    narrowed = "" if between is None else f"AND {_HAS_FRAMES}"
    rows = await session.execute(
        text(
            f"""
            SELECT d.layout_id, bool_or(d.present IS NULL) AS is_whole, bit_or(coalesce(d.present, 0)) AS present
            FROM device_layouts d JOIN devices v ON v.id = d.device_id
            WHERE d.layout_id = ANY(:layouts) AND {_VISIBLE} {narrowed} GROUP BY d.layout_id
            """  # noqa: S608 - constants
        ).bindparams(*_PARAMETERS),
        _parameters(actor, layouts) | _times(between),
    )
    return rows.all()


async def channels_stored(
    session: AsyncSession, actor: Actor, channels: Sequence[int], between: Between
) -> set[int]:
    """Those of the channels that a visible device has sealed or archived samples of in that time."""
    rows = await session.execute(
        text(
            f"""
            SELECT w.channel_id FROM unnest(:channels) AS w (channel_id)
            WHERE EXISTS (
                SELECT FROM layout_channels l JOIN device_layouts d ON d.layout_id = l.layout_id
                JOIN devices v ON v.id = d.device_id
                WHERE l.channel_id = w.channel_id AND {_VISIBLE} AND {_HAS_STORED.format(channel="w.channel_id")}
            )
            """  # noqa: S608 - constants
        ).bindparams(bindparam("channels", type_=ARRAY(Integer)), _PARAMETERS[1]),
        {**_parameters(actor, ()), "channels": list(channels)} | _times(between),
    )
    return {*rows.scalars()}


async def pairs_with_frames(
    session: AsyncSession, pairs: Sequence[tuple[UUID, int]], between: Between
) -> set[tuple[UUID, int]]:
    """Those pairs of device and layout of which there are frames in that time."""
    return await _pairs(session, _HAS_FRAMES, "layout_id", pairs, between)


async def pairs_stored(
    session: AsyncSession, pairs: Sequence[tuple[UUID, int]], between: Between
) -> set[tuple[UUID, int]]:
    """Those pairs of device and channel of which there are sealed or archived samples in that time."""
    return await _pairs(session, _HAS_STORED.format(channel="d.channel_id"), "channel_id", pairs, between)


async def _pairs(
    session: AsyncSession, condition: str, number: str, pairs: Sequence[tuple[UUID, int]], between: Between
) -> set[tuple[UUID, int]]:
    rows = await session.execute(
        text(
            f"""
            SELECT d.device_id, d.{number} FROM unnest(:devices, :numbers) AS d (device_id, {number})
            WHERE {condition}
            """  # noqa: S608 - constants
        ).bindparams(bindparam("devices", type_=ARRAY(Uuid)), bindparam("numbers", type_=ARRAY(Integer))),
        {"devices": [device for device, _ in pairs], "numbers": [item for _, item in pairs]}
        | _times(between),
    )
    return {(row[0], row[1]) for row in rows}


def _times(between: Between | None) -> dict[str, datetime]:
    if between is None:
        return {}
    start, end = between
    # A chunk lies within a day (UTC).
    return {"start": start, "end": end, "first_day": start.replace(hour=0, minute=0, second=0, microsecond=0)}


def _parameters(actor: Actor, layouts: Sequence[int]) -> dict[str, Any]:
    scope = actor.scope(Permission.TELEMETRY_READ)
    return {
        "layouts": list(layouts),
        "everywhere": scope.everywhere,
        "departments": sorted(scope.departments),
    }
