"""Hardware by `/proc/cpuinfo`, `/sys` and the tables of the firmware."""

import re
from collections.abc import Iterable
from pathlib import Path

from fleetkeeper_agent.collectors.inventory import told
from fleetkeeper_agent.host_files import HostRoots, read_number, read_or_none, sorted_children
from fleetkeeper_agent.hostile_text import clean
from fleetkeeper_agent.platforms.linux.block import BlockDevices
from fleetkeeper_agent.platforms.linux.pci import (
    NETWORK_CLASS,
    PciCard,
    graphics_cards,
    model_name,
    names_of,
    pci_cards,
    read_pci_ids,
)
from fleetkeeper_agent.platforms.linux.smbios import components_of
from fleetkeeper_protocol.messages import Component

MOST_COMPONENTS = 500
_SLOT_LENGTH = 200
_MAKERS = {"GenuineIntel": "Intel", "AuthenticAMD": "AMD", "HygonGenuine": "Hygon", "CentaurHauls": "VIA"}
_CHASSIS = {
    3: "desktop",
    4: "low-profile desktop",
    5: "pizza box",
    6: "mini tower",
    7: "tower",
    8: "portable",
    9: "laptop",
    10: "notebook",
    11: "hand-held",
    13: "all-in-one",
    17: "main server chassis",
    23: "rack mount",
    28: "blade",
    29: "blade enclosure",
    30: "tablet",
    31: "convertible",
    32: "detachable",
    35: "mini PC",
    36: "stick PC",
}
_BUSES = (
    ("/usb", "usb"),
    ("/nvme", "nvme"),
    ("/ata", "sata"),
    ("/end_device", "sas"),
    ("/virtio", "virtio"),
    ("/mmc", "mmc"),
)


def with_own_slots(components: Iterable[Component]) -> list[Component]:
    """The components, each in a slot of its own within its kind; makers number some alike."""
    taken: set[tuple[str, str]] = set()
    found = []
    for component in components:
        slot, number = component.slot, 1
        while (component.kind, component.slot) in taken:
            number += 1
            component.slot = f"{slot[: _SLOT_LENGTH - 6]} #{number}"
        taken.add((component.kind, component.slot))
        found.append(component)
    return found


def processors(cpuinfo: bytes) -> list[Component]:
    """The packages of `/proc/cpuinfo`; on systems without packages, all of it as one."""
    packages: dict[str, dict[str, str]] = {}
    cores: dict[str, set[str]] = {}
    threads: dict[str, int] = {}
    for block in re.split(r"\n\s*\n", cpuinfo.decode("utf-8", "replace")):
        fields = {
            key.strip(): value.strip()
            for key, _, value in (line.partition(":") for line in block.split("\n"))
        }
        if not fields.get("processor", "").isdigit():
            continue
        package = fields.get("physical id", "0")
        packages.setdefault(package, fields)
        threads[package] = threads.get(package, 0) + 1
        if "core id" in fields:
            cores.setdefault(package, set()).add(fields["core id"])
    return [
        _processor(package, fields, len(cores.get(package, ())), threads[package])
        for package, fields in packages.items()
    ]


def _processor(package: str, fields: dict[str, str], cores: int, threads: int) -> Component:
    model = told(fields.get("model name") or fields.get("cpu"))
    maker = fields.get("vendor_id", "")
    extra = {"cores": str(cores) if cores else "", "threads": str(threads)}
    return Component(
        kind="processor",
        slot=clean(f"CPU {package}", _SLOT_LENGTH),
        name=model or "",
        manufacturer=_MAKERS.get(maker) or told(maker),
        model=model,
        firmware=told(fields.get("microcode")),
        extra={name: value for name, value in extra.items() if value},
    )


