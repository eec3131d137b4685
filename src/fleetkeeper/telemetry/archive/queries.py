# ruff: noqa: S608 - the pieces of statements are constants of this file
"""The SQL of archive files; connections are the driver's own. Days are numbers since 1970."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from psycopg import AsyncConnection

from fleetkeeper.telemetry.archive.files import ChannelName, FileNames, Part
from fleetkeeper.telemetry.catalogue import HOSTS_OF

DAY_DATE = "(date '1970-01-01' + %s::int)"
_MIDNIGHT = f"({DAY_DATE}::timestamp AT TIME ZONE 'UTC')"
Connection = AsyncConnection[Any]


@dataclass(frozen=True)
class LivePart:
    """A device's rows in a file that counts."""

    file_id: UUID
    day: int
    store: str
    path: str
    file_rows: int
    part: Part


@dataclass(frozen=True)
class FileRow:
    """A file that counts, as steps need it."""

    id: UUID
    day: int
    store: str
    path: str
    rows: int
    size_bytes: int
    channel_ids: frozenset[int]


async def begin_file(connection: Connection, file_id: UUID, day: int, store: str, path: str) -> None:
    """Say that a file is about to be written, so that whoever comes later knows of it."""
    await connection.execute(
        f"INSERT INTO archive_files (id, day, store, path, state) VALUES (%s, {DAY_DATE}, %s, %s, 'writing')",
        (file_id, day, store, path),
    )


async def register_file(
    connection: Connection,
    file_id: UUID,
    day: int,
    parts: Sequence[Part],
    channel_ids: Sequence[int],
    rows: int,
    size_bytes: int,
    sha256: bytes,
) -> None:
    """Let a file count, with its index."""
    devices = [part.device_id for part in parts]
    await connection.execute(
        "UPDATE archive_files SET state = 'live', first_device = %s, last_device = %s, devices = %s, "
        "channel_ids = %s, rows = %s, size_bytes = %s, sha256 = %s, made_at = now() WHERE id = %s",
        (min(devices), max(devices), len(devices), list(channel_ids), rows, size_bytes, sha256, file_id),
    )
    async with connection.cursor() as cursor:
        await cursor.executemany(
            "INSERT INTO archive_parts (device_id, day, file_id, first_row, rows, first_group, last_group, "
            f"metric_groups, group_rows) VALUES (%s, {DAY_DATE}, %s, %s, %s, %s, %s, %s, %s)",
            [
                (
                    part.device_id,
                    day,
                    file_id,
                    part.first_row,
                    part.rows,
                    part.first_group,
                    part.last_group,
                    sorted(part.metric_groups),
                    [part.metric_groups[group] for group in sorted(part.metric_groups)],
                )
                for part in parts
            ],
        )


async def retire_file(connection: Connection, file_id: UUID) -> bool:
    """Let a file no longer count; returns whether it did. It is removed once nobody may be reading it."""
    cursor = await connection.execute(
        "UPDATE archive_files SET state = 'gone', removed_at = now() WHERE id = %s AND state = 'live'",
        (file_id,),
    )
    await connection.execute("DELETE FROM archive_parts WHERE file_id = %s", (file_id,))
    return cursor.rowcount > 0


async def leftover_files(connection: Connection, grace_seconds: float) -> list[tuple[UUID, str, str]]:
    """Files that do not count: those of killed writers, and those retired so long ago. Each with store and path."""
    cursor = await connection.execute(
        "SELECT id, store, path FROM archive_files WHERE state = 'writing' "
        "OR state = 'gone' AND removed_at <= now() - make_interval(secs => %s) ORDER BY id",
        (grace_seconds,),
    )
    return list(await cursor.fetchall())


async def forget_file(connection: Connection, file_id: UUID) -> None:
    """Forget a file that was removed from its store."""
    await connection.execute("DELETE FROM archive_files WHERE id = %s AND state <> 'live'", (file_id,))


