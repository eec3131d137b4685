"""The SQL of what is measured: which channels there are, and which devices have them."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import bindparam, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.types import Integer, Text, Uuid

from fleetkeeper.database.engine import driver_connection
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
    SELECT c.id, m.name, c.labels, array_agg(l.layout_id), array_agg(l.position)
    FROM metrics m JOIN channels c ON c.metric_id = m.id JOIN layout_channels l ON l.channel_id = c.id
    WHERE :metrics IS NULL OR m.name = ANY(:metrics)
    GROUP BY c.id, m.name
    """
).bindparams(bindparam("metrics", type_=ARRAY(Text)))
# Channels first, then the devices that have used a layout which holds one of them, in the order of their names.
_CHANNELS_AND_DEVICES = """
    WITH named AS MATERIALIZED (
        SELECT c.id, m.name, c.labels, array_agg(l.layout_id) AS layouts, array_agg(l.position) AS positions
        FROM metrics m JOIN channels c ON c.metric_id = m.id JOIN layout_channels l ON l.channel_id = c.id
        WHERE (%(metrics)s::text[] IS NULL OR m.name = ANY(%(metrics)s)) {used}
        GROUP BY c.id, m.name
    )
    SELECT true AS is_channel, id, name, NULL::uuid, NULL, NULL::bigint, NULL, NULL, NULL::uuid,
           labels, layouts, positions
    FROM named
    UNION ALL
    SELECT false, d.layout_id, v.name, d.device_id, coalesce(h.host, v.name), d.present, v.device_type,
           coalesce(p.name, ''), v.id, NULL, NULL, NULL
    FROM device_layouts d JOIN devices o ON o.id = d.device_id JOIN devices v ON v.id = coalesce(o.merged_into, o.id)
    LEFT JOIN departments p ON p.id = v.department_id
    LEFT JOIN telemetry_hosts h ON h.device_id = v.id AND h.is_primary
    WHERE d.layout_id IN (SELECT unnest(layouts) FROM named) {chosen}
      AND (%(everywhere)s OR v.department_id = ANY(%(departments)s))
    ORDER BY 1 DESC, 2, 3, 4
"""
# What devices that were merged into these ones sent is theirs.
_CHOSEN = "%(devices)s::uuid[] || ARRAY(SELECT id FROM devices WHERE merged_into = ANY(%(devices)s))"
_OF_ALL = _CHANNELS_AND_DEVICES.format(used="", chosen="")
_OF_CHOSEN = _CHANNELS_AND_DEVICES.format(
    used=f"AND l.layout_id IN (SELECT layout_id FROM device_layouts WHERE device_id = ANY({_CHOSEN}))",  # noqa: S608
    chosen=f"AND d.device_id = ANY({_CHOSEN})",
)


class NamedChannel(NamedTuple):
    """A channel of a metric, and its positions in the layouts that hold it."""

    id: int
    metric: str
    labels: dict[str, str]
    layouts: Sequence[int]
    positions: Sequence[int]


class DeviceUse(NamedTuple):
    """A device that has used a layout. `present` has a bit for each position with values; None is all.

    Agents use whole layouts; of others, senders fill the positions that they have values for.
    """

    layout_id: int
    name: str
    device_id: UUID
    host: str
    present: int | None
    device_type: str
    department: str
    # The device that it is part of now; itself, but for one that was merged.
    known_as: UUID


async def channels_and_devices(
    session: AsyncSession, actor: Actor, metrics: Sequence[str] | None, devices: Sequence[UUID] | None
) -> tuple[list[NamedChannel], list[DeviceUse]]:
    """Channels of these metrics, and the devices that have them and that the actor may see; of all when None."""
    parameters = {
        "metrics": None if metrics is None else list(metrics),
        "devices": None if devices is None else list(devices),
        **_scope(actor),
    }
    connection = await driver_connection(session)
    async with connection.cursor(binary=True) as cursor:
        await cursor.execute(_OF_ALL if devices is None else _OF_CHOSEN, parameters)
        rows = await cursor.fetchall()
    channels = [NamedChannel(row[1], row[2], *row[9:]) for row in rows if row[0]]
    return channels, [DeviceUse._make(row[1:9]) for row in rows[len(channels) :]]


