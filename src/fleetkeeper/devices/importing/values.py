"""What the cells of a row say of a device, checked as `POST` and `PATCH` check it. Pure."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from pydantic import BaseModel, ValidationError

from fleetkeeper.annotations.fields.checking import Rule, ValueRefusedError, checked_value
from fleetkeeper.annotations.fields.filters import PREFIX
from fleetkeeper.annotations.fields.schemas import FieldRead
from fleetkeeper.annotations.tags.service import MOST as MOST_TAGS
from fleetkeeper.devices.components.schemas import AddressWrite, InterfaceWrite
from fleetkeeper.devices.components.seen import plain_interface_address
from fleetkeeper.devices.importing.fields import CORE, PARTS
from fleetkeeper.devices.importing.known import Known, NotKnownError
from fleetkeeper.devices.schemas import DeviceCreate, DeviceUpdate
from fleetkeeper.kit.error_words import field_errors

Problem = tuple[str, str]
# Columns of devices, by the fields of files.
COLUMNS = {"department": "department_id", "location_path": "location_id"}
_FIELDS = {column: name for name, column in COLUMNS.items()} | {
    "address": "ip_address",
    "interface_name": "interface",
}
_CHOICES = ("device_type", "lifecycle")
_NO_ID = UUID(int=0)
_TAGS = re.compile(r"[,;|]")


@dataclass
class Values:
    """What a row says, by field, as services take it; None takes a value away."""

    core: dict[str, Any] = field(default_factory=dict)
    custom: dict[str, Any] = field(default_factory=dict)
    tags: frozenset[str] | None = None
    # `interface` and what is told of it.
    parts: dict[str, str] = field(default_factory=dict)
    # What the values are called, where that differs from what was entered.
    shown: dict[str, str] = field(default_factory=dict)


def read_values(given: Mapping[str, str], known: Known, *, is_new: bool) -> tuple[Values, list[Problem]]:
    """The values of a row's fields that say something new; empty texts take values away."""
    values, problems = Values(), []
    for name, text in given.items():
        try:
            if name in CORE:
                values.core[COLUMNS.get(name, name)] = _core(name, text, known)
            elif name == "tags":
                values.tags = _tags(text, known)
                values.shown[name] = ", ".join(sorted(values.tags))
            elif name in PARTS:
                values.parts[name] = text
            elif name.startswith(PREFIX):
                values.custom[name.removeprefix(PREFIX)] = _custom(
                    known.fields.get(name.removeprefix(PREFIX)), text
                )
        except (NotKnownError, ValueRefusedError) as error:
            problems.append((name, str(error)))
    model = DeviceCreate if is_new else DeviceUpdate
    checked, wrong = _checked(model, values.core)
    problems += [one for one in wrong if one[0] not in {name for name, _ in problems}]
    values.core = checked
    problems += _check_parts(values)
    return values, problems


def _core(name: str, text: str, known: Known) -> Any:
    if not text:
        return None
    if name == "department":
        return known.departments.find(text)
    if name == "location_path":
        return known.locations.find(text)
    return re.sub(r"[\s-]+", "_", text.casefold()) if name in _CHOICES else text


def _tags(text: str, known: Known) -> frozenset[str]:
    names = [one.strip() for one in _TAGS.split(text) if one.strip()]
    unknown = [one for one in names if one.casefold() not in known.tags]
    if unknown:
        raise NotKnownError(f"There is no tag {unknown[0][:100]!r}; create it first")
    if len(set(names)) > MOST_TAGS:
        raise NotKnownError(f"At most {MOST_TAGS} tags")
    return frozenset(known.tags[one.casefold()] for one in names)


def _custom(definition: FieldRead | None, text: str) -> Any:
    if definition is None:
        raise NotKnownError("There is no such custom field any more; correct the mapping")
    if definition.is_sensitive:
        raise NotKnownError("A sensitive field can only be changed on each device; leave its column out")
    value = checked_value(Rule(definition.kind, definition.choices, definition.pattern), text)
    if value is None and definition.is_required:
        raise NotKnownError("Required, and cannot be cleared")
    return value


def _checked(model: type[BaseModel], given: Mapping[str, Any]) -> tuple[dict[str, Any], list[Problem]]:
    """What the schema makes of values, and what is wrong with them."""
    try:
        return model(**given).model_dump(exclude_unset=True), []
    except ValidationError as error:
        return {}, [(_FIELDS.get(one.field, one.field), one.message) for one in field_errors(error.errors())]


def _check_parts(values: Values) -> list[Problem]:
    """Write MAC and IP address as the database has them."""
    told = {name: text for name, text in values.parts.items() if text}
    values.parts = told
    if not told:
        return []
    if "interface" not in told:
        return [("interface", "Required with a MAC or an IP address")]
    mac = {"mac_address": told["mac_address"]} if "mac_address" in told else {}
    interface, problems = _checked(
        InterfaceWrite, {"device_id": _NO_ID, "interface_name": told["interface"], **mac}
    )
    if mac and not problems:
        told["mac_address"] = interface["mac_address"]
    if "ip_address" in told:
        ids = {"device_id": _NO_ID, "interface_id": _NO_ID}
        address, wrong = _checked(AddressWrite, {**ids, "address": told["ip_address"]})
        problems += wrong
        if not wrong:
            told["ip_address"] = plain_interface_address(address["address"]) or ""
    return problems
