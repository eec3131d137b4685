"""What is kept beside samples, and goes by the base policy: lists of processes, states and login sessions."""

from uuid import UUID

from fleetkeeper.telemetry.archive.keeping_queries import drop_process_days, process_bytes
from fleetkeeper.telemetry.archive.policies import base_policy
from fleetkeeper.telemetry.archive.queries import Connection
from fleetkeeper.telemetry.archive.work import REMOVE, Scope, Told, amount

PROCESSES, STATES, LOGIN_SESSIONS = "processes", "states", "login_sessions"
_MIDNIGHT = "((date '1970-01-01' + %(day)s::int)::timestamp AT TIME ZONE 'UTC')"
# Tables, and which of their rows were over before that midnight: a state that lasts is kept, whenever it began.
_PAST = {
    STATES: (
        "states",
        f"""t.ts < {_MIDNIGHT} AND EXISTS (SELECT FROM states n WHERE n.device_id = t.device_id
            AND n.channel_id = t.channel_id AND n.ts > t.ts AND n.ts <= {_MIDNIGHT})""",
    ),
    LOGIN_SESSIONS: ("user_sessions", f"NOT t.is_active AND t.logout_time <= {_MIDNIGHT}"),
}


async def remove_past(connection: Connection, scope: Scope, *, only_tell: bool) -> Told:
    """Remove what is past its time, or only count it; returns how much that is."""
    told: Told = {}
    policy = base_policy(scope.rules.policies)
    if policy.raw_end_days is None:
        return told
    before = scope.rules.today - policy.raw_end_days
    size = await (process_bytes if only_tell else drop_process_days)(connection, before)
    if size:
        amount(told, policy.id, REMOVE, PROCESSES).size_bytes += size
    for tier in _PAST:
        for device_id, rows, row_bytes in await _past(connection, tier, before, only_tell=only_tell):
            amount(told, policy.id, REMOVE, tier).add(device_id, rows, 0, row_bytes)
    return told


async def _past(
    connection: Connection, tier: str, before_day: int, *, only_tell: bool
) -> list[tuple[UUID, int, int]]:
    """Rows that were over before a day, removed or not: of each device how many, and their bytes."""
    table, condition = _PAST[tier]
    columns = "t.device_id, pg_column_size(t) AS size"
    chosen = (
        f"SELECT {columns} FROM {table} t WHERE {condition}"  # noqa: S608 - constants of this file
        if only_tell
        else f"DELETE FROM {table} t WHERE {condition} RETURNING {columns}"  # noqa: S608 - the same
    )
    cursor = await connection.execute(
        f"WITH past AS ({chosen}) SELECT device_id, count(*), sum(size)::bigint FROM past GROUP BY device_id",  # noqa: S608 - the same
        {"day": before_day},
    )
    return list(await cursor.fetchall())
