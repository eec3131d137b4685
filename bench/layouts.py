"""Devices and layouts entered straight into the database."""

from collections.abc import Iterable, Sequence
from uuid import UUID

import msgspec
import psycopg

from fleetkeeper_protocol.metrics import describe, parse_channel


def add_devices(connection: psycopg.Connection, count: int) -> list[UUID]:
    """Enter devices `host_0`, `host_1` and so on."""
    rows = connection.execute(
        "INSERT INTO devices (id, name, hostname) "
        "SELECT uuidv7(), 'host_' || i, 'host_' || i FROM generate_series(0, %s) i RETURNING id",
        (count - 1,),
    ).fetchall()
    return [row[0] for row in rows]


def add_layout(
    connection: psycopg.Connection, layout: int, channels: Iterable[str], devices: Sequence[UUID]
) -> None:
    """Enter channels and a layout of them that devices report; the channels' numbers follow the layout's."""
    numbers = []
    for place, key in enumerate(channels, 1):
        name, labels = parse_channel(key)
        connection.execute(
            "INSERT INTO metrics (id, name, metric_type) VALUES (%s, %s, %s) ON CONFLICT (name) DO NOTHING",
            (layout + place, name, describe(name).group),
        )
        connection.execute(
            "INSERT INTO channels (id, metric_id, labels, key) SELECT %s, id, %s, %s FROM metrics WHERE name = %s",
            (layout + place, msgspec.json.encode(labels).decode(), key, name),
        )
        connection.execute("INSERT INTO layout_channels VALUES (%s, %s, %s)", (layout, place, layout + place))
        numbers.append(layout + place)
    connection.execute(
        "INSERT INTO layouts (id, channel_ids, digest) VALUES (%s, %s, %s)",
        (layout, numbers, f"bench {layout}"),
    )
    connection.execute(
        "INSERT INTO device_layouts (device_id, layout_id) SELECT unnest(%s::uuid[]), %s",
        (list(devices), layout),
    )
    connection.execute("ANALYZE")
