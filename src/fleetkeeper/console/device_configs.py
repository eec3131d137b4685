"""A device's configurations: the versions, the text of one, and what it differs in from another."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING
from uuid import UUID

from fleetkeeper.console.contexts.panels import Cell, Code, Fragment, Row, Table, Tag
from fleetkeeper.console.details import Panels
from fleetkeeper.devices.configs.schemas import ConfigRead
from fleetkeeper.devices.configs.service import compare_configs, get_config, list_configs
from fleetkeeper.errors import NotFoundError

if TYPE_CHECKING:
    from fleetkeeper.console.device_tabs import Shown

MOST_SHOWN = 100
_HUNK = re.compile(r"@@ -(\d+)(?:,\d+)? \+(\d+)(?:,\d+)? @@")


@dataclass(frozen=True)
class DiffLine:
    """A line of both sides; `kind` is same, changed, added, removed or gap."""

    kind: str
    old_number: int | None = None
    old: str = ""
    new_number: int | None = None
    new: str = ""


@dataclass(frozen=True)
class ConfigDifference:
    """Two versions side by side."""

    title: str
    old_title: str
    new_title: str
    lines: tuple[DiffLine, ...]
    unified: str


def side_by_side(unified: str) -> Iterator[DiffLine]:
    """The lines of a unified diff with the old beside the new."""
    numbers = [0, 0]
    removed: list[tuple[int, str]] = []
    added: list[tuple[int, str]] = []

    def paired() -> Iterator[DiffLine]:
        for index in range(max(len(removed), len(added))):
            old = removed[index] if index < len(removed) else None
            new = added[index] if index < len(added) else None
            kind = "changed" if old and new else "removed" if old else "added"
            yield DiffLine(kind, *(old or (None, "")), *(new or (None, "")))
        removed.clear()
        added.clear()

    for line in unified.split("\n")[2:]:
        found = _HUNK.match(line)
        if found:
            yield from paired()
            numbers = [int(found[1]), int(found[2])]
            if numbers != [1, 1]:
                yield DiffLine("gap")
        elif line.startswith("-"):
            removed.append((numbers[0], line[1:]))
            numbers[0] += 1
        elif line.startswith("+"):
            added.append((numbers[1], line[1:]))
            numbers[1] += 1
        else:
            yield from paired()
            yield DiffLine("same", numbers[0], line[1:], numbers[1], line[1:])
            numbers = [one + 1 for one in numbers]
    yield from paired()


async def configs(shown: "Shown") -> Panels:
    """The versions, newest first; of the one that is asked for its text, and the difference from the one before."""
    asked = [("device_id", str(shown.device.id)), ("limit", str(MOST_SHOWN))]
    page = await list_configs(shown.session, shown.actor, asked)
    versions = Table(
        "configs",
        "Configurations",
        ("Version", "Retrieved", "Confirmed", "Source"),
        tuple(_row(shown, one) for one in page.results),
        empty="No configurations yet. Send one to POST /api/v1/devices/{id}/configs.",
        text="The last ten versions of each are kept. Secrets are masked.",
    )
    chosen = next((one for one in page.results if str(one.id) == shown.asked.get("config")), None)
    if chosen is None:
        return [versions]
    text = await get_config(shown.session, shown.actor, chosen.id)
    code = Code("config-text", f"{chosen.config_type} {chosen.version}", "", text.config_text)
    return [versions, await _difference(shown, page.results, chosen), code]


def _row(shown: "Shown", one: ConfigRead) -> Row:
    page = f"/devices/{shown.device.id}?tab=configs&config={one.id}"
    is_shown = (Tag("shown", "good"),) if shown.asked.get("config") == str(one.id) else ()
    return Row(
        (
            Cell(f"{one.config_type} {one.version}", page, tags=is_shown),
            Cell(at=one.retrieved_at, kind="time"),
            Cell(at=one.confirmed_at, kind="time", is_soft=True),
            Cell(one.source_system),
        )
    )


async def _difference(shown: "Shown", versions: Sequence[ConfigRead], chosen: ConfigRead) -> Fragment | None:
    """From the version that is asked for, of this or another device; else from the one before."""
    other_id = _other(shown.asked.get("against", ""))
    if other_id is None:
        before = [
            one for one in versions if one.config_type == chosen.config_type and one.version < chosen.version
        ]
        if not before:
            return None
        other_id = max(before, key=lambda one: one.version).id
    try:
        other = await get_config(shown.session, shown.actor, other_id)
    except NotFoundError:
        return None
    diff = await compare_configs(shown.session, shown.actor, other.id, chosen.id)
    names = [f"{one.config_type} {one.version}" for one in (other, chosen)]
    if other.device_id != chosen.device_id:
        names[0] += " of the other device"
    return Fragment(
        "devices/_config_diff.html",
        ConfigDifference(
            f"{diff.added} added, {diff.removed} removed",
            names[0],
            names[1],
            tuple(side_by_side(diff.unified)) if diff.unified else (),
            diff.unified,
        ),
    )


def _other(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None