async def live_parts(
    connection: Connection, device_ids: Sequence[UUID], first_day: int, next_day: int
) -> list[LivePart]:
    """The rows of devices in files of the days [first, next), file after file, oldest day first."""
    cursor = await connection.execute(
        f"""
        SELECT f.id, f.day - date '1970-01-01', f.store, f.path, f.rows, p.device_id, p.first_row, p.rows,
               p.first_group, p.last_group
        FROM archive_parts p JOIN archive_files f ON f.id = p.file_id AND f.state = 'live'
        WHERE p.device_id = ANY(%s) AND p.day >= {DAY_DATE} AND p.day < {DAY_DATE}
        ORDER BY p.day, f.id, p.first_row
        """,
        (list(device_ids), first_day, next_day),
    )
    return [
        LivePart(row[0], row[1], row[2], row[3], row[4], Part(*row[5:])) for row in await cursor.fetchall()
    ]


_FILE_COLUMNS = "id, day - date '1970-01-01', store, path, rows, size_bytes, channel_ids"


async def live_bytes(connection: Connection) -> int:
    """The size of all files that count."""
    cursor = await connection.execute(
        "SELECT sum(size_bytes)::bigint FROM archive_files WHERE state = 'live'"
    )
    return int((await cursor.fetchone() or (0,))[0] or 0)


async def live_files(
    connection: Connection,
    until_day: int = 200_000,
    after: tuple[int, UUID] = (-1, UUID(int=0)),
    limit: int = 1000,
) -> list[FileRow]:
    """Files that count of days before one, past `after` (a day and an id), in order."""
    cursor = await connection.execute(
        f"SELECT {_FILE_COLUMNS} FROM archive_files WHERE state = 'live' AND day < {DAY_DATE} "
        f"AND (day, id) > ({DAY_DATE}, %s) ORDER BY day, id LIMIT %s",
        (until_day, *after, limit),
    )
    rows = await cursor.fetchall()
    return [FileRow(row[0], row[1], row[2], row[3], row[4], row[5], frozenset(row[6])) for row in rows]


async def days_of_small_files(connection: Connection, rows: int, fewest: int) -> list[int]:
    """Days that have so many sound files with fewer than so many rows, oldest first."""
    cursor = await connection.execute(
        "SELECT day - date '1970-01-01' FROM archive_files WHERE state = 'live' AND rows < %s AND problem = '' "
        "GROUP BY day HAVING count(*) >= %s ORDER BY day",
        (rows, fewest),
    )
    return [row[0] for row in await cursor.fetchall()]


async def small_files(connection: Connection, day: int, rows: int) -> list[FileRow]:
    """Sound files of a day with fewer than so many rows, in the order of their devices."""
    cursor = await connection.execute(
        f"SELECT {_FILE_COLUMNS} FROM archive_files WHERE state = 'live' AND rows < %s AND problem = '' "
        f"AND day = {DAY_DATE} ORDER BY first_device, id",
        (rows, day),
    )
    found = await cursor.fetchall()
    return [FileRow(row[0], row[1], row[2], row[3], row[4], row[5], frozenset(row[6])) for row in found]


async def live_file(connection: Connection, file_id: UUID) -> FileRow | None:
    """A file, if it counts."""
    cursor = await connection.execute(
        f"SELECT {_FILE_COLUMNS} FROM archive_files WHERE state = 'live' AND id = %s", (file_id,)
    )
    row = await cursor.fetchone()
    return FileRow(row[0], row[1], row[2], row[3], row[4], row[5], frozenset(row[6])) if row else None


async def hash_of_file(connection: Connection, file_id: UUID) -> bytes | None:
    """The SHA-256 that a file had as it was written; None when it does not count any more."""
    cursor = await connection.execute(
        "SELECT sha256 FROM archive_files WHERE id = %s AND state = 'live'", (file_id,)
    )
    row = await cursor.fetchone()
    return row[0] if row else None


async def note_check(connection: Connection, file_id: UUID, problem: str) -> None:
    """Keep what a check found."""
    await connection.execute(
        "UPDATE archive_files SET checked_at = now(), problem = %s WHERE id = %s", (problem, file_id)
    )


async def parts_of_file(connection: Connection, file_id: UUID) -> list[Part]:
    """The index of a file, in the order of its rows."""
    cursor = await connection.execute(
        "SELECT device_id, first_row, rows, first_group, last_group FROM archive_parts WHERE file_id = %s "
        "ORDER BY first_row",
        (file_id,),
    )
    return [Part(*row) for row in await cursor.fetchall()]


