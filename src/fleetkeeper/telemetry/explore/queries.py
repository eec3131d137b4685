"""The SQL of questions over the whole fleet; connections are the driver's own, inside a transaction."""

from collections.abc import Iterable, Sequence
from typing import Any
from uuid import UUID

from psycopg import AsyncConnection, sql
from sqlalchemy import bindparam, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.types import Uuid

from fleetkeeper.telemetry.rollups.packing import slices_of
from fleetkeeper.telemetry.rollups.periods import Tier

_MOMENT = "timestamptz '1970-01-01 00:00:00+00' + {}::bigint * interval '1 microsecond'"
_DAY = "timestamptz '1970-01-01 00:00:00+00' + {}::int * interval '24 hours'"


async def oldest_hot(
    connection: AsyncConnection[Any], device_ids: Sequence[UUID], start_us: int, end_us: int
) -> dict[UUID, int]:
    """The first moment in [start, end) of which a frame is not sealed, of the devices that have one."""
    cursor = await connection.execute(
        f"""
        SELECT d.id, (extract(epoch FROM f.ts) * 1000000)::bigint FROM unnest(%s::uuid[]) AS d (id)
        CROSS JOIN LATERAL (
            SELECT ts FROM frames
            WHERE device_id = d.id AND ts >= {_MOMENT.format("%s")} AND ts < {_MOMENT.format("%s")} ORDER BY ts LIMIT 1
        ) f
        """,  # noqa: S608 - constants of this file
        (list(device_ids), start_us, end_us),
    )
    return {row[0]: row[1] for row in await cursor.fetchall()}


async def changed_days(
    connection: AsyncConnection[Any], device_ids: Sequence[UUID], first_day: int, next_day: int
) -> dict[UUID, tuple[int, ...]]:
    """The days in [first, next) whose rollups wait to be made anew, by device."""
    cursor = await connection.execute(
        """
        SELECT device_id, array_agg(day - date '1970-01-01' ORDER BY day) FROM rollup_changes
        WHERE device_id = ANY(%s) AND day >= date '1970-01-01' + %s::int AND day < date '1970-01-01' + %s::int
        GROUP BY device_id
        """,
        (list(device_ids), first_day, next_day),
    )
    return {row[0]: tuple(row[1]) for row in await cursor.fetchall()}


async def rollup_rows(
    connection: AsyncConnection[Any],
    device_ids: Sequence[UUID],
    tier: Tier,
    first_day: int,
    next_day: int,
    columns: Sequence[str],
    channel_ids: Iterable[int],
) -> list[tuple[Any, ...]]:
    """Rows of a tier that begin in [first, next): device, day, channel_ids, and the packed columns, in any order.

    Slices that hold none of the channels are left out.
    """
    statement = sql.SQL(
        f"""
        SELECT device_id, (extract(epoch FROM start) / 86400)::int, channel_ids, {{columns}} FROM rollups
        WHERE device_id = ANY(%s) AND tier = %s AND start >= {_DAY.format("%s")} AND start < {_DAY.format("%s")}
          AND slice = ANY(%s)
        """  # noqa: S608 - constants of this file
    ).format(columns=sql.SQL(", ").join(map(sql.Identifier, columns)))
    async with connection.cursor(binary=True) as cursor:
        await cursor.execute(
            statement, (list(device_ids), int(tier), first_day, next_day, slices_of(channel_ids))
        )
        return await cursor.fetchall()


async def attributes_of(session: AsyncSession, device_ids: Sequence[UUID]) -> dict[UUID, dict[str, str]]:
    """What devices may be grouped by: name, department, device_type, status, lifecycle, location, os, domain."""
    rows = await session.execute(
        text(
            """
            SELECT v.id, v.name, coalesce(p.name, ''), v.device_type, v.status, v.lifecycle,
                   coalesce(v.location, ''), coalesce(v.os_name, ''), coalesce(v.domain, '')
            FROM devices v LEFT JOIN departments p ON p.id = v.department_id WHERE v.id = ANY(:devices)
            """
        ).bindparams(bindparam("devices", type_=ARRAY(Uuid))),
        {"devices": list(device_ids)},
    )
    names = ("name", "department", "device_type", "status", "lifecycle", "location", "os", "domain")
    return {row[0]: dict(zip(names, row[1:], strict=True)) for row in rows}


Newest = tuple[UUID, str, str, float, bytes, bytes]


async def newest_values(
    connection: AsyncConnection[Any],
    channels: Sequence[int],
    departments: Sequence[UUID] | None,
    after: UUID,
    limit: int,
) -> list[Newest]:
    """Device, name, what the mark in labels stands for, newest time (epoch seconds), channels and values.

    Both of these are big-endian, int4 and float8. Devices past `after` in the order of their ids, of these
    departments or of all.
    """
    async with connection.cursor(binary=True) as cursor:
        await cursor.execute(
            """
            SELECT l.device_id, v.name, coalesce(h.host, v.name), extract(epoch FROM max(l.ts))::float8,
                   string_agg(int4send(p.channel_id), ''::bytea),
                   string_agg(float8send(l.values[p.position]), ''::bytea)
            FROM latest l
            JOIN devices v ON v.id = l.device_id
            LEFT JOIN telemetry_hosts h ON h.device_id = v.id AND h.is_primary
            JOIN layout_channels p ON p.layout_id = l.layout_id AND p.channel_id = ANY(%s)
            WHERE l.values[p.position] IS NOT NULL AND l.device_id > %s
              AND (%s::uuid[] IS NULL OR v.department_id = ANY(%s))
            GROUP BY l.device_id, v.name, h.host ORDER BY l.device_id LIMIT %s
            """,
            (list(channels), after, departments, departments, limit),
        )
        return await cursor.fetchall()
