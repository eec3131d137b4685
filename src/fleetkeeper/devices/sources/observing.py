"""What comes of a source that tells of a machine: a device it is known as, one that it is by evidence, or a new one."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from fleetkeeper.annotations.fields.values import set_defaults
from fleetkeeper.devices.annotating import TABLE
from fleetkeeper.devices.identity.evidence import normalise_evidence
from fleetkeeper.devices.models import Device, DeviceSource
from fleetkeeper.devices.precedence.applying import settle
from fleetkeeper.devices.precedence.attributes import claims_in
from fleetkeeper.devices.sources.queries import (
    find_source,
    forget_identities,
    sources_of,
    store_source,
    take_turn,
)
from fleetkeeper.devices.sources.regrouping import regroup
from fleetkeeper.errors import FieldError, InvalidInputError, NotFoundError

Outcome = Literal["known", "joined", "new"]


@dataclass(frozen=True)
class Observation:
    """One machine as a source knows it."""

    source_system: str
    source_id: str
    # Attributes by their names; those that devices do not have are kept with the source.
    attributes: Mapping[str, Any]
    # Such as {"smbios_uuid", "serial", "mac", "fqdn", "hostname"}.
    identities: Mapping[str, str] = field(default_factory=dict)
    source_instance: str = ""
    department_id: UUID | None = None


@dataclass(frozen=True)
class Observed:
    """The device that an observation is of."""

    device_id: UUID
    outcome: Outcome


async def observe(session: AsyncSession, told: Observation, now: datetime) -> Observed:
    """Store what a source says of a machine, and find the device that it is.

    What a source has told before stays the device that it was, unless evidence or a person says otherwise. Raises
    InvalidInputError for one without an ID.
    """
    if not told.source_system or not told.source_id:
        raise InvalidInputError(
            "The machine was not stored.",
            fields=[FieldError("source_id", "Must name the machine in its source")],
        )
    await take_turn(session)
    evidence = frozenset(normalise_evidence(told.identities))
    key = (told.source_system, told.source_instance, told.source_id)
    known = await find_source(session, *key)
    before = _evidence_of(known)
    device = await _locked(session, known.device_id) if known is not None else await _new(session, told, now)
    claims = {name: value for name, value in told.attributes.items() if value not in (None, "", [], {})}
    claims |= claims_in(dict(told.attributes))
    await store_source(
        session,
        device.id,
        (told.source_system, told.source_id),
        claims,
        now,
        instance=told.source_instance,
        evidence=sorted(evidence),
    )
    if await settle(session, device, now):
        device.version += 1
    await session.flush()
    if known is not None and (evidence == before or not evidence):
        return Observed(device.id, "known")
    await _forget_what_is_gone(session, device, before - evidence)
    await regroup(session, before | evidence, device.department_id, now)
    source = await find_source(session, *key)
    device_id = device.id if source is None else source.device_id
    if known is not None:
        return Observed(device_id, "known")
    return Observed(device_id, "new" if device_id == device.id else "joined")


def _evidence_of(source: DeviceSource | None) -> frozenset[tuple[str, str]]:
    return frozenset((kind, value) for kind, value in (source.evidence if source is not None else ()))


async def _new(session: AsyncSession, told: Observation, now: datetime) -> Device:
    claims = claims_in(dict(told.attributes))
    name = str(claims.get("name") or claims.get("hostname") or told.source_id)[:255]
    device = Device(
        name=name,
        hostname=str(claims.get("hostname") or name),
        first_seen=now,
        department_id=told.department_id,
    )
    session.add(device)
    await session.flush()
    await set_defaults(session, TABLE, device.id, told.department_id)
    return device


async def _locked(session: AsyncSession, device_id: UUID) -> Device:
    device = await session.get(Device, device_id, with_for_update=True, populate_existing=True)
    if device is None:
        raise NotFoundError("There is no such device.")
    return device


async def _forget_what_is_gone(
    session: AsyncSession, device: Device, gone: frozenset[tuple[str, str]]
) -> None:
    """Forget evidence that its source gives no more, and no other source of the device either."""
    if gone:
        told = {piece for one in await sources_of(session, [device.id]) for piece in _evidence_of(one)}
        await forget_identities(session, device.id, gone - told)
