"""Joins two devices and takes them apart again, whether people or evidence asked for it."""

from collections.abc import Collection, Sequence
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from fleetkeeper.database.across_departments import across_departments
from fleetkeeper.devices.identity.proposing import propose_for
from fleetkeeper.devices.identity.queries import decide_pair
from fleetkeeper.devices.merging.hosts import move_hosts, move_hosts_back
from fleetkeeper.devices.merging.models import DeviceMerge
from fleetkeeper.devices.merging.moving import move_back, move_rows
from fleetkeeper.devices.merging.preview import differing, merged_attributes
from fleetkeeper.devices.models import Device
from fleetkeeper.devices.precedence.applying import settle
from fleetkeeper.devices.precedence.entering import enter_again, note_entered
from fleetkeeper.kit.ids import uuid7

REVOKED, IDENTITIES, CONFIRMED = "device_keys.revoked", "device_identities.copied", "device_sources.confirmed"
_DATES = frozenset({"purchased_on", "warranty_until", "end_of_support_on"})


async def merge(
    session: AsyncSession,
    kept: Device,
    other: Device,
    chosen: Collection[str],
    *,
    by: str,
    reason: str,
    now: datetime,
    is_automatic: bool = False,
) -> DeviceMerge:
    """Merge locked devices that may be merged."""
    attributes = await merged_attributes(session, kept, other, chosen, now)
    before = {one.attribute: _told(one.kept) for one in attributes}
    async with across_departments(session):
        journal = await move_rows(session, other.id, kept.id) | await move_hosts(session, other.id, kept.id)
        journal[IDENTITIES] = await _copy_identities(session, other.id, kept.id)
        journal[REVOKED] = await _revoke_keys(session, other.id, now)
        if not is_automatic:
            journal[CONFIRMED] = await _confirm_sources(session, kept.id)
        await decide_pair(
            session, kept.id, other.id, "merged", by=by or "the product", reason=reason, now=now
        )
        other.merged_into = kept.id
        other.version += 1
        await session.flush()
    taken = {one.attribute: one.other for one in attributes if one.attribute in chosen}
    for name, value in (differing(attributes) | taken).items():
        setattr(kept, name, value)
    kept.first_seen = min(filter(None, (kept.first_seen, other.first_seen)), default=None)
    kept.version += 1
    await session.flush()
    await note_entered(session, [kept.id], taken, by, now, reason)
    await settle(session, kept, now)
    made = DeviceMerge(
        id=uuid7(),
        device_id=kept.id,
        merged_device_id=other.id,
        merged_name=other.name,
        merged_at=now,
        merged_by=by[:255],
        is_automatic=is_automatic,
        reason=reason,
        moved={name: [str(key) for key in keys] for name, keys in journal.items() if keys},
        changed={
            name: {"before": value, "after": _told(getattr(kept, name))}
            for name, value in before.items()
            if value != _told(getattr(kept, name))
        },
    )
    session.add(made)
    await session.flush()
    await propose_for(session, kept.id)
    await session.refresh(made)
    return made


async def undo(
    session: AsyncSession,
    made: DeviceMerge,
    kept: Device,
    other: Device,
    *,
    by: str,
    reason: str,
    now: datetime,
) -> None:
    """Give a merged device back what was its own."""
    async with across_departments(session):
        other.merged_into = None
        other.version += 1
        await session.flush()
        await move_back(session, kept.id, other.id, made.moved)
        await move_hosts_back(session, kept.id, other.id, _hosts(made.moved))
        await _take_back(session, kept.id, other.id, made)
        await decide_pair(session, kept.id, other.id, "different", by=by, reason=reason, now=now)
    for name, one in made.changed.items():
        # What was changed since is somebody's newer word.
        if _told(getattr(kept, name)) == one["after"]:
            setattr(kept, name, _as_column(name, one["before"]))
            await enter_again(session, kept.id, name, one["after"], one["before"])
    await settle(session, kept, now)
    await settle(session, other, now)
    kept.version += 1
    made.undone_at, made.undone_by = now, by[:255]
    await session.flush()


def _hosts(journal: dict[str, Any]) -> dict[str, Sequence[int]]:
    """Of a journal the keys of host names, which are numbers."""
    return {
        name: [int(key) for key in keys]
        for name, keys in journal.items()
        if name.startswith("telemetry_hosts.")
    }


def _told(value: Any) -> Any:
    """A column's value as the journal keeps it."""
    return str(value) if isinstance(value, UUID | date) else value


def _as_column(name: str, value: Any) -> Any:
    if value is not None and name == "location_id":
        return UUID(value)
    return date.fromisoformat(value) if value is not None and name in _DATES else value


async def _copy_identities(session: AsyncSession, origin: UUID, into: UUID) -> list[Any]:
    rows = await session.scalars(
        text(
            """
            INSERT INTO device_identities (id, device_id, kind, value, strength, source_system, first_seen, last_seen)
            SELECT gen_random_uuid(), :into, kind, value, strength, source_system, first_seen, last_seen
            FROM device_identities WHERE device_id = :origin
            ON CONFLICT (device_id, kind, value) DO NOTHING RETURNING id
            """
        ),
        {"origin": origin, "into": into},
    )
    return list(rows)


async def _revoke_keys(session: AsyncSession, device_id: UUID, now: datetime) -> list[Any]:
    rows = await session.scalars(
        text(
            "UPDATE device_keys SET revoked_at = :now WHERE device_id = :device AND revoked_at IS NULL RETURNING id"
        ),
        {"device": device_id, "now": now},
    )
    return list(rows)


async def _confirm_sources(session: AsyncSession, device_id: UUID) -> list[Any]:
    rows = await session.scalars(
        text(
            "UPDATE device_sources SET is_confirmed = true WHERE device_id = :device AND NOT is_confirmed RETURNING id"
        ),
        {"device": device_id},
    )
    return list(rows)


async def _take_back(session: AsyncSession, kept_id: UUID, other_id: UUID, made: DeviceMerge) -> None:
    """Undo what was done to rows that did not go from one to the other."""
    await session.execute(
        text("DELETE FROM device_identities WHERE device_id = :device AND id = ANY (CAST(:keys AS uuid[]))"),
        {"device": kept_id, "keys": list(made.moved.get(IDENTITIES, ()))},
    )
    await session.execute(
        text(
            "UPDATE device_keys SET revoked_at = NULL "
            "WHERE device_id = :device AND revoked_at = :at AND id = ANY (CAST(:keys AS uuid[]))"
        ),
        {"device": other_id, "at": made.merged_at, "keys": list(made.moved.get(REVOKED, ()))},
    )
    await session.execute(
        text("UPDATE device_sources SET is_confirmed = false WHERE id = ANY (CAST(:keys AS uuid[]))"),
        {"keys": list(made.moved.get(CONFIRMED, ()))},
    )
    await session.execute(
        text("DELETE FROM attribute_pins WHERE device_id = :device AND pinned_at = :at"),
        {"device": kept_id, "at": made.merged_at},
    )
