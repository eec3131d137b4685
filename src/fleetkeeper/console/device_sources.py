"""The tab of a device's sources: who says what, what counts and why, and what was merged."""

from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, ConfigDict, Field

from fleetkeeper.console.attribute_words import attribute_words, source_words
from fleetkeeper.console.contexts.panels import Cell, Option, Row, RowAction, Table, Tag
from fleetkeeper.console.details import Panels
from fleetkeeper.console.device_page import format_bytes
from fleetkeeper.console.forms.form import Form, Widget
from fleetkeeper.console.forms.schema_fields import words_of
from fleetkeeper.devices.identity.records import AGENT
from fleetkeeper.devices.merging.schemas import MergeRead
from fleetkeeper.devices.merging.service import list_merges
from fleetkeeper.devices.precedence.attributes import ATTRIBUTES
from fleetkeeper.devices.sources.schemas import AttributeRead, Said, SourceRead
from fleetkeeper.devices.sources.service import sources_and_attributes
from fleetkeeper.kit.clock import utc_now

if TYPE_CHECKING:
    from fleetkeeper.console.device_tabs import Shown


class MergeEntry(BaseModel):
    """The other device, by name or ID."""

    model_config = ConfigDict(extra="forbid")

    device: str = Field(min_length=1, max_length=300)


class PinEntry(BaseModel):
    """A value to pin."""

    model_config = ConfigDict(extra="forbid")

    attribute: str = "name"
    value: str = Field(min_length=1, max_length=300)


MERGE = Form(
    MergeEntry,
    "merge",
    "Merge with another device",
    "Preview merge",
    {"device": Widget("The other device", "Type a part of its name", suggestions="/suggestions/devices")},
)
PIN = Form(
    PinEntry,
    "pin",
    "Pin a value",
    "Pin value",
    {
        "attribute": Widget("Attribute", kind="select"),
        "value": Widget("Value", "It counts whatever sources say, until you unpin it"),
    },
)


def shown_value(attribute: str, value: Any) -> str:
    """A value in words."""
    if value in (None, ""):
        return "\N{EN DASH}"
    if attribute == "memory_total_bytes" and isinstance(value, int):
        return format_bytes(value)
    return words_of(value) if attribute == "device_type" else str(value)


async def sources(shown: "Shown") -> Panels:
    """Sources, attributes, merges, and the forms for those who may change the device."""
    device = shown.device
    told = await sources_and_attributes(shown.session, shown.actor, device.id, utc_now())
    merges = await list_merges(shown.session, shown.actor, device.id)
    options = {"attribute": [Option(name, attribute_words(name)) for name in ATTRIBUTES]}
    return [
        Table(
            "sources",
            "Sources",
            ("Source", "Known there as", "Evidence", "First reported", "Last reported"),
            tuple(_source_row(shown, one, len(told.sources)) for one in told.sources),
            empty="No source has reported this device yet.",
            is_stacked=True,
            is_labelled=True,
        ),
        Table(
            "attributes",
            "Attributes",
            ("Attribute", "Value", "Why", "Other sources say"),
            tuple(_attribute_row(shown, one) for one in told.attributes),
            empty="No source has told any attribute of this device yet.",
            is_stacked=True,
            is_labelled=True,
        ),
        PIN.shown(f"/devices/{device.id}/pin", options=options) if shown.may_write else None,
        Table(
            "merges",
            "Merged devices",
            ("Device", "When", "By", "Reason"),
            tuple(_merge_row(shown, one) for one in merges.results),
            empty="No device has been merged into this one.",
            is_stacked=True,
            is_labelled=True,
        ),
        MERGE.shown(f"/devices/{device.id}/merge") if shown.may_write else None,
    ]


def _source_row(shown: "Shown", one: SourceRead, number: int) -> Row:
    is_itself = one.source_system == AGENT and one.source_id == str(shown.device.id)
    confirm = (
        f"Make what {source_words(one.source_system)} reports as {one.source_id} a device of its own? "
        "Telemetry stays with this device. To go back, merge the two."
    )
    action = RowAction("Split off", f"/devices/{shown.device.id}/sources/{one.id}/split", confirm)
    evidence = [f"{attribute_words(kind)} {value}" for kind, value in one.evidence[:4]]
    more = f" and {len(one.evidence) - 4} more" if len(one.evidence) > 4 else ""
    tags = (Tag("Confirmed", "good", "A person said that it is this device"),) if one.is_confirmed else ()
    missing = Tag("Missing", "warning", "The source no longer reports it") if one.missing_since else None
    return Row(
        (
            Cell(
                source_words(one.source_system),
                detail=one.source_instance,
                tags=(*tags, *((missing,) if missing else ())),
            ),
            Cell(_known_as(one, is_itself=is_itself)),
            Cell(", ".join(evidence) + more, is_soft=True),
            Cell(at=one.first_seen, kind="time", is_soft=True),
            Cell(at=one.last_seen, kind="time"),
        ),
        (action,) if shown.may_write and number > 1 and not is_itself else (),
    )


def _known_as(one: SourceRead, *, is_itself: bool) -> str:
    """What people enter has the ID of the device that they entered it for, which says nothing."""
    if is_itself:
        return "This agent"
    return "" if one.source_system == "manual" else one.source_id


def _attribute_row(shown: "Shown", one: AttributeRead) -> Row:
    others = [_other(one.attribute, said) for said in one.said if not said.counts]
    tags = [Tag("Pinned", "warning")] if one.is_pinned else []
    if others:
        tags.append(Tag("Disputed", "", "Sources say different things"))
    unpin = RowAction(
        "Unpin",
        f"/devices/{shown.device.id}/unpin/{one.attribute}",
        f"Unpin the {attribute_words(one.attribute).lower()}? What sources say counts again.",
        is_danger=False,
    )
    return Row(
        (
            Cell(attribute_words(one.attribute)),
            Cell(shown_value(one.attribute, one.value), tags=tuple(tags)),
            Cell(one.why, is_soft=True),
            Cell("; ".join(others), is_soft=True),
        ),
        (unpin,) if one.is_pinned and shown.may_write else (),
    )


def _other(attribute: str, said: Said) -> str:
    return f"{source_words(said.source_system)}: {shown_value(attribute, said.value)}"


def _merge_row(shown: "Shown", one: MergeRead) -> Row:
    undone = (Tag("Undone"),) if one.undone_at else ()
    automatic = (Tag("By evidence"),) if one.is_automatic else ()
    confirm = (
        f"Undo the merge with {one.merged_name}? It becomes a device again, with its own telemetry, history and "
        "sources. What senders sent under its names since the merge stays here."
    )
    action = RowAction("Undo", f"/devices/{shown.device.id}/merges/{one.id}/undo", confirm)
    return Row(
        (
            Cell(one.merged_name, tags=(*undone, *automatic)),
            Cell(at=one.merged_at, kind="time"),
            Cell(one.merged_by or "Fleetkeeper"),
            Cell(one.reason, is_soft=True),
        ),
        (action,) if shown.may_write and one.undone_at is None else (),
    )
