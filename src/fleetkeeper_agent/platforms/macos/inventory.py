"""The inventory of macOS, from `sw_vers`, `sysctl` and `system_profiler`."""

import re
import socket
import subprocess
from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from fleetkeeper_agent.collectors.inventory import InventorySource, domain_of, resolved_name, told
from fleetkeeper_agent.hostile_text import clean, clean_or_none
from fleetkeeper_agent.platforms.portable import PortableHost
from fleetkeeper_protocol.messages import Inventory

TIMEOUT_SECONDS = 60
_SYSCTLS = (
    "hw.model",
    "hw.memsize",
    "hw.physicalcpu",
    "hw.logicalcpu",
    "hw.machine",
    "machdep.cpu.brand_string",
    "kern.osrelease",
    "kern.boottime",
    "kern.hv_vmm_present",
)
COMMANDS = {
    "sw_vers": ("/usr/bin/sw_vers",),
    "sysctl": ("/usr/sbin/sysctl", *_SYSCTLS),
    "system_profiler": ("/usr/sbin/system_profiler", "-json", "SPHardwareDataType", "SPDisplaysDataType"),
}


def parse_pairs(answer: bytes) -> dict[str, str]:
    """Read lines of `name: value`, as sw_vers and sysctl write them."""
    found: dict[str, str] = {}
    for line in answer.decode("utf-8", "replace").split("\n"):
        key, colon, value = line.partition(":")
        if colon and value.strip():
            found[key.strip()] = value.strip()
    return found


def parse_profile(answer: bytes) -> tuple[dict[str, Any], list[str]]:
    """Read system_profiler's JSON into the hardware's description and the names of the GPUs."""
    try:
        found = msgspec.json.decode(answer, type=dict[str, list[dict[str, Any]]])
    except msgspec.DecodeError:
        return {}, []
    hardware = next(iter(found.get("SPHardwareDataType", [])), {})
    names = [card.get("sppci_model") or card.get("_name") for card in found.get("SPDisplaysDataType", [])]
    return hardware, [clean(name) for name in names if isinstance(name, str)]


def inventory_of(answers: Mapping[str, bytes], hostname: str, fqdn: str | None) -> Inventory:
    """Put the commands' answers together; an answer that is missing leaves its fields unknown."""
    release = parse_pairs(answers.get("sw_vers", b""))
    kernel = parse_pairs(answers.get("sysctl", b""))
    hardware, gpus = parse_profile(answers.get("system_profiler", b""))
    boot = re.search(r"sec = (\d+)", kernel.get("kern.boottime", ""))
    virtual = kernel.get("kern.hv_vmm_present")
    return Inventory(
        hostname=hostname,
        fqdn=fqdn,
        domain=domain_of(fqdn),
        os_name=clean_or_none(release.get("ProductName")) or "macOS",
        os_version=clean_or_none(release.get("ProductVersion")),
        os_build=clean_or_none(release.get("BuildVersion")),
        kernel=clean_or_none(kernel.get("kern.osrelease")),
        architecture=clean_or_none(kernel.get("hw.machine")),
        manufacturer="Apple",
        model=told(str(hardware.get("machine_model") or kernel.get("hw.model") or "")),
        serial_number=told(str(hardware.get("serial_number") or "")),
        smbios_uuid=(told(str(hardware.get("platform_UUID") or "")) or "").lower() or None,
        machine_id=None,
        virtualization=None if virtual is None else ("vm-other" if virtual == "1" else "none"),
        cpu_model=clean_or_none(kernel.get("machdep.cpu.brand_string")),
        cpu_cores=_whole(kernel.get("hw.physicalcpu")),
        cpu_threads=_whole(kernel.get("hw.logicalcpu")),
        memory_total_bytes=_whole(kernel.get("hw.memsize")),
        gpu_models=gpus,
        boot_time=float(boot[1]) if boot else None,
    )


def run(command: tuple[str, ...]) -> bytes:
    """Run one of the commands; nothing when it is not there or fails."""
    try:
        # sysctl fails as a whole when one name is unknown to this machine, but answers the others.
        return subprocess.run(command, capture_output=True, timeout=TIMEOUT_SECONDS, check=False).stdout
    except (OSError, subprocess.SubprocessError):
        return b""


class MacosInventory(InventorySource):
    """Asks the commands that macOS brings along."""

    def __init__(self, ask: Callable[[tuple[str, ...]], bytes] = run) -> None:
        self._ask = ask
        self._host = PortableHost()

    def inventory(self) -> Inventory:
        """Everything but interfaces and capabilities."""
        hostname = clean(socket.gethostname(), 255) or "localhost"
        answers = {name: self._ask(command) for name, command in COMMANDS.items()}
        return inventory_of(answers, hostname, resolved_name(hostname))

    def shows_interface(self, name: str) -> bool:
        """Whether an interface is the machine's own."""
        return self._host.shows_interface(name)


def _whole(text: str | None) -> int | None:
    return int(text) if text is not None and text.isascii() and text.isdigit() else None
