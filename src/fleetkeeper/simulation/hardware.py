"""What a simulated device is made of: its components and volumes, the same at each look."""

import hashlib
from typing import Final

from fleetkeeper.simulation.fleet import Device
from fleetkeeper.simulation.kinds import GIB, Kind
from fleetkeeper_protocol.messages import Component, Volume

_MODULE_GIB: Final = (32, 16, 8, 4)
_DISK_MODELS: Final = {
    "nvme": ("Samsung", "MZQL23T8HCLS", 3840),
    "sd": ("Seagate", "ST4000NM000A", 4000),
    "mmc": (None, "SD64G", 64),
    "vd": (None, None, 200),
}
_NETWORK_CARDS: Final = {
    1_000: ("Intel Corporation", "I210 Gigabit Network Connection"),
    10_000: ("Intel Corporation", "Ethernet Controller X710 for 10GbE SFP+"),
    25_000: ("Mellanox Technologies", "MT27800 Family [ConnectX-5]"),
    100_000: ("Mellanox Technologies", "MT2892 Family [ConnectX-6 Dx]"),
}
_PORTS_OF_A_CARD: Final = 2
_FILE_SYSTEMS: Final = {"storage": "zfs", "vm": "xfs"}
_GB: Final = 10**9


def digits(device: Device, *what: object) -> str:
    """Hexadecimal digits that follow from the device and from what they are for."""
    text = "/".join(map(str, (device.agent_id, *what)))
    return hashlib.sha256(text.encode()).hexdigest()


def components(device: Device, memory_bytes: int, model: tuple[str, str]) -> list[Component]:
    """All pieces of hardware; a virtual machine has few."""
    kind = device.kind
    found = [*_processors(kind), *_disks(device), *_network_cards(device)]
    if kind.virtualization is not None:
        return found
    return [
        *_board(device, *model),
        *found,
        *_memory(device, memory_bytes),
        *_graphics(device),
        *_power_supplies(device),
    ]


def volumes(device: Device) -> list[Volume]:
    """The file systems, and the disks below them."""
    kind = device.kind
    file_system = _FILE_SYSTEMS.get(kind.device_type, "ext4")
    mounted = [
        Volume(
            name=disk.mountpoint,
            kind="filesystem",
            mount_point=disk.mountpoint,
            device=f"/dev/{kind.block_devices[number % len(kind.block_devices)]}",
            file_system=file_system,
            capacity_bytes=disk.size_bytes,
            used_bytes=disk.size_bytes * (20 + int(digits(device, disk.mountpoint)[:2], 16) // 4) // 100,
            raid_level="raidz2" if file_system == "zfs" and disk.mountpoint != "/" else None,
        )
        for number, disk in enumerate(kind.disks)
    ]
    disks = [
        Volume(name, "disk", device=f"/dev/{name}", capacity_bytes=_disk_model(name)[2] * _GB)
        for name in kind.block_devices
    ]
    return [*mounted, *disks]


def _board(device: Device, manufacturer: str, model: str) -> list[Component]:
    return [
        Component(
            "mainboard",
            "mainboard",
            model,
            manufacturer,
            model,
            serial_number=f"MB{digits(device, 'board')[:10].upper()}",
        ),
        Component(
            "chassis",
            "chassis",
            "desktop" if device.kind.device_type == "workstation" else "rack mount",
            manufacturer,
            serial_number=digits(device, "chassis")[:7].upper(),
        ),
        Component(
            "bios",
            "bios",
            "BIOS",
            manufacturer,
            firmware=f"2.{1 + int(digits(device, 'bios')[0], 16) // 4}.0",
            extra={"date": "03/18/2026"},
        ),
    ]


def _processors(kind: Kind) -> list[Component]:
    maker = next((name for name in ("Intel", "AMD", "ARM") if name in kind.cpu_model), None)
    cores = kind.cores if kind.virtualization else max(1, kind.cores // 2)
    return [
        Component(
            "processor",
            "CPU 0",
            kind.cpu_model,
            maker,
            kind.cpu_model,
            speed=f"{kind.frequency_megahertz:.0f} MHz",
            extra={"cores": str(cores), "threads": str(kind.cores)},
        )
    ]


def _memory(device: Device, memory_bytes: int) -> list[Component]:
    total = memory_bytes // GIB
    size = next((size for size in _MODULE_GIB if total % size == 0 and total >= size), total)
    return [
        Component(
            "memory",
            f"DIMM {'ABCDEFGH'[number % 8]}{number // 8 + 1}",
            f"DIMM {'ABCDEFGH'[number % 8]}{number // 8 + 1}",
            "Samsung",
            serial_number=digits(device, "memory", number)[:8].upper(),
            part_number=f"M393A{size}K40DB3-CWE",
            capacity_bytes=size * GIB,
            speed="3200 MT/s",
            extra={"type": "DDR4", "form_factor": "DIMM"},
        )
        for number in range(total // size)
    ]


def _disk_model(name: str) -> tuple[str | None, str | None, int]:
    return next(model for prefix, model in _DISK_MODELS.items() if name.startswith(prefix))


def _disks(device: Device) -> list[Component]:
    found = []
    for number, name in enumerate(device.kind.block_devices):
        manufacturer, model, gigabytes = _disk_model(name)
        found.append(
            Component(
                "disk",
                f"0000:{number + 0x40:02x}:00.0",
                name,
                manufacturer,
                model,
                serial_number=f"S{digits(device, 'disk', number)[:11].upper()}" if model else None,
                firmware="GDC5602Q" if name.startswith("nvme") else None,
                capacity_bytes=gigabytes * _GB,
                extra={"rotational": "yes" if name.startswith("sd") else "no"},
            )
        )
    return found


def _network_cards(device: Device) -> list[Component]:
    kind = device.kind
    ports = [name for name in kind.interfaces if name.startswith(("e", "wl"))]
    manufacturer, model = _NETWORK_CARDS[kind.interface_mbps]
    if kind.virtualization is not None:
        manufacturer, model = "Red Hat, Inc.", "Virtio network device"
    return [
        Component(
            "network_card",
            f"0000:{0x10 + start:02x}:00.0",
            f"{manufacturer} {model}",
            manufacturer,
            model,
            extra={"interfaces": " ".join(ports[start : start + _PORTS_OF_A_CARD])},
        )
        for start in range(0, len(ports), _PORTS_OF_A_CARD)
    ]


def _graphics(device: Device) -> list[Component]:
    kind = device.kind
    return [
        Component(
            "gpu",
            f"0000:{0x80 + number:02x}:00.0",
            kind.gpu_model or "",
            "NVIDIA Corporation",
            kind.gpu_model,
            serial_number=str(int(digits(device, "gpu", number)[:11], 16)),
        )
        for number in range(kind.gpus)
    ]


def _power_supplies(device: Device) -> list[Component]:
    if device.kind.device_type not in {"server", "storage"}:
        return []
    return [
        Component(
            "power_supply",
            f"PSU {number}",
            "1100 W",
            "Delta",
            serial_number=f"DE{digits(device, 'power', number)[:8].upper()}",
            extra={"watts": "1100"},
        )
        for number in (1, 2)
    ]
