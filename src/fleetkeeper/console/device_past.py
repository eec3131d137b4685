"""A device's past: what it was at a time that is chosen, what changed since, and every change with before and after."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from fleetkeeper.console.attribute_words import attribute_words
from fleetkeeper.console.contexts.panels import Cell, Fragment, Row, Table, Tag
from fleetkeeper.console.details import Panels
from fleetkeeper.console.forms.schema_fields import words_of
from fleetkeeper.devices.precedence.attributes import ATTRIBUTES
from fleetkeeper.devices.revisions.comparing import fields_between, name_of
from fleetkeeper.devices.revisions.schemas import ChangeRead, Difference, FieldDifference
from fleetkeeper.devices.revisions.service import changes_of_device, list_differences
from fleetkeeper.kit.clock import utc_now

if TYPE_CHECKING:
    from fleetkeeper.console.device_tabs import Shown

MOST_SHOWN = 200
_LONGEST = 120
_KINDS = {
    "devices": "Device",
    "device_relationships": "Relation",
    "vms": "Virtual machine",
    "network_interfaces": "Network interface",
    "ip_addresses": "IP address",
    "storage_volumes": "Volume",
    "hardware_components": "Component",
}
_TONES = {"added": "good", "insert": "good", "removed": "bad", "delete": "bad"}
_WORDS = {"insert": "added", "update": "changed", "delete": "removed"}


@dataclass(frozen=True)
class TimeSlider:
    """How many changes one may go back, and how many one has gone."""

    page: str
    back: int
    newest: int
    first: str
    last: str


async def past(shown: "Shown") -> Panels:
    """The slider over the changes, what is different since, and the newest changes."""
    device, session, now = shown.device, shown.session, utc_now()
    changes = await changes_of_device(session, shown.actor, device.id, MOST_SHOWN)
    moments = sorted({one.at for one in changes})
    back = _back(shown.asked.get("back", ""), moments)
    # At the oldest there was nothing yet, so that all is new since.
    chosen = moments[-1 - back] if moments else now - timedelta(seconds=1)
    found = await list_differences(session, shown.actor, chosen, now, device_id=device.id)
    return [
        Fragment("devices/_time_slider.html", _slider(f"/devices/{device.id}", moments, back)),
        Table(
            "differences",
            "Since then",
            ("What", "Field", "Then", "Now"),
            tuple(row for one in found.results for row in _difference_rows(one)),
            text=f"What is not as it was on {chosen:%Y-%m-%d at %H:%M:%S} UTC.",
            empty="All is now as it was then.",
            is_stacked=True,
            is_labelled=True,
        ),
        Table(
            "changes",
            "Changes",
            ("When", "What", "Field", "Before", "After", "By"),
            tuple(row for one in changes for row in _change_rows(one)),
            empty="Nothing has changed yet.",
            text=f"The newest {MOST_SHOWN}." if len(changes) == MOST_SHOWN else "",
            is_stacked=True,
            is_labelled=True,
        ),
    ]


def _back(text: str, moments: Sequence[datetime]) -> int:
    most = max(len(moments) - 1, 0)
    wanted = int(text) if text.isascii() and text.isdigit() and len(text) < 6 else 1
    return min(wanted, most)


def _slider(page: str, moments: Sequence[datetime], back: int) -> TimeSlider:
    ends = [f"{one:%Y-%m-%d %H:%M} UTC" for one in (moments[0], moments[-1])] if moments else ["", ""]
    return TimeSlider(page, back, max(len(moments) - 1, 0), *ends)


def _what(kind: str, name: str, operation: str) -> Cell:
    words = _WORDS.get(operation, operation)
    tags = (Tag(words, _TONES.get(operation, "")),) if words != "changed" else ()
    return Cell(
        " ".join(filter(None, (_KINDS.get(kind, kind), "" if kind == "devices" else name.replace("_", " ")))),
        tags=tags,
    )


def _difference_rows(one: Difference) -> list[Row]:
    what = _what(one.object_type, one.name, one.operation)
    if one.operation != "changed":
        return [Row((what, Cell(), Cell(), Cell()))]
    return [Row((what, *_field(field))) for field in one.fields]


def _change_rows(one: ChangeRead) -> list[Row]:
    content = one.after or one.before or {}
    what = _what(one.object_type, name_of(content), one.operation)
    when, by = Cell(at=one.at, kind="time", is_soft=True), Cell(one.actor_name, detail=one.reason)
    if one.operation != "update":
        return [Row((when, what, Cell(), Cell(), Cell(), by))]
    return [Row((when, what, *_field(field), by)) for field in fields_between(one.before, one.after)]


def _field(one: FieldDifference) -> tuple[Cell, Cell, Cell]:
    return Cell(_field_words(one.field)), Cell(_text(one.before)), Cell(_text(one.after))


def _field_words(name: str) -> str:
    return attribute_words(name) if name in ATTRIBUTES else words_of(name)


def _text(value: Any) -> str:
    if value in (None, "", [], {}):
        return "\N{EM DASH}"
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return text if len(text) <= _LONGEST else text[:_LONGEST] + "…"
