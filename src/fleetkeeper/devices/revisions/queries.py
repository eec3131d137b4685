"""The SQL of what was."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    Boolean,
    ColumnElement,
    Select,
    Text,
    and_,
    exists,
    func,
    literal,
    literal_column,
    or_,
    select,
    text,
    tuple_,
)
from sqlalchemy.ext.asyncio import AsyncSession

from fleetkeeper.devices.revisions.models import DeviceChangeCursor, DeviceRevision

DEVICES = "devices"
RELATIONSHIPS = "device_relationships"
# What a list of past devices may be narrowed by.
FILTERS = (
    "device_type",
    "lifecycle",
    "department_id",
    "location_id",
    "location",
    "os_name",
    "manufacturer",
    "model",
    "owner",
)


def _text(name: str) -> ColumnElement[str]:
    """A field of the content, as text."""
    found: ColumnElement[str] = DeviceRevision.content.expression.op("->>", return_type=Text())(name)
    return found


_NAME = _text("name")


def _is_hidden(*contents: str) -> str:
    """SQL: whether a relationship leads to a device that the reader does not see.

    A device that is gone is one of them, as nobody can say whose it was.
    """
    ends = ", ".join(f"{one} ->> '{end}_device_id'" for one in contents for end in ("parent", "child"))
    return (
        f"EXISTS (SELECT FROM unnest(ARRAY[{ends}]) AS e (id) WHERE e.id IS NOT NULL "  # noqa: S608 - of this file alone
        "AND NOT EXISTS (SELECT FROM devices d WHERE d.id = CAST(e.id AS uuid)))"
    )


def both_ends_seen() -> ColumnElement[bool]:
    """For readers of some departments: a revision of no relationship with a device of another."""
    hidden = _is_hidden("device_revisions.content")
    return literal_column(f"NOT (device_revisions.object_type = '{RELATIONSHIPS}' AND {hidden})", Boolean)


def held_at(moment: datetime) -> ColumnElement[bool]:
    """What was true at a moment."""
    return and_(
        DeviceRevision.valid_from <= moment,
        DeviceRevision.valid_to > moment,
        DeviceRevision.content.is_not(None),
    )


def changed_since(object_type: str, key: Any, device: Any, moment: datetime) -> ColumnElement[bool]:
    """Whether an object that is there has changed at or after a moment."""
    return exists().where(
        DeviceRevision.object_id == key,
        DeviceRevision.device_id == device,
        DeviceRevision.object_type == object_type,
        DeviceRevision.valid_from >= moment,
        DeviceRevision.valid_to == text("'infinity'"),
    )


def past_parts(object_type: str, device_id: UUID, moment: datetime) -> Select[Any]:
    """The parts of a kind that a device had: object_id, content, valid_from."""
    return (
        select(DeviceRevision.object_id, DeviceRevision.content, DeviceRevision.valid_from)
        .where(
            DeviceRevision.device_id == device_id,
            DeviceRevision.object_type == object_type,
            held_at(moment),
        )
        .order_by(DeviceRevision.object_id)
    )


def past_devices(
    moment: datetime, filters: Sequence[tuple[str, str]], seen: Select[Any] | None
) -> Select[Any]:
    """Devices as they were: object_id, content, valid_from, name. `seen` are those that a reader sees, if not all."""
    statement = select(
        DeviceRevision.object_id, DeviceRevision.content, DeviceRevision.valid_from, _NAME.label("name")
    ).where(DeviceRevision.object_type == DEVICES, held_at(moment))
    for name, wanted in filters:
        if name == "q":
            pattern = "%" + wanted.replace("\\", r"\\").replace("%", r"\%").replace("_", r"\_") + "%"
            texts = [_NAME, _text("hostname"), _text("serial_number")]
            statement = statement.where(or_(*(one.ilike(pattern, escape="\\") for one in texts)))
        else:
            statement = statement.where(_text(name) == wanted)
    return statement if seen is None else statement.where(DeviceRevision.device_id.in_(seen))


def after_name(statement: Select[Any], name: str, key: UUID) -> Select[Any]:
    """What comes behind one in that list."""
    place = tuple_(_NAME, DeviceRevision.object_id.expression)
    return statement.where(place > tuple_(literal(name), literal(key)))


def in_order(statement: Select[Any], limit: int) -> Select[Any]:
    """So many of the list, in its order."""
    return statement.order_by(_NAME, DeviceRevision.object_id).limit(limit)


async def count_up_to(session: AsyncSession, statement: Select[Any], most: int) -> int:
    """How many there are, so many at most."""
    some = statement.limit(most).subquery()
    return await session.scalar(select(func.count()).select_from(some)) or 0


# Those who read some departments see a relationship only where they see both of its devices.
_SEEN = f"""(CAST(:departments AS uuid[]) IS NULL OR r.object_type <> '{RELATIONSHIPS}'
                   OR NOT {_is_hidden("r.content", "p.content")})"""
_CHANGES = """
    SELECT r.id, r.xact, r.device_id, r.object_type, r.object_id, r.operation, r.valid_from AS at, r.changed,
           r.content AS after, p.content AS before, r.actor_kind, r.actor_name, r.reason
    FROM device_revisions r
    LEFT JOIN LATERAL (
        SELECT content FROM device_revisions p
        WHERE p.device_id = r.device_id AND p.object_id = r.object_id AND p.id < r.id
        ORDER BY p.valid_from DESC, p.id DESC LIMIT 1
    ) p ON r.operation <> 'insert'
