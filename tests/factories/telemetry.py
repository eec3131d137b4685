"""Layouts, frames and what is stored of them, as tests of telemetry need them."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from itertools import count
from uuid import UUID

import psycopg

_numbers = count(1)
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def moment(microseconds: int) -> datetime:
    return EPOCH + timedelta(microseconds=microseconds)


def make_device(connection: psycopg.Connection, name: str = "") -> UUID:
    name = name or f"measured-{next(_numbers)}"
    row = connection.execute(
        "INSERT INTO devices (id, name, hostname) VALUES (uuidv7(), %s, %s) RETURNING id", (name, name)
    ).fetchone()
    return row[0]


def make_channels(connection: psycopg.Connection, *keys: str) -> list[int]:
    """Channels without labels, those named `…_total` of counters; returns their numbers."""
    numbers = []
    for key in keys:
        connection.execute(
            "INSERT INTO metrics (name, metric_type, kind) VALUES (%s, 'test', %s) ON CONFLICT DO NOTHING",
            (key, "counter" if key.endswith("_total") else "gauge"),
        )
        connection.execute(
            "INSERT INTO channels (metric_id, key) SELECT id, name FROM metrics WHERE name = %s ON CONFLICT DO NOTHING",
            (key,),
        )
        numbers.append(connection.execute("SELECT id FROM channels WHERE key = %s", (key,)).fetchone()[0])
    return numbers


def make_layout(connection: psycopg.Connection, device: UUID, channels: Sequence[int]) -> int:
    """A layout of these channels, used by the device."""
    digest = ",".join(map(str, channels)).encode()
    connection.execute(
        "INSERT INTO layouts (channel_ids, digest) VALUES (%s, %s) ON CONFLICT DO NOTHING",
        (list(channels), digest),
    )
    layout = connection.execute("SELECT id FROM layouts WHERE digest = %s", (digest,)).fetchone()[0]
    for position, channel in enumerate(channels, 1):
        connection.execute(
            "INSERT INTO layout_channels VALUES (%s, %s, %s) ON CONFLICT DO NOTHING",
            (layout, position, channel),
        )
    connection.execute(
        "INSERT INTO device_layouts (device_id, layout_id) VALUES (%s, %s) ON CONFLICT DO NOTHING",
        (device, layout),
    )
    return layout


def add_frames(
    connection: psycopg.Connection, device: UUID, layout: int, rows: Mapping[int, Sequence[float | None]]
) -> None:
    """Frames by microsecond; one that is there already stays as it is."""
    for day in {at // 86_400_000_000 for at in rows}:
        connection.execute("SELECT create_telemetry_partition(%s, %s)", (first_day(day), first_day(day + 1)))
    with connection.cursor() as cursor:
        cursor.executemany(
            "INSERT INTO frames VALUES (%s, %s, %s, %s) ON CONFLICT DO NOTHING",
            [(device, moment(at), layout, list(values)) for at, values in rows.items()],
        )


def add_parts(
    connection: psycopg.Connection, device: UUID, layout: int, rows: Mapping[int, Sequence[float | None]]
) -> None:
    """Partial frames, as senders deliver them channel by channel: each completes what is there of its moment."""
    for day in {at // 86_400_000_000 for at in rows}:
        connection.execute("SELECT create_telemetry_partition(%s, %s)", (first_day(day), first_day(day + 1)))
    with connection.cursor() as cursor:
        cursor.executemany(
            "INSERT INTO frames AS f VALUES (%s, %s, %s, %s, %s) ON CONFLICT (device_id, ts, part) "
            'DO UPDATE SET "values" = merged_values(f."values", excluded."values")',
            [(device, moment(at), layout, list(values), layout) for at, values in rows.items()],
        )


def first_day(day: int):
    return (EPOCH + timedelta(days=day)).date()
