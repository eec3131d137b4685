"""What becomes of one row: what it would create or change, or what is wrong with it. Pure."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from fleetkeeper.annotations.fields.filters import PREFIX
from fleetkeeper.devices.importing.fields import PARTS
from fleetkeeper.devices.importing.files.table import text_of
from fleetkeeper.devices.importing.known import Known
from fleetkeeper.devices.importing.present import Present
from fleetkeeper.devices.importing.values import COLUMNS, Problem, Values, read_values
from fleetkeeper.devices.service import ON_DEVICES
from fleetkeeper.errors import ForbiddenError
from fleetkeeper.identity.actor import Actor
from fleetkeeper.identity.authority import check_move
from fleetkeeper.identity.permissions import Permission
from fleetkeeper.kit.spreadsheets import guarded

# What an empty cell never takes away.
_KEPT = frozenset({"name", "hostname", "device_type", "lifecycle", *PARTS})
_GUARDED = frozenset({"csv"})
# How XLSX writes characters that XML does not know.
_ESCAPED = re.compile("_x([0-9A-Fa-f]{4})_")
_LINE_ENDS = str.maketrans({"\r": "\n"})


@dataclass(frozen=True)
class Options:
    """How the rows of a file are read."""

    columns: Sequence[str]
    mapping: Mapping[str, str | None]
    identify_by: str
    updates_existing: bool
    clears: bool
    file_format: str

    def cells(self, row: Sequence[str]) -> dict[str, str]:
        """The texts of a row by the fields of its columns."""
        pairs = zip(self.columns, row, strict=False)
        return {field: cell for column, cell in pairs if (field := self.mapping.get(column)) is not None}


@dataclass
class Plan:
    """What becomes of a row."""

    outcome: str
    name: str = ""
    device_id: UUID | None = None
    values: Values = field(default_factory=Values)
    changes: list[dict[str, Any]] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    detail: str = ""


def wrong(cells: Mapping[str, str], problems: list[Problem], device: Present | None = None) -> Plan:
    """A row that is not applied, and why."""
    name = cells.get("name") or (device.texts["name"] if device else "")
    return Plan("wrong", name=name.strip()[:255], device_id=device.id if device else None, problems=problems)


def plan_new(actor: Actor, cells: Mapping[str, str], known: Known) -> Plan:
    """What a row whose device does not exist becomes."""
    given = {name: text.strip() for name, text in cells.items() if text.strip() and name != "id"}
    if "name" not in given:
        return wrong(cells, [("name", "Required for a device that does not exist yet")])
    values, problems = read_values(
        {name: unguarded(text) for name, text in given.items()}, known, is_new=True
    )
    department = values.core.get("department_id")
    problems += _check_fields(values, department, known)
    if not problems and not actor.may_in(Permission.DEVICES_CREATE, department):
        needed = f"This needs the permission {Permission.DEVICES_CREATE} in the device's department"
        problems.append(("department", needed if department else f"{needed}; name a department"))
    if problems:
        return wrong(cells, problems)
    changes = [
        {"field": name, "before": "", "after": shown_of(values, name, text, known)}
        for name, text in given.items()
    ]
    return Plan("create", name=values.core["name"], values=values, changes=changes)


def plan_known(
    actor: Actor, cells: Mapping[str, str], device: Present, options: Options, known: Known
) -> Plan:
    """What a row whose device exists becomes."""
    told = Plan("unchanged", name=device.texts["name"], device_id=device.id)
    if not options.updates_existing:
        told.detail = "The device exists and is left as it is"
        return told
    given = {
        name: unguarded(text)
        for name, cell in cells.items()
        if name not in {"id", options.identify_by}
        and ((text := cell.strip()) or (options.clears and name not in _KEPT))
        and not _is_same(cell, _before(device, cells, name), options.file_format)
    }
    if any(name in PARTS for name in given):
        given |= {name: cells[name].strip() for name in PARTS if cells.get(name, "").strip()}
    values, problems = read_values(given, known, is_new=False)
    changes = _changes(device, values, given, known)
    problems += [
        (
            "hostname",
            f"Is told by the device itself and stays {device.texts['hostname']!r}; correct or leave it out",
        )
        for name in given
        if name == "hostname"
    ]
    problems = [one for one in problems if one != ("hostname", "Unknown field; remove it")]
    problems += _check_fields(values, values.core.get("department_id", device.department_id), known)
    if not problems and changes and (refusal := _refusal(actor, device, values)):
        problems.append(("department", refusal))
    if problems:
        return wrong(cells, problems, device)
    if changes:
        told.outcome, told.values, told.changes = "update", values, changes
    return told


def _before(device: Present, cells: Mapping[str, str], name: str) -> str:
    """A field's present text; that of a part is of the interface that the row names."""
    if name not in PARTS:
        return device.texts.get(name, "")
    interface = cells.get("interface", "").strip()
    found = device.interfaces.get(interface)
    if found is None:
        return ""
    if name == "ip_address":
        address = cells[name].strip()
        return address if address in found.addresses else next(iter(found.addresses), "")
    return interface if name == "interface" else found.mac_address


