"""What tests of senders share: reading back what was written."""

from collections.abc import Callable

import psycopg
import pytest

Stored = dict[str, list[tuple[int, float]]]


@pytest.fixture
def read_back(connection: psycopg.Connection) -> Callable[[str], Stored]:
    """All samples of the device with that name, by channel, as (milliseconds, value); straight from the frames."""

    def read(name: str) -> Stored:
        rows = connection.execute(
            """
            SELECT c.key, (extract(epoch FROM f.ts) * 1000)::bigint, v.value
            FROM frames f JOIN devices d ON d.id = f.device_id
            CROSS JOIN LATERAL unnest(f.values) WITH ORDINALITY AS v (value, position)
            JOIN layout_channels l ON l.layout_id = f.layout_id AND l.position = v.position
            JOIN channels c ON c.id = l.channel_id
            WHERE d.name = %s AND v.value IS NOT NULL ORDER BY 1, 2
            """,
            (name,),
        ).fetchall()
        stored: Stored = {}
        for key, ts, value in rows:
            stored.setdefault(key, []).append((ts, value))
        return stored

    return read
