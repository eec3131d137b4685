"""A device's relations in words: what it hosts and runs on, connects to, powers, manages and backs up."""

from enum import StrEnum
from typing import TYPE_CHECKING
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from fleetkeeper.console.contexts.panels import Cell, Row, RowAction, Table
from fleetkeeper.console.details import Panels
from fleetkeeper.console.device_names import names_of_devices
from fleetkeeper.console.forms.form import Form, Widget
from fleetkeeper.devices.relationships.schemas import RelationshipRead, RelationshipWrite
from fleetkeeper.devices.relationships.service import relationships

if TYPE_CHECKING:
    from fleetkeeper.console.device_tabs import Shown

MOST_SHOWN = 500


class Relation(StrEnum):
    """What a device is to the other, as a sentence begins."""

    HOSTS = "hosts"
    RUNS_ON = "runs_on"
    CONNECTS_TO = "connects_to"
    POWERS = "powers"
    POWERED_BY = "powered_by"
    MANAGES = "manages"
    MANAGED_BY = "managed_by"
    BACKS_UP = "backs_up"
    BACKED_UP_BY = "backed_up_by"


# The other direction of each type.
_PASSIVE = {
    "hosts": Relation.RUNS_ON,
    "powers": Relation.POWERED_BY,
    "manages": Relation.MANAGED_BY,
    "backs_up": Relation.BACKED_UP_BY,
    "connects_to": Relation.CONNECTS_TO,
}
_ACTIVE = {relation: kind for kind, relation in _PASSIVE.items() if relation != Relation.CONNECTS_TO}


class RelationEntry(BaseModel):
    """A relation as people enter it."""

    model_config = ConfigDict(extra="forbid")

    relation: Relation = Relation.CONNECTS_TO
    device: str = Field(min_length=1, max_length=300)


FORM = Form(
    RelationEntry,
    "add-relation",
    "Add relation",
    "Add relation",
    {
        "relation": Widget("This device"),
        "device": Widget("The other device", "Type a part of its name", suggestions="/suggestions/devices"),
    },
)


def as_written(device_id: UUID, relation: Relation, other_id: UUID) -> RelationshipWrite:
    """A relation of a device as the API has it."""
    if relation in _ACTIVE:
        return RelationshipWrite.model_validate(
            {
                "parent_device_id": other_id,
                "child_device_id": device_id,
                "relationship_type": _ACTIVE[relation],
            }
        )
    return RelationshipWrite.model_validate(
        {"parent_device_id": device_id, "child_device_id": other_id, "relationship_type": str(relation)}
    )


def relation_of(device_id: UUID, one: RelationshipRead) -> Relation:
    """What the device is to the other."""
    is_parent = one.parent_device_id == device_id
    return Relation(one.relationship_type) if is_parent else _PASSIVE[one.relationship_type]


async def relations(shown: "Shown") -> Panels:
    """The relations that hold, those that ended, and the form for another one."""
    device = shown.device
    asked = [("device_id", str(device.id)), ("limit", str(MOST_SHOWN)), ("ordering", "-valid_from")]
    found = await relationships.list(shown.session, shown.actor, asked)
    others = [_other(device.id, one) for one in found.results]
    names = await names_of_devices(shown.session, shown.actor, others)
    current = [one for one in found.results if one.valid_to is None]
    ended = [one for one in found.results if one.valid_to is not None]
    beyond = Cell("Show on the topology page", f"/topology?device={device.id}")
    return [
        Table("topology", "Topology", ("All around it",), (Row((beyond,)),)) if current else None,
        Table(
            "relations",
            "Relations",
            ("This device", "Other device", "Since", "Source"),
            tuple(_row(shown, one, names) for one in current),
            empty="No relations yet. Add what it runs on, or what it is connected to.",
        ),
        FORM.shown(f"/devices/{device.id}/relations") if shown.may_write else None,
        Table(
            "ended-relations",
            "Ended",
            ("This device", "Other device", "Since", "Source"),
            tuple(_row(shown, one, names) for one in ended),
        )
        if ended
        else None,
    ]


def _other(device_id: UUID, one: RelationshipRead) -> UUID:
    return one.child_device_id if one.parent_device_id == device_id else one.parent_device_id


def _row(shown: "Shown", one: RelationshipRead, names: dict[UUID, str]) -> Row:
    device, other = shown.device, _other(shown.device.id, one)
    name = names.get(other, "")
    words = relation_of(device.id, one).replace("_", " ")
    confirm = f"Remove the relation “{words} {name}”? It stays in the history of both devices."
    action = RowAction("Remove", f"/devices/{device.id}/relations/{one.id}/delete", confirm)
    return Row(
        (
            Cell(words.capitalize()),
            Cell(name, f"/devices/{other}"),
            Cell(at=one.valid_from, kind="time", is_soft=True),
            Cell(one.source_system),
        ),
        (action,) if shown.may_write else (),
    )
