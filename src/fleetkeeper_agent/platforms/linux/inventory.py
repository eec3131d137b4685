"""The inventory from `/proc`, `/sys` and os-release; no command is run."""

import os
import re
from collections.abc import Callable
from pathlib import Path

from fleetkeeper_agent.collectors.inventory import domain_of, resolved_name, told
from fleetkeeper_agent.host_files import HostRoots, read_or_none
from fleetkeeper_agent.hostile_text import clean, clean_or_none
from fleetkeeper_agent.platforms.linux.block import BlockDevices
from fleetkeeper_agent.platforms.linux.components import LinuxComponents
from fleetkeeper_agent.platforms.linux.containers import LinuxContainers
from fleetkeeper_agent.platforms.linux.disk import LinuxDisk
from fleetkeeper_agent.platforms.linux.facts import LinuxFacts
from fleetkeeper_agent.platforms.linux.interfaces import LinuxInterfaces
from fleetkeeper_agent.platforms.linux.memory import parse_meminfo
from fleetkeeper_agent.platforms.linux.mounts import parse_mountinfo
from fleetkeeper_agent.platforms.linux.network import LinuxNetwork
from fleetkeeper_agent.platforms.linux.pci import graphics_models
from fleetkeeper_agent.platforms.linux.volumes import LinuxVolumes
from fleetkeeper_protocol.messages import Inventory, NetworkInterface

CLOCK_CORRECTION_SECONDS = 60.0
_HYPERVISORS = (
    ("vmware", "vmware"),
    ("virtualbox", "virtualbox"),
    ("innotek", "virtualbox"),
    ("xen", "xen"),
    ("parallels", "parallels"),
    ("bhyve", "bhyve"),
    ("amazon ec2", "kvm"),
    ("google", "kvm"),
    ("openstack", "kvm"),
    ("kvm", "kvm"),
    ("qemu", "qemu"),
    ("microsoft corporation virtual", "hyper-v"),
)
_QUOTED = re.compile(r"(['\"])(.*)\1")


def parse_os_release(data: bytes) -> dict[str, str]:
    """Read os-release(5)."""
    found: dict[str, str] = {}
    for line in data.decode("utf-8", "replace").split("\n"):
        key, separator, value = line.strip().partition("=")
        if separator and not key.startswith("#"):
            quoted = _QUOTED.fullmatch(value)
            found[key] = re.sub(r"\\([\"$`\\])", r"\1", quoted[2]) if quoted else value
    return found


def parse_cpuinfo(data: bytes) -> tuple[str | None, int | None, int | None]:
    """Model, cores and threads from `/proc/cpuinfo`, as x86, ARM, POWER and s390 write it."""
    model: str | None = None
    threads = 0
    cores: set[tuple[str, str]] = set()
    package = ""
    for line in data.decode("utf-8", "replace").split("\n"):
        key, colon, value = (part.strip() for part in line.partition(":"))
        if not colon:
            continue
        if key == "processor" and value.isdigit():
            threads += 1
            package = ""
        elif key == "physical id":
            package = value
        elif key == "core id":
            cores.add((package, value))
        elif key in {"model name", "Hardware", "Model", "cpu"} and model is None:
            model = value
    return clean_or_none(model), len(cores) or None, threads or None


def hypervisor(cpuinfo: bytes, firmware: str) -> str | None:
    """What the machine runs on, in systemd-detect-virt's words; "none" is hardware, None is not known."""
    lowered = firmware.lower()
    for mark, name in _HYPERVISORS:
        if mark in lowered:
            return name
    if b"hypervisor" in cpuinfo:
        return "vm-other"
    # Only x86 has the flag whose absence says that there is no hypervisor.
    return "none" if re.search(rb"^flags\s*:", cpuinfo, re.MULTILINE) else None


