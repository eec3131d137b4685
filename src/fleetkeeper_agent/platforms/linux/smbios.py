"""Memory modules and power supplies from the tables of the firmware (SMBIOS 3.7), which only root may read."""

from collections.abc import Iterator
from typing import NamedTuple

from fleetkeeper_agent.collectors.inventory import told
from fleetkeeper_agent.hostile_text import clean
from fleetkeeper_protocol.messages import Component

MEMORY_DEVICE = 17
POWER_SUPPLY = 39
_END = 127
_MOST_STRUCTURES = 2000
_KIB, _MIB = 1 << 10, 1 << 20
_MEMORY_TYPES = {
    0x12: "DDR",
    0x13: "DDR2",
    0x18: "DDR3",
    0x1A: "DDR4",
    0x1B: "LPDDR",
    0x1C: "LPDDR2",
    0x1D: "LPDDR3",
    0x1E: "LPDDR4",
    0x20: "HBM",
    0x21: "HBM2",
    0x22: "DDR5",
    0x23: "LPDDR5",
    0x24: "HBM3",
}
_FORM_FACTORS = {0x03: "SIMM", 0x09: "DIMM", 0x0C: "RIMM", 0x0D: "SODIMM", 0x0F: "FB-DIMM", 0x10: "Die"}
_ECC = (64, 72)  # widths in bits of data, and of data with its check bits
_PRESENT = 1 << 1


class Structure(NamedTuple):
    """One entry of the table: numbers at fixed places, and texts that those point to."""

    kind: int
    fields: bytes
    texts: tuple[bytes, ...]

    def number(self, offset: int, size: int) -> int | None:
        """The number at an offset; None in a table that is older than the field."""
        data = self.fields[offset : offset + size]
        return int.from_bytes(data, "little") if len(data) == size else None

    def text(self, offset: int) -> str | None:
        """The text that the byte at an offset points to; None for a placeholder."""
        number = self.number(offset, 1)
        return told(self.texts[number - 1]) if number and number <= len(self.texts) else None


def parse_structures(data: bytes) -> Iterator[Structure]:
    """Read a table; what is cut off or wrong ends it."""
    at = 0
    for _ in range(_MOST_STRUCTURES):
        length = data[at + 1] if at + 4 <= len(data) else 0
        end = data.find(b"\0\0", at + length)
        if length < 4 or end < 0 or data[at] == _END:
            return
        texts = data[at + length : end]
        yield Structure(data[at], data[at : at + length], tuple(texts.split(b"\0")) if texts else ())
        at = end + 2


def memory_module(found: Structure) -> Component | None:
    """A module of memory; None for an empty slot."""
    size = _size_bytes(found)
    if not size:
        return None
    slot = found.text(0x10) or found.text(0x11) or "memory"
    bank = found.text(0x11)
    speed = found.number(0x20, 2) or found.number(0x15, 2)
    width = (found.number(0x0A, 2), found.number(0x08, 2))
    extra = {
        "type": _MEMORY_TYPES.get(found.number(0x12, 1) or 0),
        "form_factor": _FORM_FACTORS.get(found.number(0x0E, 1) or 0),
        "bank": bank if bank != slot else None,
        "error_correction": "yes" if width == _ECC else None,
    }
    return Component(
        kind="memory",
        # The locator alone is not unique on boards with several processors.
        slot=clean(f"{slot} {bank}" if bank and bank != slot else slot, 200),
        name=slot,
        manufacturer=found.text(0x17),
        serial_number=found.text(0x18),
        part_number=found.text(0x1A),
        capacity_bytes=size,
        speed=f"{speed} MT/s" if speed and speed != 0xFFFF else None,
        extra={name: value for name, value in extra.items() if value},
    )


def power_supply(found: Structure) -> Component | None:
    """A power supply; None for an empty bay."""
    characteristics = found.number(0x0E, 2)
    if characteristics is None or not characteristics & _PRESENT:
        return None
    watts = found.number(0x0C, 2)
    name = found.text(0x06)
    return Component(
        kind="power_supply",
        slot=clean(found.text(0x05) or name or "power supply", 200),
        name=name or "",
        manufacturer=found.text(0x07),
        serial_number=found.text(0x08),
        part_number=found.text(0x0A),
        firmware=found.text(0x0B),
        extra={"watts": str(watts)} if watts and watts != 0x8000 else {},
    )


def components_of(table: bytes) -> list[Component]:
    """All memory modules and power supplies of a table."""
    readers = {MEMORY_DEVICE: memory_module, POWER_SUPPLY: power_supply}
    found = (readers[item.kind](item) for item in parse_structures(table) if item.kind in readers)
    return [component for component in found if component is not None]


def _size_bytes(found: Structure) -> int:
    size = found.number(0x0C, 2)
    if size is None or size == 0xFFFF:
        return 0
    if size == 0x7FFF:
        return ((found.number(0x1C, 4) or 0) & 0x7FFFFFFF) * _MIB
    return (size & 0x7FFF) * (_KIB if size & 0x8000 else _MIB)
