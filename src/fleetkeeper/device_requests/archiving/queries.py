"""The SQL of old requests and their files."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Select, func, select, text, true
from sqlalchemy.ext.asyncio import AsyncSession

from fleetkeeper.device_requests.archiving.files import OldRequest
from fleetkeeper.device_requests.archiving.models import ArchivedRequest
from fleetkeeper.device_requests.status import DeviceRequestStatus
from fleetkeeper.identity.actor import Actor
from fleetkeeper.identity.permissions import Permission
from fleetkeeper.kit.listing import Field, Listing

LISTING = Listing(
    fields={
        "id": Field(ArchivedRequest.id.expression, UUID, sortable=False),
        "device_id": Field(ArchivedRequest.device_id.expression, UUID, sortable=False),
        "device": Field(ArchivedRequest.device_name.expression, str, sortable=False),
        "type": Field(ArchivedRequest.request_type.expression, str, sortable=False),
        "status": Field(
            ArchivedRequest.status.expression, str, sortable=False, choices=tuple(DeviceRequestStatus)
        ),
        "payload_hash": Field(ArchivedRequest.payload_hash.expression, str, sortable=False),
        "department_id": Field(ArchivedRequest.department_id.expression, UUID, sortable=False),
        "created_at": Field(ArchivedRequest.created_at.expression, datetime),
    },
    search=(ArchivedRequest.request_type.expression, ArchivedRequest.device_name.expression),
    key=ArchivedRequest.id.expression,
    default_ordering="-created_at",
    count_limit=10_000,
)
# What a request's own row says of the way it was handled, and nobody needs when it is over.
_LEFT_OUT = "{version,lease_token,leased_at,lease_expires_at,available_at,needs_person}"
_ENDED = "r.status IN ('completed', 'failed', 'cancelled')"
# A response that a device may still take, or that waits for a verdict.
_AWAITED = (
    "EXISTS (SELECT FROM responses w WHERE w.request_id = r.id AND w.status IN ('processing', 'ready'))"
)
_MAY_GO = [_ENDED, f"NOT {_AWAITED}"]


def visible_to(actor: Actor) -> Select[*tuple[Any, ...]]:
    """The old requests that an actor may see."""
    scope = actor.scope(Permission.REQUESTS_READ)
    seen = true() if scope.everywhere else ArchivedRequest.department_id.in_(sorted(scope.departments))
    return select(ArchivedRequest).where(seen)


def declare_kept(condition: str) -> None:
    """Let requests `r` stay for which a room above has something. Called when modules are imported."""
    _MAY_GO.append(f"NOT {condition}")


async def old_requests(
    session: AsyncSession,
    before: datetime,
    after: tuple[datetime, UUID] | None,
    limit: int,
) -> list[OldRequest]:
    """Requests that ended and are older, oldest first, with all that belongs to them."""
    rows = await session.execute(
        text(
            f"""
            SELECT r.id, r.version, r.device_id, d.name, r.request_type, r.status, r.payload_hash, r.created_at,
                (to_jsonb(r) - CAST(:left_out AS text[])) || jsonb_build_object(
                    'device_name', d.name,
                    'metadata', (SELECT coalesce(jsonb_object_agg(m.key, m.value), '{{}}') FROM request_metadata m
                                 WHERE m.request_id = r.id),
                    'response', (SELECT (to_jsonb(p) - '{{version}}'::text[]) || jsonb_build_object('metadata',
                                     (SELECT coalesce(jsonb_object_agg(m.key, m.value), '{{}}')
                                      FROM response_metadata m WHERE m.response_id = p.id))
                                 FROM responses p WHERE p.request_id = r.id),
                    'decisions', (SELECT coalesce(jsonb_agg(to_jsonb(a) || jsonb_build_object('verdicts',
                                     (SELECT coalesce(jsonb_agg(to_jsonb(v) ORDER BY v.created_at), '[]')
                                      FROM agent_decision_verdicts v WHERE v.decision_id = a.id))
                                     ORDER BY a.created_at), '[]')
                                  FROM agent_decisions a WHERE a.request_id = r.id)
                )
            FROM device_requests r JOIN devices d ON d.id = r.device_id
            WHERE r.created_at < :before AND {" AND ".join(_MAY_GO)}
              AND (r.created_at, r.id) > (:after_at, CAST(:after_id AS uuid))
            ORDER BY r.created_at, r.id LIMIT :limit
            """  # noqa: S608 - conditions that rooms declare
        ),
        {
            "left_out": _LEFT_OUT,
            "before": before,
            "after_at": after[0] if after else datetime.min.replace(tzinfo=before.tzinfo, year=1970),
            "after_id": after[1] if after else UUID(int=0),
            "limit": limit,
        },
    )
    return [OldRequest(*row) for row in rows]


async def hand_over(session: AsyncSession, archive_id: UUID, rows: Sequence[OldRequest]) -> int:
    """Take requests that are in a file out of the tables, those that are as they were read; returns how many."""
    told = {
        "archive": archive_id,
        "ids": [row.id for row in rows],
        "versions": [row.version for row in rows],
        "names": [row.device_name for row in rows],
    }
    result = await session.execute(
        text(
            f"""
            WITH told AS (
                SELECT id, version, device_name, number - 1 AS position
                FROM unnest(CAST(:ids AS uuid[]), CAST(:versions AS int[]), CAST(:names AS text[]))
                    WITH ORDINALITY AS t (id, version, device_name, number)
            ), ended AS (
                SELECT r.id, r.device_id, t.device_name, r.department_id, r.request_type, r.status, r.payload_hash,
                    r.created_at, t.position
                FROM told t JOIN device_requests r ON r.id = t.id AND r.version = t.version
                WHERE {" AND ".join(_MAY_GO)}
                FOR UPDATE OF r
            ), gone AS (
                DELETE FROM device_requests r USING ended WHERE r.id = ended.id RETURNING r.id
            )
            INSERT INTO archived_requests (id, device_id, device_name, department_id, request_type, status,
                payload_hash, created_at, archived_at, archive_id, position)
            SELECT id, device_id, device_name, department_id, request_type, status, payload_hash, created_at, now(),
                :archive, position
            FROM ended
            """  # noqa: S608 - conditions that rooms declare
        ),
        told,
    )
    return int(getattr(result, "rowcount", 0))


async def unfinished(session: AsyncSession, age_hours: int) -> list[tuple[UUID, str, str]]:
    """Files whose writers died: ID, store and path."""
    rows = await session.execute(
        text(
            "SELECT id, store, path FROM request_archives WHERE state = 'writing' "
            "AND created_at < now() - make_interval(hours => :hours) LIMIT 100"
        ),
        {"hours": age_hours},
    )
    return [(row[0], row[1], row[2]) for row in rows]


async def count_live(session: AsyncSession) -> int:
    """How many requests are in files."""
    return await session.scalar(select(func.count()).select_from(ArchivedRequest)) or 0
