"""The SQL of refused samples."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import DateTime, Select, String, bindparam, delete, select, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.types import BigInteger, Uuid

from fleetkeeper.devices.models import Device
from fleetkeeper.identity.actor import Actor
from fleetkeeper.identity.models import ApiToken, Department
from fleetkeeper.identity.permissions import Permission
from fleetkeeper.kit.listing import Field, Listing
from fleetkeeper.telemetry.refusals.models import RefusedSamples

LISTING = Listing(
    fields={
        "id": Field(RefusedSamples.id.expression, int, sortable=False),
        "department_id": Field(RefusedSamples.department_id.expression, UUID, sortable=False),
        "protocol": Field(RefusedSamples.protocol.expression, str),
        "reason": Field(RefusedSamples.reason.expression, str),
        "samples": Field(RefusedSamples.samples.expression, int),
        "first_seen": Field(RefusedSamples.first_seen.expression, datetime),
        "last_seen": Field(RefusedSamples.last_seen.expression, datetime),
        "device_id": Field(RefusedSamples.device_id.expression, UUID, sortable=False),
        "token_id": Field(RefusedSamples.token_id.expression, UUID, sortable=False),
    },
    search=(
        RefusedSamples.sentence.expression,
        RefusedSamples.example.expression,
        RefusedSamples.reason.expression,
        Device.name.expression,
        ApiToken.name.expression,
    ),
    key=RefusedSamples.id.expression,
    key_kind=int,
    default_ordering="-last_seen",
)


class Refused(NamedTuple):
    """Samples that were refused for one reason. The device's department goes before the one given."""

    department_id: UUID | None
    protocol: str
    reason: str
    samples: int
    first_seen: datetime
    last_seen: datetime
    sentence: str
    example: str
    device_id: UUID | None
    token_id: UUID | None


_TYPES: dict[str, Any] = {
    "department_id": Uuid,
    "protocol": String,
    "reason": String,
    "samples": BigInteger,
    "first_seen": DateTime(timezone=True),
    "last_seen": DateTime(timezone=True),
    "sentence": String,
    "example": String,
    "device_id": Uuid,
    "token_id": Uuid,
}
# What went meanwhile (a device, a token, a department) is nobody's any more.
_ADD = text(
    f"""
    INSERT INTO refused_samples AS r (
        department_id, protocol, reason, samples, first_seen, last_seen, sentence, example, device_id, token_id)
    SELECT DISTINCT ON (department, protocol, reason) department, protocol, reason, sum(samples) OVER alike,
           min(first_seen) OVER alike, max(last_seen) OVER alike, sentence, example, device, token
    FROM (
        SELECT n.*, d.id AS device, t.id AS token, coalesce(d.department_id, p.id) AS department
        FROM unnest({", ".join(f":{name}" for name in Refused._fields)}) AS n ({", ".join(Refused._fields)})
        LEFT JOIN devices d ON d.id = n.device_id
        LEFT JOIN departments p ON p.id = n.department_id
        LEFT JOIN api_tokens t ON t.id = n.token_id
    ) placed
    WINDOW alike AS (PARTITION BY department, protocol, reason)
    ORDER BY department, protocol, reason, example = '', last_seen DESC
    ON CONFLICT (department_id, protocol, reason) DO UPDATE SET
        samples = r.samples + excluded.samples,
        last_seen = greatest(r.last_seen, excluded.last_seen),
        sentence = excluded.sentence,
        example = CASE WHEN excluded.example = '' THEN r.example ELSE excluded.example END,
        device_id = excluded.device_id,
        token_id = excluded.token_id
    """  # noqa: S608 - names of fields
).bindparams(*(bindparam(name, type_=ARRAY(kind)) for name, kind in _TYPES.items()))


async def add(session: AsyncSession, rows: Sequence[Refused]) -> None:
    """Count refused samples, in one statement however many there are."""
    columns = dict(zip(Refused._fields, map(list, zip(*rows, strict=True)), strict=True))
    await session.execute(_ADD, columns)


async def only_topmost(session: AsyncSession, departments: frozenset[UUID] | None) -> UUID | None:
    """The one of some departments that all others of them lie below; None where there is no such one."""
    if not departments:
        return None
    rows = await session.scalars(
        text(
            "SELECT id FROM departments WHERE id = ANY(:ids) AND (parent_id IS NULL OR parent_id <> ALL(:ids)) LIMIT 2"
        ),
        {"ids": sorted(departments)},
    )
    found = rows.all()
    return found[0] if len(found) == 1 else None


def visible_to(actor: Actor) -> Select[*tuple[Any, ...]]:
    """What was refused in departments whose devices the actor may see, with the names of what it came from.

    What is of no department is seen by those who may see all devices.
    """
    statement: Select[*tuple[Any, ...]] = (
        select(
            RefusedSamples,
            Department.name.label("department_name"),
            Device.name.label("device_name"),
            ApiToken.name.label("token_name"),
        )
        .outerjoin(Department, Department.id == RefusedSamples.department_id)
        .outerjoin(Device, Device.id == RefusedSamples.device_id)
        .outerjoin(ApiToken, ApiToken.id == RefusedSamples.token_id)
    )
    scope = actor.scope(Permission.DEVICES_READ)
    if scope.everywhere:
        return statement
    return statement.where(RefusedSamples.department_id.in_(sorted(scope.departments)))


async def forget_old(session: AsyncSession, before: datetime) -> None:
    """Remove what has not been refused since."""
    await session.execute(delete(RefusedSamples).where(RefusedSamples.last_seen < before))
