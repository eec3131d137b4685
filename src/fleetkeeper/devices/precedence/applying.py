"""Gives a device the values that count, of those that its sources tell and people pinned."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from fleetkeeper.devices.models import Device, DeviceSource
from fleetkeeper.devices.precedence.attributes import ATTRIBUTES, usable
from fleetkeeper.devices.precedence.models import AttributePin, AttributeRule
from fleetkeeper.devices.precedence.resolving import Claim, Pin, Resolved, Rule, resolve
from fleetkeeper.devices.sources.queries import sources_of


async def settle(session: AsyncSession, device: Device, now: datetime) -> bool:
    """Let a locked device have what counts; returns whether something changed. The caller counts the version."""
    sources = await sources_of(session, [device.id])
    resolved = resolved_from(sources, await pins_of(session, device.id), await rules(session), now)
    changed = False
    for attribute, one in resolved.items():
        if getattr(device, attribute) != one.value:
            setattr(device, attribute, one.value)
            changed = True
    return changed


def resolved_from(
    sources: Sequence[DeviceSource],
    pins: Mapping[str, AttributePin],
    known: Iterable[Rule],
    now: datetime,
) -> dict[str, Resolved]:
    """What counts of each attribute that anybody says something of."""
    ruled = tuple(known)
    found = {}
    for attribute in ATTRIBUTES:
        claims = [
            Claim(
                one.source_system,
                one.source_id,
                usable(attribute, one.attributes[attribute]),
                one.first_seen,
                one.last_seen,
                one.source_instance,
            )
            for one in sources
            if attribute in one.attributes
        ]
        pinned = pins.get(attribute)
        pin = Pin(pinned.value, pinned.reason) if pinned is not None else None
        one = resolve(attribute, claims, ruled, now, pin)
        if one is not None:
            found[attribute] = one
    return found


async def rules(session: AsyncSession) -> list[Rule]:
    """The rules of the installation."""
    rows = await session.scalars(select(AttributeRule).order_by(AttributeRule.rank, AttributeRule.id))
    return [
        Rule(
            one.attribute,
            one.source_system,
            one.rank,
            None if one.max_age_days is None else timedelta(days=one.max_age_days),
        )
        for one in rows
    ]


async def pins_of(session: AsyncSession, device_id: UUID) -> dict[str, AttributePin]:
    """A device's pins, by attribute."""
    rows = await session.scalars(select(AttributePin).where(AttributePin.device_id == device_id))
    return {one.attribute: one for one in rows}


async def is_told_by_one(session: AsyncSession, device_id: UUID, sources: Sequence[Any]) -> bool:
    """Whether a single source tells all, and nothing is pinned: what it says counts."""
    return len(sources) < 2 and not await pins_of(session, device_id)
