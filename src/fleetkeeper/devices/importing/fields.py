"""The fields that a column may be mapped to, and how a column's name gives its field away. Pure."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from fleetkeeper.annotations.fields.filters import PREFIX
from fleetkeeper.annotations.fields.schemas import FieldRead
from fleetkeeper.errors import FieldError

_OTHER = re.compile(r"[\W_]+")


@dataclass(frozen=True)
class ImportField:
    """A field of a device, and other names that files have for it."""

    name: str
    title: str
    aliases: tuple[str, ...] = ()


FIELDS = (
    ImportField("id", "Device ID", ("device id", "uuid", "system id")),
    ImportField("name", "Name", ("device", "device name", "system", "asset name", "display name")),
    ImportField(
        "hostname", "Hostname (new devices)", ("host", "host name", "fqdn", "computer name", "dns name")
    ),
    ImportField("device_type", "Type", ("type", "device type", "kind", "role", "category")),
    ImportField("lifecycle", "Lifecycle", ("life cycle", "lifecycle state", "status", "state")),
    ImportField(
        "department",
        "Department (path or ID)",
        ("dept", "department name", "tenant", "department id", "company"),
    ),
    ImportField(
        "location_path", "Location (path or ID)", ("site", "location id", "location path", "building", "room")
    ),
    ImportField("location", "Location note", ("location text", "location note", "place")),
    ImportField("manufacturer", "Manufacturer", ("vendor", "make", "brand")),
    ImportField("model", "Model", ("model name", "product", "device model", "model number")),
    ImportField(
        "serial_number", "Serial number", ("serial", "serial no", "serialnumber", "s n", "sn", "service tag")
    ),
    ImportField(
        "asset_tag", "Asset tag", ("asset", "asset number", "asset no", "inventory number", "barcode")
    ),
    ImportField("owner", "Owner", ("assigned to", "contact", "responsible", "user")),
    ImportField("description", "Description", ("comment", "comments", "notes", "note", "remarks")),
    ImportField(
        "purchased_on", "Purchased on", ("purchase date", "purchased", "bought on", "date of purchase")
    ),
    ImportField(
        "warranty_until",
        "Warranty until",
        ("warranty", "warranty end", "warranty expires", "warranty expiration"),
    ),
    ImportField("end_of_support_on", "End of support on", ("end of support", "eos", "eol", "end of life")),
    ImportField("tags", "Tags", ("tag", "labels")),
    ImportField("interface", "Interface name", ("interface name", "nic", "port", "network interface")),
    ImportField("mac_address", "MAC address", ("mac", "macaddress", "hardware address")),
    ImportField(
        "ip_address",
        "IP address",
        ("ip", "ipaddress", "ip addresses", "primary ip", "primary ip4", "address"),
    ),
)
NAMES = tuple(one.name for one in FIELDS)
_TITLES = {one.name: one.title for one in FIELDS}
# What the device itself is changed in.
CORE = NAMES[1:17]
PARTS = ("interface", "mac_address", "ip_address")
IDENTIFIERS = ("id", "name", "serial_number", "asset_tag")


def _plain(text: str) -> str:
    return _OTHER.sub(" ", text).strip().casefold()


def guessed(columns: Sequence[str], custom: Sequence[FieldRead]) -> dict[str, str | None]:
    """A field for each column whose name says so, each field once; None for the others."""
    known = {_plain(one.name): one.name for one in FIELDS}
    for one in custom:
        for text in (PREFIX + one.name, one.name, one.label):
            known.setdefault(_plain(text), PREFIX + one.name)
    for field in FIELDS:
        for text in (field.title, *field.aliases):
            known.setdefault(_plain(text), field.name)
    # A column that has a field's own name comes before one that only means it.
    own = {one for one in columns if one in NAMES or one.startswith(PREFIX)}
    taken: set[str] = set()
    found: dict[str, str | None] = dict.fromkeys(columns)
    for column in sorted(columns, key=lambda one: one not in own):
        name = known.get(_plain(column))
        if name is not None and name not in taken:
            taken.add(name)
            found[column] = name
    return _completed(found)


def _completed(found: dict[str, str | None]) -> dict[str, str | None]:
    """Without addresses that no interface has, and with a name where only host names are given."""
    mapped = {*found.values()}
    return {
        column: "name"
        if name == "hostname" and "name" not in mapped
        else None
        if name in PARTS and "interface" not in mapped
        else name
        for column, name in found.items()
    }


def title_of(name: str) -> str:
    """A field as people call it, without what its choice in a form explains."""
    return _TITLES.get(name, name).partition(" (")[0]


def identifier_in(mapping: Mapping[str, str | None]) -> str:
    """What most likely tells the devices of the file apart."""
    mapped = set(mapping.values())
    return next((one for one in ("id", "name", "serial_number", "asset_tag") if one in mapped), "name")


def wrong_with(
    mapping: Mapping[str, str | None], columns: Sequence[str], custom: Sequence[FieldRead], identify_by: str
) -> list[FieldError]:
    """What is wrong with a mapping that a person made."""
    known = {*NAMES, *(PREFIX + one.name for one in custom)}
    first: dict[str, str] = {}
    wrong = []
    for column, name in mapping.items():
        if column not in columns:
            wrong.append(FieldError(f"mapping.{column}"[:200], "The file has no such column"))
        elif name is not None and name not in known:
            fields = ", ".join((*NAMES, *(PREFIX + one.name for one in custom)))
            message = f"There is no field {name[:100]!r}; the fields are {fields}"
            wrong.append(FieldError(f"mapping.{column}", message))
        elif name is not None and name in first:
            wrong.append(FieldError(f"mapping.{column}", f"Column {first[name]!r} has this field already"))
        elif name is not None:
            first[name] = column
    if not wrong and identify_by not in first:
        wrong.append(
            FieldError("identify_by", f"Map a column to {title_of(identify_by)!r}, or choose another field")
        )
    if not wrong and "interface" not in first:
        told = "Map another column to 'Interface name' too, or leave this one out: an address belongs to an interface"
        wrong += [
            FieldError(f"mapping.{first[name]}", told)
            for name in ("mac_address", "ip_address")
            if name in first
        ]
    return wrong
