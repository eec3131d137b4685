"""The inventory of Windows, from one PowerShell query of CIM classes and the registry."""

import platform
import shutil
import socket
import subprocess
from collections.abc import Callable
from typing import Any

import msgspec

from fleetkeeper_agent.collectors.inventory import InventorySource, resolved_name, told
from fleetkeeper_agent.hostile_text import clean, clean_or_none
from fleetkeeper_agent.platforms.portable import PortableHost
from fleetkeeper_protocol.messages import Inventory

TIMEOUT_SECONDS = 60
QUERY = r"""
$ErrorActionPreference = 'SilentlyContinue'
[Console]::OutputEncoding = [System.Text.Encoding]::UTF8
$nt = Get-ItemProperty 'HKLM:\SOFTWARE\Microsoft\Windows NT\CurrentVersion'
$crypto = Get-ItemProperty 'HKLM:\SOFTWARE\Microsoft\Cryptography'
@{
  os = Get-CimInstance Win32_OperatingSystem |
    Select-Object Caption, Version, BuildNumber, OSArchitecture, CSName,
      @{n='BootTime'; e={[DateTimeOffset]::new($_.LastBootUpTime).ToUnixTimeSeconds()}}
  system = Get-CimInstance Win32_ComputerSystem |
    Select-Object DNSHostName, Domain, PartOfDomain, Manufacturer, Model, TotalPhysicalMemory,
    HypervisorPresent
  bios = Get-CimInstance Win32_BIOS | Select-Object SerialNumber
  product = Get-CimInstance Win32_ComputerSystemProduct | Select-Object UUID
  processors = @(Get-CimInstance Win32_Processor | Select-Object Name, NumberOfCores,
  NumberOfLogicalProcessors) video = @(Get-CimInstance Win32_VideoController | Select-Object Name) registry =
  @{ DisplayVersion = $nt.DisplayVersion; ReleaseId = $nt.ReleaseId; UBR = $nt.UBR; MachineGuid =
  $crypto.MachineGuid }
} | ConvertTo-Json -Depth 4 -Compress
"""

_VIRTUAL_MODELS = (
    ("vmware", "vmware"),
    ("virtualbox", "virtualbox"),
    ("virtual machine", "hyper-v"),
    ("kvm", "kvm"),
    ("qemu", "qemu"),
    ("standard pc", "qemu"),
    ("hvm domu", "xen"),
    ("parallels", "parallels"),
)


def parse_inventory(answer: bytes) -> Inventory:
    """Read the query's JSON. Raises msgspec.DecodeError when PowerShell wrote something else."""
    found: dict[str, Any] = msgspec.json.decode(answer.lstrip(b"\xef\xbb\xbf"), type=dict[str, Any])
    system, registry = _one(found, "system"), _one(found, "registry")
    os_found = _one(found, "os")
    processors = _many(found, "processors")
    build, revision = _text(os_found.get("BuildNumber")), _text(registry.get("UBR"))
    hostname = _text(system.get("DNSHostName")) or _text(os_found.get("CSName")) or "localhost"
    domain = _text(system.get("Domain")) if system.get("PartOfDomain") is True else None
    return Inventory(
        hostname=hostname,
        fqdn=f"{hostname}.{domain}".lower() if domain else None,
        domain=domain,
        os_name=_text(os_found.get("Caption")) or "Windows",
        os_version=_text(registry.get("DisplayVersion")) or _text(registry.get("ReleaseId")),
        os_build=f"{build}.{revision}" if build and revision else build,
        kernel=_text(os_found.get("Version")),
        architecture=_text(os_found.get("OSArchitecture")),
        manufacturer=told(_text(system.get("Manufacturer"))),
        model=told(_text(system.get("Model"))),
        serial_number=told(_text(_one(found, "bios").get("SerialNumber"))),
        smbios_uuid=(told(_text(_one(found, "product").get("UUID"))) or "").lower() or None,
        machine_id=told(_text(registry.get("MachineGuid"))),
        virtualization=_virtualization(system),
        cpu_model=_text(processors[0].get("Name")) if processors else None,
        cpu_cores=_sum(processors, "NumberOfCores"),
        cpu_threads=_sum(processors, "NumberOfLogicalProcessors"),
        memory_total_bytes=_whole(system.get("TotalPhysicalMemory")),
        gpu_models=[name for card in _many(found, "video") if (name := _text(card.get("Name")))],
        boot_time=_whole(os_found.get("BootTime")),
    )


def query_powershell() -> bytes:
    """Run the query. Raises OSError or subprocess.SubprocessError."""
    program = shutil.which("powershell") or shutil.which("pwsh")
    if program is None:
        raise FileNotFoundError("powershell is not on the path")
    command = [program, "-NoProfile", "-NonInteractive", "-Command", QUERY]
    return subprocess.run(command, capture_output=True, timeout=TIMEOUT_SECONDS, check=True).stdout


class WindowsInventory(InventorySource):
    """Asks PowerShell; without its answer, what Python itself knows."""

    def __init__(self, query: Callable[[], bytes] = query_powershell) -> None:
        self._query = query
        self._host = PortableHost()

    def inventory(self) -> Inventory:
        """Everything but interfaces and capabilities."""
        try:
            return parse_inventory(self._query())
        except (OSError, subprocess.SubprocessError, msgspec.DecodeError):
            hostname = clean(socket.gethostname(), 255) or "localhost"
            return Inventory(
                hostname=hostname,
                fqdn=resolved_name(hostname),
                os_name="Windows",
                os_version=platform.release(),
                os_build=platform.version(),
                architecture=platform.machine(),
                memory_total_bytes=int(self._host.memory_total_bytes()),
            )

    def shows_interface(self, name: str) -> bool:
        """Whether an interface is the machine's own."""
        return self._host.shows_interface(name)


def _virtualization(system: dict[str, Any]) -> str | None:
    described = f"{system.get('Manufacturer')} {system.get('Model')}".lower()
    for mark, name in _VIRTUAL_MODELS:
        if mark in described:
            return name
    # A Windows that runs Hyper-V itself has a hypervisor below it and is a real machine all the same.
    return "none" if system.get("HypervisorPresent") is not None else None


def _one(found: dict[str, Any], key: str) -> dict[str, Any]:
    value = found.get(key)
    if isinstance(value, list):
        value = value[0] if value else None
    return value if isinstance(value, dict) else {}


def _many(found: dict[str, Any], key: str) -> list[dict[str, Any]]:
    value = found.get(key)
    return [item for item in (value if isinstance(value, list) else [value]) if isinstance(item, dict)]


def _text(value: Any) -> str | None:
    return clean_or_none(str(value)) if isinstance(value, str | int) and not isinstance(value, bool) else None


def _whole(value: Any) -> int | None:
    text = _text(value)
    return int(text) if text is not None and text.isascii() and text.isdigit() else None


def _sum(items: list[dict[str, Any]], key: str) -> int | None:
    return sum(_whole(item.get(key)) or 0 for item in items) or None