def _is_same(cell: str, present: str, file_format: str) -> bool:
    """Whether a cell says what is there; spreadsheets trim texts, guard them, and write the ends of lines anew."""
    texts = {present, present.strip()}
    if file_format in _GUARDED:
        texts |= {guarded(present), guarded(present).strip()}
    told = {cell, _ESCAPED.sub(lambda found: chr(int(found[1], 16)), cell)}
    return bool({form(_lines(one)) for one in told for form in (str, str.strip)} & set(map(_lines, texts)))


def _lines(text: str) -> str:
    return text.replace("\r\n", "\n").translate(_LINE_ENDS)


def unguarded(text: str) -> str:
    """A text without the mark that keeps spreadsheets from taking it for a formula."""
    return text[1:] if text.startswith("'") and guarded(text[1:]) == text else text


def _changes(device: Present, values: Values, given: Mapping[str, str], known: Known) -> list[dict[str, Any]]:
    changes = []
    for name, text in given.items():
        before = _before(device, given, name)
        after = shown_of(values, name, text, known)
        if name == "tags" and values.tags == device.tags:
            continue
        if before == after or (name in PARTS and not after):
            continue
        if name == "ip_address":
            interface = device.interfaces.get(values.parts["interface"])
            if interface is not None and after in interface.addresses:
                continue
            # Others stay beside it.
            before = ""
        change = {"field": name, "before": before, "after": after}
        changes.append(change | ({"old": device.keys[name]} if name in COLUMNS else {}))
    return changes


def shown_of(values: Values, name: str, text: str, known: Known) -> str:
    """What a field's new value is called."""
    if name == "department":
        return known.departments.path(values.core.get("department_id"))
    if name == "location_path":
        return known.locations.path(values.core.get("location_id"))
    if name in values.shown:
        return values.shown[name]
    if name in PARTS:
        return values.parts.get(name, "")
    if name.startswith(PREFIX):
        return text_of(values.custom.get(name.removeprefix(PREFIX)))
    return text_of(values.core.get(name, text))


def _check_fields(values: Values, department: UUID | None, known: Known) -> list[Problem]:
    return [
        (PREFIX + name, "Devices of this department do not have this field")
        for name, value in values.custom.items()
        if value is not None and not known.has_field(known.fields[name], department)
    ]


def _refusal(actor: Actor, device: Present, values: Values) -> str:
    """Why a device stays as it is; nothing where it may be changed."""
    target = values.core.get("department_id", device.department_id)
    if not actor.may_in(Permission.DEVICES_WRITE, device.department_id):
        return f"This needs the permission {Permission.DEVICES_WRITE} in the device's department"
    if target == device.department_id:
        return ""
    if not actor.may_in(Permission.DEVICES_WRITE, target):
        return f"This needs the permission {Permission.DEVICES_WRITE} in the new department"
    try:
        check_move(actor, device.department_id, target, ON_DEVICES)
    except ForbiddenError as error:
        return error.detail
    return ""