class LinuxInventory:
    """Reads the machine's own description."""

    def __init__(self, roots: HostRoots, network_file_systems: Callable[[], bool] = lambda: False) -> None:
        self._roots = roots
        self._network = LinuxNetwork(roots)
        self._interfaces = LinuxInterfaces(roots)
        block = BlockDevices(roots)
        self._volumes = LinuxVolumes(LinuxDisk(roots, network_file_systems), block)
        self._components = LinuxComponents(roots, block)
        self._facts = LinuxFacts(roots)
        self._containers = LinuxContainers(roots)
        self._booted: float | None = None

    def inventory(self) -> Inventory:
        """Everything but interfaces and capabilities."""
        roots = self._roots
        release = parse_os_release(
            self._first(roots.etc / "os-release", roots.etc.parent / "usr/lib/os-release")
        )
        cpuinfo = read_or_none(roots.proc / "cpuinfo") or b""
        model, cores, threads = parse_cpuinfo(cpuinfo)
        system = os.uname()
        hostname = (
            clean(read_or_none(roots.proc / "sys/kernel/hostname") or system.nodename, 255) or "localhost"
        )
        fqdn = resolved_name(hostname)
        meminfo = parse_meminfo(read_or_none(roots.proc / "meminfo") or b"")
        virtualization, boot_time = self._virtualization(cpuinfo), self._boot_time()
        return Inventory(
            hostname=hostname,
            fqdn=fqdn,
            domain=self._domain() or domain_of(fqdn),
            os_name=clean_or_none(release.get("NAME")) or "Linux",
            os_version=clean_or_none(release.get("VERSION_ID")),
            os_build=clean_or_none(release.get("BUILD_ID"))
            or clean_or_none(self._first(roots.etc / "debian_version")),
            kernel=clean_or_none(system.release),
            architecture=clean_or_none(system.machine),
            manufacturer=told(self._firmware("sys_vendor")),
            model=told(self._firmware("product_name")) or told(self._device_tree("model")),
            serial_number=told(self._firmware("product_serial")) or told(self._device_tree("serial-number")),
            smbios_uuid=(told(self._firmware("product_uuid")) or "").lower() or None,
            machine_id=told(
                self._first(roots.etc / "machine-id", roots.etc.parent / "var/lib/dbus/machine-id")
            ),
            virtualization=virtualization,
            cpu_model=model,
            cpu_cores=cores,
            cpu_threads=threads,
            memory_total_bytes=int(meminfo["MemTotal"]) if "MemTotal" in meminfo else None,
            gpu_models=graphics_models(roots),
            boot_time=boot_time,
            volumes=self._volumes.volumes(),
            components=self._components.components(),
            facts=self._facts.facts(release, virtualization),
            containers=self._containers.containers(boot_time),
        )

    def shows_interface(self, name: str) -> bool:
        """Whether an interface is the machine's own."""
        return self._network.shows(name)

    def describe_interface(self, name: str, interface: NetworkInterface) -> None:
        """Add what the kernel tells of an interface."""
        self._interfaces.describe(name, interface)

    def _virtualization(self, cpuinfo: bytes) -> str | None:
        container = read_or_none(self._roots.run / "systemd/container")
        if container:
            return clean_or_none(container)
        # Images of machines are made from containers too; with a disk as root the file says nothing.
        if (self._roots.etc.parent / ".dockerenv").exists() and not self._root_is_disk():
            return "docker"
        if (self._roots.run / ".containerenv").exists():
            return "podman"
        firmware = b" ".join(self._firmware(field) for field in ("sys_vendor", "product_name", "bios_vendor"))
        return hypervisor(cpuinfo, firmware.decode("utf-8", "replace"))

    def _root_is_disk(self) -> bool:
        mounts = parse_mountinfo(read_or_none(self._roots.proc / "self/mountinfo") or b"")
        return any(mount.mountpoint == "/" and mount.device.startswith("/dev/") for mount in mounts)

    def _boot_time(self) -> float | None:
        match = re.search(rb"^btime (\d+)$", read_or_none(self._roots.proc / "stat") or b"", re.MULTILINE)
        booted = float(match[1]) if match else None
        # The kernel computes it from the clock, so it wanders by a second or two as the clock is corrected.
        if booted is None or self._booted is None or abs(booted - self._booted) > CLOCK_CORRECTION_SECONDS:
            self._booted = booted
        return self._booted

    def _domain(self) -> str | None:
        # The directory that the machine joined, as sssd, realmd and samba leave it for Kerberos.
        data = read_or_none(self._roots.etc / "krb5.conf") or b""
        match = re.search(rb"^\s*default_realm\s*=\s*(\S+)", data, re.MULTILINE)
        joined = (self._roots.etc / "krb5.keytab").exists()
        return clean(match[1]).lower() if match and joined else None

    def _firmware(self, field: str) -> bytes:
        return read_or_none(self._roots.sys / "class/dmi/id" / field) or b""

    def _device_tree(self, field: str) -> bytes:
        return (read_or_none(self._roots.proc / "device-tree" / field) or b"").rstrip(b"\0")

    @staticmethod
    def _first(*paths: Path) -> bytes:
        return next((data for path in paths if (data := read_or_none(path))), b"")
