"""What a simulated device says of its hardware and operating system."""

from typing import Final

from fleetkeeper.simulation.fleet import Device, Fleet
from fleetkeeper.simulation.hardware import components, digits, volumes
from fleetkeeper.simulation.kinds import Kind
from fleetkeeper.simulation.reports import choose, draws, mac_address, serial_number
from fleetkeeper_protocol.messages import (
    CollectorStatus,
    Container,
    Fact,
    InterfaceAddress,
    Inventory,
    InventoryReport,
    NetworkInterface,
)

_COLLECTORS: Final = ("cpu", "memory", "network", "disk", "system", "processes", "sessions")
_KINDS_BY_NAME: Final = (
    ("bond", "bond", "bonding"),
    ("vmbr", "bridge", "bridge"),
    ("wl", "wireless", "iwlwifi"),
    ("wwan", "wireless", "cdc_mbim"),
)
_DRIVERS: Final = {1_000: "igb", 10_000: "i40e", 25_000: "mlx5_core", 100_000: "mlx5_core"}
_ADDRESSED: Final = 2


def inventory_report(fleet: Fleet, device: Device, now: float) -> InventoryReport:
    """Return a device's hardware and operating system at `now` (epoch seconds)."""
    kind = device.kind
    system, model, *_ = draws(fleet, device, 31, 2)
    os_name, os_version, kernel = choose(kind.systems, system)
    manufacturer, product = choose(kind.models, model)
    memory = fleet.memory_bytes(device)
    boot_time = fleet.boot_time(device, now) + device.skew_seconds
    return InventoryReport(
        inventory=Inventory(
            hostname=device.hostname,
            fqdn=f"{device.hostname}.{device.domain}",
            domain=device.domain,
            os_name=os_name,
            os_version=os_version,
            kernel=kernel,
            architecture=kind.architecture,
            manufacturer=manufacturer,
            model=product,
            serial_number=serial_number(device),
            smbios_uuid=str(device.smbios_uuid),
            machine_id=device.agent_id.hex,
            virtualization=kind.virtualization,
            cpu_model=kind.cpu_model,
            cpu_cores=kind.cores if kind.virtualization else kind.cores // 2,
            cpu_threads=kind.cores,
            memory_total_bytes=memory,
            gpu_models=[kind.gpu_model] * kind.gpus if kind.gpu_model else [],
            boot_time=boot_time,
            agent_version="simulated",
            capabilities={"perf_events": kind.has_perf_events, "gpu": kind.gpus > 0},
            interfaces=_interfaces(device),
            volumes=volumes(device),
            components=components(device, memory, (manufacturer, product)),
            facts=_facts(device, os_name, os_version, kernel),
            containers=_containers(device, boot_time),
        ),
        collectors=_collectors(kind),
    )


def _interfaces(device: Device) -> list[NetworkInterface]:
    return [_interface(device, number, name) for number, name in enumerate(device.kind.interfaces)]


def _interface(device: Device, number: int, name: str) -> NetworkInterface:
    kind = device.kind
    third, fourth = divmod(device.index, 250)
    shape, driver = next(
        ((shape, driver) for prefix, shape, driver in _KINDS_BY_NAME if name.startswith(prefix)),
        ("physical", "virtio_net" if kind.virtualization else _DRIVERS[kind.interface_mbps]),
    )
    master = _master(kind, name)
    is_up = number < _ADDRESSED or master is not None
    address = f"10.{16 * number + third // 250}.{third % 250}.{fourth + 2}"
    addresses = [address] if number < _ADDRESSED and master is None else []
    return NetworkInterface(
        name=name,
        mac_address=mac_address(device, number),
        ip_addresses=addresses,
        speed_mbps=kind.interface_mbps,
        is_up=is_up,
        kind=shape,
        addresses=[InterfaceAddress(f"{one}/24", "global") for one in addresses],
        master=master,
        mtu=9000 if kind.device_type == "storage" else 1500,
        driver=driver,
        duplex="full" if shape == "physical" else None,
        oper_state="up" if is_up else "down",
        permanent_mac_address=mac_address(device, number) if shape == "physical" else None,
        has_assigned_mac=shape in {"bond", "bridge"},
    )


def _master(kind: Kind, name: str) -> str | None:
    """A host's bridge has the bond in it, and the bond has the ports."""
    above = {"bond0": "vmbr0"}.get(name, "bond0" if name.startswith("e") else None)
    return above if above in kind.interfaces else None


def _facts(device: Device, os_name: str, os_version: str, kernel: str) -> dict[str, Fact]:
    kind = device.kind
    is_red_hat = os_name.startswith(("Rocky", "Red Hat", "Fedora"))
    forwards = kind.device_type == "network_device" or bool(kind.containers)
    facts: dict[str, Fact] = {
        "boot.firmware": "efi",
        "boot.secure_boot": kind.device_type == "workstation",
        "cgroup.version": 2,
        "dns.search": [device.domain],
        "dns.servers": ["10.0.0.53", "10.0.1.53"],
        "init.name": "procd" if os_name == "OpenWrt" else "systemd",
        "kernel.cmdline": f"BOOT_IMAGE=/vmlinuz-{kernel} root=/dev/{kind.block_devices[0]} ro quiet",
        "kernel.release": kernel,
        "locale": "en_US.UTF-8",
        "os.name": os_name,
        "os.version": os_version,
        "security.selinux" if is_red_hat else "security.apparmor": "enforcing" if is_red_hat else True,
        "sysctl.net.ipv4.ip_forward": int(forwards),
        "sysctl.vm.swappiness": 10 if kind.device_type == "server" else 60,
        "time.servers": [f"ntp1.{device.domain}", f"ntp2.{device.domain}"],
        "time.zone": "Etc/UTC",
        "virtualization": kind.virtualization or "none",
    }
    return facts


def _containers(device: Device, boot_time: float) -> list[Container]:
    return [
        Container(
            runtime, digits(device, "container", number), process, float(round(boot_time + 40 + 7 * number))
        )
        for number, (runtime, process) in enumerate(device.kind.containers)
    ]


def _collectors(kind: Kind) -> list[CollectorStatus]:
    statuses = [CollectorStatus(name, "ok") for name in _COLLECTORS]
    optional = (
        (
            "perf_events",
            kind.has_perf_events,
            "perf_event_paranoid is 3; the agent may not count hardware events",
        ),
        ("gpu", kind.gpus > 0, "no NVIDIA driver on this machine"),
    )
    statuses += [
        CollectorStatus(name, "ok" if works else "unavailable", "" if works else why)
        for name, works, why in optional
    ]
    return statuses