async def channels_named(session: AsyncSession, metrics: Sequence[str] | None) -> list[NamedChannel]:
    """Channels of these metrics, or of all."""
    rows = await session.execute(_CHANNELS, {"metrics": list(metrics) if metrics is not None else None})
    return [NamedChannel._make(row) for row in rows]


# What the mark in labels stands for: the primary name, or the device's where senders know none.
HOSTS_OF = """
    SELECT v.id, coalesce(h.host, v.name) FROM devices v
    LEFT JOIN telemetry_hosts h ON h.device_id = v.id AND h.is_primary WHERE v.id = ANY(%s)
"""


async def hosts_of(session: AsyncSession, devices: Collection[UUID]) -> dict[UUID, str]:
    """What stands in the place of the mark in labels of these devices."""
    connection = await driver_connection(session)
    cursor = await connection.execute(HOSTS_OF, (sorted(devices),))
    return dict(await cursor.fetchall())


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


async def metrics_in_use(session: AsyncSession, actor: Actor) -> Sequence[Any]:
    """Metrics that visible devices have used, by name: name, unit, kind, group, description."""
    rows = await session.execute(
        text(
            f"""
            WITH used AS (
                SELECT d.layout_id, bool_or(d.present IS NULL) AS is_whole, bit_or(coalesce(d.present, 0)) AS present
                FROM device_layouts d JOIN devices v ON v.id = d.device_id WHERE {_VISIBLE} GROUP BY d.layout_id
            )
            SELECT m.name, m.unit, m.kind, m.metric_type AS "group", m.description FROM metrics m
            WHERE m.id IN (
                SELECT c.metric_id FROM used u JOIN layout_channels l ON l.layout_id = u.layout_id
                     AND (u.is_whole OR u.present & (CAST(1 AS bigint) << l.position - 1) <> 0)
                JOIN channels c ON c.id = l.channel_id
            )
            ORDER BY m.name
            """  # noqa: S608 - constants
        ).bindparams(_PARAMETERS[1]),
        _scope(actor),
    )
    return rows.all()


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


async def attributes_in_use(
    session: AsyncSession, actor: Actor, layouts: Sequence[int], between: Between | None = None
) -> Sequence[Any]:
    """What the visible devices that use one of the layouts are: device_type and department, each pair once."""
    narrowed = "" if between is None else f"AND {_HAS_FRAMES}"
    rows = await session.execute(
        text(
            f"""
            SELECT DISTINCT v.device_type, coalesce(p.name, '') AS department
            FROM device_layouts d JOIN devices v ON v.id = d.device_id
            LEFT JOIN departments p ON p.id = v.department_id
            WHERE d.layout_id = ANY(:layouts) AND {_VISIBLE} {narrowed}
            """  # noqa: S608 - constants
        ).bindparams(*_PARAMETERS),
        _parameters(actor, layouts) | _times(between),
    )
    return rows.all()


async def known_of(session: AsyncSession, devices: Collection[UUID], metric: str) -> Sequence[Any]:
    """Of each device: id, since when samples of a metric could be there, and when a retired one was last seen."""
    rows = await session.execute(
        text(
            """
            SELECT v.id, greatest(coalesce(v.first_seen, v.created_at), x.until::timestamp AT TIME ZONE 'UTC') AS since,
                   CASE WHEN v.lifecycle = 'retired' THEN coalesce(v.last_seen, v.created_at) END AS retired_at
            FROM devices v
            LEFT JOIN raw_removed x ON x.device_id = v.id
                 AND x.metric_group = (SELECT metric_type FROM metrics WHERE name = :metric)
            WHERE v.id = ANY(:devices)
            """
        ).bindparams(bindparam("devices", type_=ARRAY(Uuid))),
        {"devices": list(devices), "metric": metric},
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
    return {"layouts": list(layouts), **_scope(actor)}


def _scope(actor: Actor) -> dict[str, Any]:
    scope = actor.scope(Permission.TELEMETRY_READ)
    return {"everywhere": scope.everywhere, "departments": sorted(scope.departments)}
