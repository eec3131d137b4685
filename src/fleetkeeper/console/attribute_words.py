"""What attributes of devices and kinds of evidence are called."""

from fleetkeeper.console.forms.schema_fields import words_of
from fleetkeeper.devices.precedence.resolving import ANY_ATTRIBUTE

_WORDS = {
    ANY_ATTRIBUTE: "Any attribute",
    "hostname": "Host name",
    "fqdn": "Full name",
    "os_name": "Operating system",
    "os_version": "OS version",
    "os_build": "OS build",
    "cpu_model": "Processor",
    "cpu_cores": "Cores",
    "cpu_threads": "Threads",
    "memory_total_bytes": "Memory",
    "location_id": "Location in the tree",
    "mac": "MAC address",
    "machine_id": "Machine ID",
    "smbios_uuid": "System UUID",
    "serial": "Serial number",
}


_SOURCES = {"manual": "People", "vcenter": "vCenter"}


def source_words(name: str) -> str:
    """What people call a source."""
    return _SOURCES.get(name) or words_of(name)


def attribute_words(name: str) -> str:
    """What people call an attribute, or a kind of evidence."""
    return _WORDS.get(name) or words_of(name)
