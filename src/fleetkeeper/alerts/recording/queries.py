"""The SQL of what rules recorded."""

from collections.abc import Collection, Iterable, Mapping
from datetime import datetime
from uuid import UUID

from sqlalchemy import delete, func, select, text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from fleetkeeper.alerts.recording.models import RecordedSeries
from fleetkeeper.alerts.recording.placing import Place
from fleetkeeper.devices.product_devices import product_device
from fleetkeeper.telemetry.own_series import Origin

# The device that has the series which name no device, as `device_sources` knows it.
SOURCE = ("recording_rules", "series")
_NAME = "Recorded series"


async def recorded_by(session: AsyncSession, rule_id: UUID) -> dict[bytes, Place]:
    """The series that a rule recorded at its last instant."""
    rows = await session.scalars(select(RecordedSeries).where(RecordedSeries.rule_id == rule_id))
    return {row.fingerprint: Place(row.device_id, row.key) for row in rows}


async def count_recorded(session: AsyncSession, rule_id: UUID) -> int:
    """How many series a rule recorded at its last instant."""
    statement = select(func.count()).select_from(RecordedSeries)
    return await session.scalar(statement.where(RecordedSeries.rule_id == rule_id)) or 0


async def keep(
    session: AsyncSession, rule_id: UUID, added: Mapping[bytes, Place], gone: Collection[bytes]
) -> None:
    """Remember what a rule records now."""
    if added:
        rows = [
            {"rule_id": rule_id, "fingerprint": key, "device_id": place.device_id, "key": place.key}
            for key, place in added.items()
        ]
        await session.execute(insert(RecordedSeries).on_conflict_do_nothing(), rows)
    if gone:
        await session.execute(
            delete(RecordedSeries).where(
                RecordedSeries.rule_id == rule_id, RecordedSeries.fingerprint.in_(list(gone))
            )
        )


async def take_orphans(session: AsyncSession, most: int) -> list[Place]:
    """Series of rules that are gone or disabled; they are remembered no more once the transaction is committed."""
    rows = await session.execute(
        text(
            """
            DELETE FROM recorded_series WHERE (rule_id, fingerprint) IN (
                SELECT s.rule_id, s.fingerprint FROM recorded_series s
                WHERE NOT EXISTS (SELECT FROM recording_rules r WHERE r.id = s.rule_id AND r.enabled)
                LIMIT :most FOR UPDATE SKIP LOCKED)
            RETURNING device_id, key
            """
        ),
        {"most": most},
    )
    return [Place(row.device_id, row.key) for row in rows]


async def origins_of(session: AsyncSession, wanted: Iterable[UUID]) -> dict[UUID, Origin]:
    """What the labels of devices say of them."""
    rows = await session.execute(
        text(
            "SELECT d.id, d.name, d.device_type, coalesce(p.name, '') AS department FROM devices d "
            "LEFT JOIN departments p ON p.id = d.department_id WHERE d.id = ANY(CAST(:ids AS uuid[]))"
        ),
        {"ids": sorted(set(wanted))},
    )
    return {row.id: Origin(row.id, row.name, row.device_type, row.department, is_agent=False) for row in rows}


async def device_of_the_rest(session: AsyncSession, now: datetime) -> UUID:
    """The device that has the series which name none; made where it is missing.

    It is of no department: what is told of the whole fleet is read by those who see all of it.
    """
    return await product_device(session, SOURCE, _NAME, now)
