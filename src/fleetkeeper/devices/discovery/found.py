"""A device as programs that look for machines are told of it. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

REACHED_BY = ("address", "fqdn", "hostname")


@dataclass(frozen=True)
class FoundDevice:
    """One device with what is looked up for it."""

    id: UUID
    name: str
    hostname: str
    fqdn: str
    device_type: str
    status: str
    lifecycle: str
    # As in Company/Region; empty for none.
    department: str
    location: str
    os_name: str
    os_version: str
    manufacturer: str
    model: str
    serial_number: str
    asset_tag: str
    owner: str
    tags: Sequence[str]
    custom_fields: Mapping[str, Any]
    # Without the lengths of their prefixes, primary ones first.
    addresses: Sequence[str]
    primary_address: str

    def reached_by(self, preference: str) -> str:
        """The address that it is reached by: the primary one, then its full name, then its host name.

        With `fqdn` or `hostname` that comes first.
        """
        own = {"address": self.primary_address, "fqdn": self.fqdn, "hostname": self.hostname}
        return own[preference] or self.primary_address or self.fqdn or self.hostname
