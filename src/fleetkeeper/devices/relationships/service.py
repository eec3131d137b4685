"""Relationships of devices: seen by those who see both ends, and changed by those who may change both."""

from collections.abc import Sequence
from typing import Any, get_args
from uuid import UUID

from sqlalchemy import Select, or_
from sqlalchemy.ext.asyncio import AsyncSession

from fleetkeeper.devices import queries as device_queries
from fleetkeeper.devices import service as devices
from fleetkeeper.devices.locations.queries import ids_below
from fleetkeeper.devices.models import Device
from fleetkeeper.devices.parts import DeviceParts
from fleetkeeper.devices.relationships import queries
from fleetkeeper.devices.relationships.models import DeviceRelationship
from fleetkeeper.devices.relationships.schemas import (
    RelationshipPage,
    RelationshipRead,
    RelationshipType,
    RelationshipWrite,
    Topology,
    TopologyEdge,
    TopologyNode,
)
from fleetkeeper.errors import ConflictError, FieldError, InvalidInputError
from fleetkeeper.identity.actor import Actor
from fleetkeeper.identity.permissions import Permission
from fleetkeeper.kit.clock import utc_now

# What goes round in a circle makes no sense; two machines may back each other up, and cables close rings.
ONE_WAY = frozenset({"hosts", "manages", "powers"})
DEEPEST = 50
MOST_NODES = 2000
KINDS: tuple[str, ...] = get_args(RelationshipType)


async def _examine(session: AsyncSession, key: UUID | None, values: dict[str, Any]) -> None:
    parent, child, kind = values["parent_device_id"], values["child_device_id"], values["relationship_type"]
    if parent == child:
        wrong = FieldError("child_device_id", "Must be another device than the parent")
        raise InvalidInputError("The relationship was not saved.", fields=[wrong])
    if values["valid_to"] is not None and values["valid_to"] <= values["valid_from"]:
        wrong = FieldError("valid_to", "Must lie after valid_from")
        raise InvalidInputError("The relationship was not saved.", fields=[wrong])
    await queries.lock_devices(session, [parent, child])
    is_current = values["valid_to"] is None
    if is_current and kind in ONE_WAY and await queries.leads_to(session, kind, child, parent, key, DEEPEST):
        wrong = FieldError("child_device_id", f"The child {kind} the parent already, if not directly")
        raise ConflictError("The relationship would close a circle.", fields=[wrong])


async def closing_circle(session: AsyncSession, one: UUID, other: UUID) -> str:
    """The kind of relationship that would go round in a circle if two devices were one; empty where none does."""
    for kind in sorted(ONE_WAY):
        for start, end in ((one, other), (other, one)):
            if await queries.leads_through_others(session, kind, start, end, DEEPEST):
                return kind
    return ""


def _values(wanted: RelationshipWrite) -> dict[str, Any]:
    told = wanted.model_dump()
    told["extra"] = told.pop("metadata")
    told["valid_from"] = told["valid_from"] or utc_now()
    return told


class Relationships(DeviceParts[RelationshipWrite, RelationshipRead]):
    """Relationships, which both of their devices have."""

    def _narrowed(
        self, visible: Select[Any], parameters: Sequence[tuple[str, str]]
    ) -> tuple[Select[Any], Sequence[tuple[str, str]]]:
        """`device_id` is either end."""
        rest = []
        for name, told in parameters:
            if name == "device_id" and told:
                device_id = self.listing.fields[name].parse(name, told)
                ends = (DeviceRelationship.parent_device_id, DeviceRelationship.child_device_id)
                visible = visible.where(or_(*(end == device_id for end in ends)))
            else:
                rest.append((name, told))
        return visible, rest


relationships = Relationships(
    model=DeviceRelationship,
    listing=queries.LISTING,
    write_as=RelationshipWrite,
    read_as=RelationshipRead,
    page_as=RelationshipPage,
    noun=("relationship", "relationships"),
    page="/device-relationships/{}",
    label="relationship_type",
    read=Permission.DEVICES_READ,
    write=Permission.DEVICES_WRITE,
    devices_of=("parent_device_id", "child_device_id"),
    examine=_examine,
    values=_values,
)


async def topology_around(
    session: AsyncSession, actor: Actor, device_id: UUID, kinds: Sequence[str], depth: int, limit: int
) -> Topology:
    """The devices around one and how they are related. Raises NotFoundError."""
    await devices.get_device(session, actor, device_id)
    wanted = [one for one in KINDS if not kinds or one in kinds]
    rows = await queries.neighborhood(session, device_id, wanted, depth, limit + 1)
    return await _topology(session, rows, wanted, limit)


async def topology_of(
    session: AsyncSession,
    actor: Actor,
    kinds: Sequence[str],
    limit: int,
    *,
    location_id: UUID | None = None,
    department_id: UUID | None = None,
    device_types: Sequence[str] = (),
) -> Topology:
    """The devices of a location and all below it, a department or a type, that are related, and how; by name."""
    wanted = [one for one in KINDS if not kinds or one in kinds]
    visible = device_queries.visible_to(actor)
    if location_id is not None:
        visible = visible.where(Device.location_id.in_(await ids_below(session, location_id)))
    if department_id is not None:
        visible = visible.where(Device.department_id == department_id)
    if device_types:
        visible = visible.where(Device.device_type.in_(device_types))
    rows = await queries.related(session, visible, wanted, limit + 1)
    return await _topology(session, rows, wanted, limit)


async def _topology(
    session: AsyncSession, rows: Sequence[Any], wanted: Sequence[str], limit: int
) -> Topology:
    nodes = [TopologyNode.model_validate(dict(row._mapping)) for row in rows[:limit]]  # noqa: SLF001
    edges = await queries.between(session, [one.id for one in nodes], wanted)
    return Topology(
        nodes=nodes,
        edges=[TopologyEdge.model_validate(dict(row._mapping)) for row in edges],  # noqa: SLF001
        is_cut=len(rows) > limit,
    )