class LinuxComponents:
    """Reads all that tells about a piece of hardware."""

    def __init__(self, roots: HostRoots, block: BlockDevices) -> None:
        self._roots = roots
        self._block = block

    def components(self) -> list[Component]:
        """The hardware, from the board outwards."""
        found = [
            *self._board(),
            *self._processors(),
            *components_of(read_or_none(self._roots.sys / "firmware/dmi/tables/DMI") or b""),
            *(self._disk(name) for name in self._block.names() if self._block.is_disk(name)),
            *self._cards(),
            *self._batteries(),
        ]
        return with_own_slots(found)[:MOST_COMPONENTS]

    def _processors(self) -> list[Component]:
        found = processors(read_or_none(self._roots.proc / "cpuinfo") or b"")
        kilohertz = read_number(self._roots.sys / "devices/system/cpu/cpu0/cpufreq/cpuinfo_max_freq")
        for processor in found:
            processor.speed = f"{kilohertz / 1000:.0f} MHz" if kilohertz and 0 < kilohertz < 2**31 else None
        return found

    def _board(self) -> list[Component]:
        chassis_type = read_number(self._roots.sys / "class/dmi/id/chassis_type") or 0.0
        date, asset = self._firmware("bios_date"), self._firmware("chassis_asset_tag")
        described = _CHASSIS.get(int(chassis_type) & 0x7F) if 0 < chassis_type < 256 else None
        parts = [
            Component(
                kind="mainboard",
                slot="mainboard",
                name=self._firmware("board_name") or "",
                manufacturer=self._firmware("board_vendor"),
                model=self._firmware("board_name"),
                serial_number=self._firmware("board_serial"),
                part_number=self._firmware("board_version"),
            ),
            Component(
                kind="chassis",
                slot="chassis",
                name=described or "",
                manufacturer=self._firmware("chassis_vendor"),
                model=self._firmware("chassis_version"),
                serial_number=self._firmware("chassis_serial"),
                extra={"asset_tag": asset} if asset else {},
            ),
            Component(
                kind="bios",
                slot="bios",
                name="BIOS",
                manufacturer=self._firmware("bios_vendor"),
                firmware=self._firmware("bios_version"),
                extra={"date": date} if date else {},
            ),
        ]
        return [
            part for part in parts if part.manufacturer or part.model or part.serial_number or part.firmware
        ]

    def _firmware(self, field: str) -> str | None:
        return told(read_or_none(self._roots.sys / "class/dmi/id" / field))

    def _disk(self, name: str) -> Component:
        text = self._block.text
        model = told(text(name, "device/model") or text(name, "device/name"))
        vendor = told(text(name, "device/vendor"))
        rotational = text(name, "queue/rotational")
        path = self._block.path_on_bus(name)
        where = str((self._block.directory(name) / "device").resolve())
        extra = {
            "bus": next((bus for mark, bus in _BUSES if mark in where), None),
            "rotational": {"0": "no", "1": "yes"}.get(rotational or ""),
            "wwid": told(text(name, "wwid") or text(name, "device/wwid")),
        }
        return Component(
            kind="disk",
            slot=path[:_SLOT_LENGTH],
            name=clean(name),
            # "ATA" is the bus, and virtio's number is nobody's name.
            manufacturer=None if vendor is None or vendor == "ATA" or vendor.startswith("0x") else vendor,
            model=model,
            serial_number=told(text(name, "device/serial") or text(name, "serial"))
            or self._scsi_serial(name),
            firmware=told(
                text(name, "device/firmware_rev") or text(name, "device/rev") or text(name, "device/fwrev")
            ),
            capacity_bytes=self._block.capacity_bytes(name),
            extra={key: value for key, value in extra.items() if value},
        )

    def _scsi_serial(self, name: str) -> str | None:
        page = read_or_none(self._block.directory(name) / "device/vpd_pg80") or b""
        return told(page[4:].strip(b"\0 "))

    def _cards(self) -> list[Component]:
        network, graphics = pci_cards(self._roots, NETWORK_CLASS), graphics_cards(self._roots)
        names = read_pci_ids(self._roots) if network or graphics else b""
        return [
            *(_card("network_card", card, names) for card in network),
            *(_card("gpu", card, names) for card in graphics),
        ]

    def _batteries(self) -> list[Component]:
        supplies = sorted_children(self._roots.sys / "class/power_supply")
        return [
            Component(
                kind="battery",
                slot=clean(supply.name, _SLOT_LENGTH),
                name=_told_by(supply, "model_name") or "",
                manufacturer=_told_by(supply, "manufacturer"),
                model=_told_by(supply, "model_name"),
                serial_number=_told_by(supply, "serial_number"),
                extra={"technology": kind} if (kind := _told_by(supply, "technology")) else {},
            )
            for supply in supplies
            # Mice and phones have batteries too.
            if _told_by(supply, "type") == "Battery" and _told_by(supply, "scope") != "Device"
        ]


def _card(kind: str, card: PciCard, pci_ids: bytes) -> Component:
    vendor, model = names_of(pci_ids, card.vendor, card.device)
    extra = {
        "pci_vendor_id": card.vendor,
        "pci_device_id": card.device,
        "driver": card.driver,
        "interfaces": " ".join(card.interfaces),
    }
    return Component(
        kind=kind,
        slot=card.address[:_SLOT_LENGTH],
        name=model_name(pci_ids, card.vendor, card.device),
        manufacturer=vendor,
        model=model,
        extra={name: clean(value) for name, value in extra.items() if value},
    )


def _told_by(directory: Path, file: str) -> str | None:
    return told(read_or_none(directory / file))