"""


async def feed(
    session: AsyncSession,
    after: tuple[int, int],
    limit: int,
    *,
    device_id: UUID | None = None,
    object_type: str | None = None,
    departments: Sequence[UUID] | None = None,
) -> Sequence[Any]:
    """Changes behind a place in the order in which transactions end, oldest first; of devices that are visible.

    Only transactions older than all that still run: what they wrote cannot come before the last of these any more.
    """
    rows = await session.execute(
        text(
            f"""
            {_CHANGES}
            WHERE (r.xact, r.id) > (:xact, :id) AND r.xact < pg_snapshot_xmin(pg_current_snapshot())::text::bigint
              AND (CAST(:device AS uuid) IS NULL OR r.device_id = :device)
              AND (CAST(:kind AS text) IS NULL OR r.object_type = :kind)
              AND (CAST(:departments AS uuid[]) IS NULL
                   OR r.device_id IN (SELECT id FROM devices WHERE department_id = ANY (:departments)))
              AND {_SEEN}
            ORDER BY r.xact, r.id LIMIT :limit
            """  # noqa: S608 - of this file alone
        ),
        {
            "xact": after[0],
            "id": after[1],
            "device": device_id,
            "kind": object_type,
            "departments": None if departments is None else list(departments),
            "limit": limit,
        },
    )
    return rows.all()


async def newest_changes(
    session: AsyncSession, device_id: UUID, limit: int, departments: Sequence[UUID] | None
) -> Sequence[Any]:
    """The newest changes of a device and its parts."""
    rows = await session.execute(
        text(
            f"{_CHANGES} WHERE r.device_id = :device AND {_SEEN} ORDER BY r.valid_from DESC, r.id DESC LIMIT :limit"
        ),
        {
            "device": device_id,
            "limit": limit,
            "departments": None if departments is None else list(departments),
        },
    )
    return rows.all()


async def differences(
    session: AsyncSession,
    start: datetime,
    end: datetime,
    limit: int,
    *,
    device_id: UUID | None = None,
    departments: Sequence[UUID] | None = None,
) -> Sequence[Any]:
    """Objects that are not at the end what they were at the start: device_id, object_type, object_id, before, after."""
    rows = await session.execute(
        text(
            f"""
            WITH touched AS (
                SELECT DISTINCT r.device_id, r.object_type, r.object_id FROM device_revisions r
                WHERE r.valid_from > :start AND r.valid_from <= :end
                  AND (CAST(:device AS uuid) IS NULL OR r.device_id = :device)
                  AND (CAST(:departments AS uuid[]) IS NULL
                       OR r.device_id IN (SELECT id FROM devices WHERE department_id = ANY (:departments)))
            )
            SELECT t.device_id, t.object_type, t.object_id, b.content AS before, a.content AS after
            FROM touched t
            LEFT JOIN LATERAL (
                SELECT content FROM device_revisions r
                WHERE r.device_id = t.device_id AND r.object_id = t.object_id
                  AND r.valid_from <= :start AND r.valid_to > :start
            ) b ON true
            LEFT JOIN LATERAL (
                SELECT content FROM device_revisions r
                WHERE r.device_id = t.device_id AND r.object_id = t.object_id
                  AND r.valid_from <= :end AND r.valid_to > :end
            ) a ON true
            WHERE a.content IS DISTINCT FROM b.content
              AND (CAST(:departments AS uuid[]) IS NULL OR t.object_type <> '{RELATIONSHIPS}'
                   OR NOT {_is_hidden("a.content", "b.content")})
            ORDER BY t.device_id, t.object_type, t.object_id LIMIT :limit
            """  # noqa: S608 - of this file alone
        ),
        {
            "start": start,
            "end": end,
            "device": device_id,
            "departments": None if departments is None else list(departments),
            "limit": limit,
        },
    )
    return rows.all()


async def locked_cursor(session: AsyncSession, name: str) -> DeviceChangeCursor | None:
    """How far a job has come; None while another one is at it."""
    statement = select(DeviceChangeCursor).where(DeviceChangeCursor.name == name)
    found: DeviceChangeCursor | None = await session.scalar(statement.with_for_update(skip_locked=True))
    return found


async def newest_place(session: AsyncSession) -> tuple[int, int] | None:
    """The place of the newest change that is settled."""
    row = (
        await session.execute(
            text(
                "SELECT xact, id FROM device_revisions "
                "WHERE xact < pg_snapshot_xmin(pg_current_snapshot())::text::bigint ORDER BY xact DESC, id DESC LIMIT 1"
            )
        )
    ).one_or_none()
    return None if row is None else (row[0], row[1])


async def names_and_departments(
    session: AsyncSession, ids: Sequence[UUID]
) -> dict[UUID, tuple[str, UUID | None]]:
    """What devices are or were last called, and whose they are or were."""
    rows = await session.execute(
        text(
            """
            SELECT d.id, r.content ->> 'name', r.content ->> 'department_id'
            FROM unnest(CAST(:ids AS uuid[])) AS d (id)
            CROSS JOIN LATERAL (
                SELECT content FROM device_revisions
                WHERE device_id = d.id AND object_id = d.id AND object_type = 'devices' AND content IS NOT NULL
                ORDER BY valid_from DESC, id DESC LIMIT 1
            ) r
            """
        ),
        {"ids": list(ids)},
    )
    return {row[0]: (row[1] or "", UUID(row[2]) if row[2] else None) for row in rows}
