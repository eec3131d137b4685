"""A device's facts: what holds now, and what was before."""

import json
from typing import TYPE_CHECKING, Any

from fleetkeeper.console.contexts.panels import Cell, Row, Table
from fleetkeeper.console.details import Panels
from fleetkeeper.devices.components.schemas import FactRead
from fleetkeeper.devices.components.service import list_facts

if TYPE_CHECKING:
    from fleetkeeper.console.device_tabs import Shown

MOST_SHOWN = 1000
MOST_CHANGES = 50
_LONGEST = 300


async def facts(shown: "Shown") -> Panels:
    """The facts by name, and the newest values that others have replaced."""
    device = ("device_id", str(shown.device.id))
    current = [device, ("replaced_at__isnull", "true"), ("limit", str(MOST_SHOWN))]
    before = [
        device,
        ("replaced_at__isnull", "false"),
        ("ordering", "-replaced_at"),
        ("limit", str(MOST_CHANGES)),
    ]
    now = await list_facts(shown.session, shown.actor, current)
    past = await list_facts(shown.session, shown.actor, before)
    return [
        Table(
            "facts",
            "Facts",
            ("Fact", "Value", "Since", "Source"),
            tuple(_row(one) for one in now.results),
            empty="No facts yet. The agent reports those of its system.",
        ),
        Table(
            "past-facts",
            "Former values",
            ("Fact", "Value", "From", "To"),
            tuple(_past_row(one) for one in past.results),
        )
        if past.results
        else None,
    ]


def _row(one: FactRead) -> Row:
    since = Cell(at=one.collected_at, kind="time", is_soft=True)
    return Row((Cell(one.fact_name), _value(one.fact_value), since, Cell(one.source_system)))


def _past_row(one: FactRead) -> Row:
    times = (Cell(at=moment, kind="time", is_soft=True) for moment in (one.collected_at, one.replaced_at))
    return Row((Cell(one.fact_name), _value(one.fact_value), *times))


def _value(value: Any) -> Cell:
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return Cell(text if len(text) <= _LONGEST else text[:_LONGEST] + "…")
