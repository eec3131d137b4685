"""What goes from a device to another one, and back. Rooms above declare what of theirs goes along."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession


@dataclass(frozen=True)
class Moving:
    """Rows of a table that name a device in a column."""

    table: str
    column: str
    # What a person calls them, for the preview.
    noun: str
    # By which a row is known again.
    key: str = "id"
    key_type: str = "uuid"
    # A condition, about `t` (which would go) and `o` (of the other device), under which a row stays where it is.
    stays: str = ""
    # Further conditions on `t`.
    only: str = "true"

    @property
    def name(self) -> str:
        """What the journal calls it."""
        return f"{self.table}.{self.column}"


_MOVING: list[Moving] = [
    # What people entered of the device that stays goes before what they entered of the other.
    Moving(
        "device_sources",
        "device_id",
        "sources",
        stays="o.source_system = 'manual' AND t.source_system = 'manual'",
    ),
    Moving("devices", "merged_into", "devices merged into it before"),
    Moving(
        "network_interfaces", "device_id", "network interfaces", stays="o.interface_name = t.interface_name"
    ),
    Moving("storage_volumes", "device_id", "volumes"),
    Moving(
        "hardware_components",
        "device_id",
        "components",
        stays="o.kind = t.kind AND o.slot = t.slot",
    ),
    Moving("vms", "device_id", "descriptions as a virtual machine", stays="true"),
    Moving(
        "server_facts",
        "device_id",
        "facts",
        stays="o.source_system = t.source_system AND o.fact_name = t.fact_name",
    ),
    Moving(
        "device_configs",
        "device_id",
        "configurations",
        stays="o.config_type = t.config_type AND o.version = t.version",
    ),
    Moving(
        "device_relationships",
        "parent_device_id",
        "relations",
        stays="o.child_device_id = t.child_device_id AND o.relationship_type = t.relationship_type",
        # Of the two themselves, one would be related to itself.
        only="t.child_device_id <> :into",
    ),
    Moving(
        "device_relationships",
        "child_device_id",
        "relations",
        stays="(o.parent_device_id = t.parent_device_id OR t.relationship_type = 'hosts' AND o.valid_to IS NULL)"
        " AND o.relationship_type = t.relationship_type",
        only="t.parent_device_id <> :into",
    ),
    Moving(
        "tagged",
        "object_id",
        "tags",
        key="tag_id",
        stays="o.tag_id = t.tag_id AND o.object_type = t.object_type",
        only="t.object_type = 'devices'",
    ),
    Moving(
        "custom_values",
        "object_id",
        "custom fields",
        key="field_id",
        stays="o.field_id = t.field_id",
        only="t.object_type = 'devices'",
    ),
    Moving("notes", "object_id", "notes", only="t.object_type = 'devices'"),
    Moving("attachments", "object_id", "files", only="t.object_type = 'devices'"),
]


def declare_moving(one: Moving) -> None:
    """Let rows of a room above go along when devices are merged."""
    _MOVING.append(one)


async def count_moving(session: AsyncSession, origin: UUID, into: UUID) -> list[tuple[str, int]]:
    """How many rows of each kind would go, and what they are called; kinds of which none would are left out."""
    counts: dict[str, int] = {}
    for one in _MOVING:
        found = await session.scalar(
            text(f"SELECT count(*) FROM {one.table} t WHERE {_goes(one)}"),  # noqa: S608 - declared in code
            {"origin": origin, "into": into},
        )
        counts[one.noun] = counts.get(one.noun, 0) + (found or 0)
    return [(noun, number) for noun, number in counts.items() if number]


async def move_rows(session: AsyncSession, origin: UUID, into: UUID) -> dict[str, list[Any]]:
    """Let all go that can; what the other device has already stays. Returns the keys of what went."""
    journal = {}
    for one in _MOVING:
        statement = (
            f"UPDATE {one.table} t SET {one.column} = :into WHERE {_goes(one)} RETURNING t.{one.key}::text"  # noqa: S608
        )
        keys = list(await session.scalars(text(statement), {"origin": origin, "into": into}))
        if keys:
            journal[one.name] = keys
    return journal


async def move_back(
    session: AsyncSession, into: UUID, origin: UUID, journal: Mapping[str, Sequence[Any]]
) -> None:
    """Let what went go back, but for what has gone elsewhere since."""
    for one in _MOVING:
        keys = journal.get(one.name)
        if keys:
            statement = (
                f"UPDATE {one.table} t SET {one.column} = :origin WHERE {one.column} = :into AND {one.only} "  # noqa: S608
                f"AND t.{one.key} = ANY (CAST(:keys AS {one.key_type}[]))"
            )
            parameters = {"origin": origin, "into": into, "keys": [str(key) for key in keys]}
            await session.execute(text(statement), parameters)


def _goes(one: Moving) -> str:
    condition = f"t.{one.column} = :origin AND ({one.only})"
    if one.stays:
        condition += (
            f" AND NOT EXISTS (SELECT FROM {one.table} o WHERE o.{one.column} = :into AND ({one.stays}))"
        )
    return condition