async def file_names(
    connection: Connection, channel_ids: Sequence[int], device_ids: Sequence[UUID]
) -> FileNames:
    """What channels and devices are called."""
    cursor = await connection.execute(
        "SELECT c.id, c.key, m.name, c.labels, m.metric_type FROM channels c JOIN metrics m ON m.id = c.metric_id "
        "WHERE c.id = ANY(%s)",
        (list(channel_ids),),
    )
    channels = {row[0]: ChannelName(*row[1:]) for row in await cursor.fetchall()}
    cursor = await connection.execute(HOSTS_OF, (list(device_ids),))
    return FileNames(channels, dict(await cursor.fetchall()))


async def chunk_days(
    connection: Connection, until_day: int, after: tuple[int, UUID], limit: int
) -> list[tuple[int, UUID]]:
    """Days before one, each with a device that has chunks in it and no rollups that wait; past `after`, in order."""
    cursor = await connection.execute(
        f"""
        SELECT * FROM (
            SELECT DISTINCT (extract(epoch FROM date_trunc('day', start, 'UTC')) / 86400)::int AS day, device_id
            FROM chunks c WHERE channel_id <= 0 AND start < {_MIDNIGHT} AND start >= {_MIDNIGHT}
            AND NOT EXISTS (SELECT FROM rollup_changes r WHERE r.device_id = c.device_id
                            AND r.day = (c.start AT TIME ZONE 'UTC')::date)
        ) d WHERE (day, device_id) > (%s, %s) ORDER BY day, device_id LIMIT %s
        """,
        (until_day, max(after[0], 0), *after, limit),
    )
    return [(row[0], row[1]) for row in await cursor.fetchall()]


async def chunk_channels(
    connection: Connection, device_ids: Sequence[UUID], day: int
) -> dict[UUID, list[tuple[int, int, int, int]]]:
    """What a day's chunks of devices hold: channel, samples, chunks and bytes of each, by device."""
    cursor = await connection.execute(
        f"""
        SELECT device_id, channel_id, sum(samples), count(*), sum(coalesce(octet_length(blob), 0)) + count(*) * 100
        FROM chunks WHERE device_id = ANY(%s) AND channel_id > 0 AND start >= {_MIDNIGHT} AND start < {_MIDNIGHT}
        GROUP BY device_id, channel_id ORDER BY device_id, channel_id
        """,
        (list(device_ids), day, day + 1),
    )
    found: dict[UUID, list[tuple[int, int, int, int]]] = {}
    for device_id, *numbers in await cursor.fetchall():
        found.setdefault(device_id, []).append((numbers[0], *(int(number) for number in numbers[1:])))
    return found


async def waits_for_rollups(connection: Connection, device_id: UUID, day: int) -> bool:
    """Whether a day's rollups are still to be made from its chunks."""
    cursor = await connection.execute(
        f"SELECT EXISTS (SELECT FROM rollup_changes WHERE device_id = %s AND day = {DAY_DATE})",
        (device_id, day),
    )
    row = await cursor.fetchone()
    return bool(row and row[0])


async def delete_channels(
    connection: Connection, device_id: UUID, day: int, channel_ids: Sequence[int]
) -> int:
    """Delete the chunks of some channels of a device's day, and time axes that nobody shares any more."""
    cursor = await connection.execute(
        "DELETE FROM chunks WHERE device_id = %s AND channel_id = ANY(%s) "
        f"AND start >= {_MIDNIGHT} AND start < {_MIDNIGHT}",
        (device_id, list(channel_ids), day, day + 1),
    )
    await delete_lone_axes(connection, device_id, day, day + 1)
    return cursor.rowcount


async def delete_lone_axes(connection: Connection, device_id: UUID, first_day: int, next_day: int) -> None:
    """Delete the time axes of [first, next) that no channel has any more."""
    await connection.execute(
        f"""
        DELETE FROM chunks a WHERE device_id = %s AND channel_id <= 0 AND start >= {_MIDNIGHT} AND start < {_MIDNIGHT}
        AND NOT EXISTS (SELECT FROM chunks c WHERE c.device_id = a.device_id AND c.channel_id > 0
                        AND c.start = a.start AND c.axis = a.axis)
        """,
        (device_id, first_day, next_day),
    )
