"""The SQL of sources and of evidence."""

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import delete, func, or_, select, text, tuple_
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from fleetkeeper.devices.identity.records import Piece
from fleetkeeper.devices.identity.strength import strength_of
from fleetkeeper.devices.models import Device, DeviceIdentity, DeviceSource
from fleetkeeper.kit.ids import uuid7

# A value that more devices have tells nobody from another.
MOST_SHARING = 50
# A source that says the same again is written down no more often.
CONFIRMED_EVERY = timedelta(hours=1)


async def store_source(
    session: AsyncSession,
    device_id: UUID,
    source: tuple[str, str],
    attributes: dict[str, Any],
    now: datetime,
    *,
    instance: str = "",
    evidence: Sequence[Piece] = (),
) -> None:
    """Remember what a source (system, ID) says of a device. What it does not know now, it said before."""
    statement = insert(DeviceSource).values(
        id=uuid7(),
        device_id=device_id,
        source_system=source[0],
        source_instance=instance,
        source_id=source[1],
        attributes=attributes,
        evidence=[list(one) for one in sorted(set(evidence))],
        first_seen=now,
        last_seen=now,
    )
    told = statement.excluded
    known = DeviceSource.attributes.op("||")(told.attributes)
    shown = func.coalesce(func.nullif(told.evidence, text("'[]'::jsonb")), DeviceSource.evidence)
    await session.execute(
        statement.on_conflict_do_update(
            index_elements=["source_system", "source_instance", "source_id"],
            set_={"attributes": known, "evidence": shown, "last_seen": now, "missing_since": None},
            where=or_(
                DeviceSource.attributes != known,
                DeviceSource.evidence != shown,
                DeviceSource.last_seen < now - CONFIRMED_EVERY,
                DeviceSource.missing_since.is_not(None),
            ),
        )
    )
    await store_identities(session, device_id, evidence, now, source[0])


async def store_identities(
    session: AsyncSession, device_id: UUID, evidence: Sequence[Piece], now: datetime, source_system: str = ""
) -> bool:
    """Remember evidence of a device's identity, and when it was last given; returns whether some is new."""
    if not evidence:
        return False
    rows = [
        {
            "id": uuid7(),
            "device_id": device_id,
            "kind": kind,
            "value": value,
            "strength": strength_of(kind, value),
            "source_system": source_system,
            "first_seen": now,
            "last_seen": now,
        }
        for kind, value in sorted(set(evidence))
    ]
    statement = insert(DeviceIdentity).values(rows)
    stored = statement.on_conflict_do_update(
        index_elements=["device_id", "kind", "value"],
        set_={
            "last_seen": statement.excluded.last_seen,
            "strength": statement.excluded.strength,
            "source_system": statement.excluded.source_system,
        },
    ).returning(text("xmax = 0"))
    return any(await session.scalars(stored))


async def find_source(
    session: AsyncSession, system: str, instance: str, source_id: str
) -> DeviceSource | None:
    """A source's row, locked."""
    found = select(DeviceSource).where(
        DeviceSource.source_system == system,
        DeviceSource.source_instance == instance,
        DeviceSource.source_id == source_id,
    )
    return (
        await session.scalars(found.with_for_update().execution_options(populate_existing=True))
    ).one_or_none()


async def sources_of(session: AsyncSession, ids: Collection[UUID]) -> Sequence[DeviceSource]:
    """What sources say of devices, the one that knows a device longest first."""
    statement = select(DeviceSource).where(DeviceSource.device_id.in_(ids))
    ordered = statement.order_by(DeviceSource.first_seen, DeviceSource.id)
    # They are written by statements, of which objects that were read before know nothing.
    return (await session.scalars(ordered.execution_options(populate_existing=True))).all()


async def take_turn(session: AsyncSession) -> None:
    """Let nobody else decide what belongs together until the transaction ends."""
    await session.execute(text("SELECT id FROM identity_turns FOR UPDATE"))


async def common_pieces(
    session: AsyncSession, pieces: Collection[Piece], department_id: UUID | None
) -> frozenset[Piece]:
    """Those pieces of evidence that so many devices of a department have that they tell nothing."""
    if not pieces:
        return frozenset()
    rows = await session.execute(
        select(DeviceIdentity.kind, DeviceIdentity.value)
        .join(Device, Device.id == DeviceIdentity.device_id)
        .where(
            tuple_(DeviceIdentity.kind, DeviceIdentity.value).in_(sorted(pieces)),
            Device.department_id.is_not_distinct_from(department_id),
        )
        .group_by(DeviceIdentity.kind, DeviceIdentity.value)
        .having(func.count() > MOST_SHARING)
    )
    return frozenset((kind, value) for kind, value in rows.all())


async def devices_sharing(
    session: AsyncSession,
    pieces: Collection[Piece],
    names: Collection[str],
    department_id: UUID | None,
    limit: int,
) -> list[UUID]:
    """Devices of a department with any of the pieces, or with a host name whose first part is one of the names."""
    first_part = func.split_part(DeviceIdentity.value, ".", 1)
    alike = or_(
        tuple_(DeviceIdentity.kind, DeviceIdentity.value).in_(sorted(pieces)),
        (DeviceIdentity.kind.in_(("hostname", "fqdn"))) & first_part.in_(sorted(names)),
    )
    rows = await session.scalars(
        select(DeviceIdentity.device_id)
        .join(Device, Device.id == DeviceIdentity.device_id)
        .where(alike, Device.merged_into.is_(None), Device.department_id.is_not_distinct_from(department_id))
        .distinct()
        .order_by(DeviceIdentity.device_id)
        .limit(limit)
    )
    return list(rows)


async def forget_identities(session: AsyncSession, device_id: UUID, pieces: Collection[Piece]) -> None:
    """Forget evidence that a device has no more."""
    if pieces:
        await session.execute(
            delete(DeviceIdentity).where(
                DeviceIdentity.device_id == device_id,
                tuple_(DeviceIdentity.kind, DeviceIdentity.value).in_(sorted(pieces)),
            )
        )
