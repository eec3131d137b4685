"""Parts of devices."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    ARRAY,
    BigInteger,
    CheckConstraint,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    String,
    Text,
    UniqueConstraint,
    literal_column,
    text,
)
from sqlalchemy.dialects.postgresql import INET, JSONB, MACADDR
from sqlalchemy.orm import Mapped, declared_attr, mapped_column

import fleetkeeper.devices.words  # noqa: F401 - declares what the log and constraints are called
from fleetkeeper.database.base import Base, Keyed, Numbered, Timestamped
from fleetkeeper.kit.ids import uuid7


def by_any_part(table: str, column: str) -> Index:
    """Finds rows by any part of a text that most of them do not have."""
    return Index(
        f"ix_{table}_{column}",
        column,
        postgresql_using="gin",
        postgresql_ops={column: "gin_trgm_ops"},
        postgresql_where=text(f"{column} <> ''"),
    )


class OfDevice:
    """A row that goes with its device."""

    @declared_attr
    def device_id(cls) -> Mapped[UUID]:  # noqa: N805 - SQLAlchemy calls it with the class
        """The device."""
        return mapped_column(ForeignKey("devices.id", ondelete="CASCADE"))

    source_system: Mapped[str] = mapped_column(String(50), server_default="manual")


class Vm(OfDevice, Keyed, Timestamped, Base):
    """What its hypervisor says of a virtual machine."""

    __tablename__ = "vms"
    __table_args__ = (
        CheckConstraint("power_state IN ('POWERED_ON', 'POWERED_OFF', 'SUSPENDED')", name="power_state"),
        UniqueConstraint("device_id"),
        Index("ix_vms_instance_uuid", "instance_uuid"),
        Index("ix_vms_power_state", "power_state"),
    )

    instance_uuid: Mapped[str | None] = mapped_column(String(100))
    guest_os: Mapped[str | None] = mapped_column(String(300))
    cpu_count: Mapped[int | None]
    memory_mb: Mapped[int | None] = mapped_column(BigInteger)
    power_state: Mapped[str | None] = mapped_column(String(20))
    tools_running: Mapped[bool | None]
    ip_addresses: Mapped[list[Any]] = mapped_column(server_default="[]")
    disks: Mapped[list[Any]] = mapped_column(server_default="[]")
    snapshots: Mapped[list[Any]] = mapped_column(server_default="[]")
    total_disk_capacity_bytes: Mapped[int] = mapped_column(BigInteger, server_default="0")
    total_snapshot_size_bytes: Mapped[int] = mapped_column(BigInteger, server_default="0")
    version: Mapped[int] = mapped_column(server_default="1")


class NetworkInterface(OfDevice, Keyed, Numbered, Timestamped, Base):
    """A network interface of a device."""

    __tablename__ = "network_interfaces"
    __table_args__ = (
        CheckConstraint("status IN ('up', 'down', 'disabled')", name="status"),
        CheckConstraint(
            "interface_type IN ('physical', 'virtual', 'loopback', 'bridge', 'bond', 'vlan', 'wireless')",
            name="interface_type",
        ),
        CheckConstraint("vlan_id BETWEEN 1 AND 4094", name="vlan_id"),
        UniqueConstraint("device_id", "interface_name"),
        UniqueConstraint("id", "device_id", name="uq_network_interfaces_id_device_id"),
        Index("ix_network_interfaces_mac_address", "mac_address"),
        Index("ix_network_interfaces_status", "status"),
        by_any_part("network_interfaces", "description"),
    )

    interface_name: Mapped[str] = mapped_column(String(100))
    mac_address: Mapped[str | None] = mapped_column(MACADDR)
    # Kept in step with `ip_addresses` by the database.
    ip_addresses: Mapped[list[str]] = mapped_column(ARRAY(INET), server_default=text("'{}'"))
    speed_mbps: Mapped[int | None]
    status: Mapped[str | None] = mapped_column(String(20))
    interface_type: Mapped[str] = mapped_column(String(20), server_default="physical")
    vlan_id: Mapped[int | None]
    parent_name: Mapped[str | None] = mapped_column(String(100))
    mtu: Mapped[int | None]
    duplex: Mapped[str | None] = mapped_column(String(10))
    description: Mapped[str] = mapped_column(Text, server_default="")
    extra: Mapped[dict[str, Any]] = mapped_column("metadata", server_default="{}")
    missing_since: Mapped[datetime | None]
    version: Mapped[int] = mapped_column(server_default="1")


class IpAddress(OfDevice, Keyed, Numbered, Timestamped, Base):
    """An address of an interface, with the length of its prefix."""

    __tablename__ = "ip_addresses"
    __table_args__ = (
        CheckConstraint("status IN ('active', 'reserved', 'deprecated', 'dhcp', 'slaac')", name="status"),
        UniqueConstraint("interface_id", "address"),
        # An address goes with its interface to another device.
        ForeignKeyConstraint(
            ["interface_id", "device_id"],
            ["network_interfaces.id", "network_interfaces.device_id"],
            name="fk_ip_addresses_interface_id_device_id_network_interfaces",
            onupdate="CASCADE",
            ondelete="CASCADE",
        ),
        Index("ix_ip_addresses_device_id", "device_id"),
        Index("ix_ip_addresses_address", "address"),
        Index(
            "ix_ip_addresses_host",
            literal_column("host(address)").label("begins"),
            postgresql_ops={"begins": "text_pattern_ops"},
        ),
        Index("ix_ip_addresses_alone", text("(host(address)::inet)")),
        by_any_part("ip_addresses", "dns_name"),
        Index(
            "ix_ip_addresses_within",
            "address",
            postgresql_using="gist",
            postgresql_ops={"address": "inet_ops"},
        ),
        Index(
            "uq_ip_addresses_primary",
            "device_id",
            text("family(address)"),
            unique=True,
            postgresql_where=text("is_primary"),
        ),
    )

    interface_id: Mapped[UUID]
    address: Mapped[str] = mapped_column(INET)
    dns_name: Mapped[str] = mapped_column(String(255), server_default="")
    status: Mapped[str] = mapped_column(String(20), server_default="active")
    is_primary: Mapped[bool] = mapped_column(server_default="false")
    description: Mapped[str] = mapped_column(Text, server_default="")
    version: Mapped[int] = mapped_column(server_default="1")


class StorageVolume(Keyed, Timestamped, Base):
    """A volume: a file system, a disk, a LUN, a datastore. One without a device is known by its array alone."""

    __tablename__ = "storage_volumes"
    __table_args__ = (
        CheckConstraint(
            "volume_type IN ('lun', 'filesystem', 'datastore', 'qtree', 'disk', 'logical_volume', 'other')",
            name="volume_type",
        ),
        UniqueConstraint("source_system", "source_instance", "source_id", name="uq_storage_volumes_source"),
        Index("ix_storage_volumes_device_id", "device_id"),
        Index("ix_storage_volumes_storage_array", "storage_array"),
        Index("ix_storage_volumes_volume_type", "volume_type"),
    )

    device_id: Mapped[UUID | None] = mapped_column(ForeignKey("devices.id", ondelete="CASCADE"))
    source_system: Mapped[str] = mapped_column(String(50), server_default="manual")
    source_instance: Mapped[str] = mapped_column(String(100), server_default="")
    source_id: Mapped[str] = mapped_column(String(300), default=lambda: str(uuid7()))
    name: Mapped[str] = mapped_column(String(255))
    volume_type: Mapped[str | None] = mapped_column(String(30))
    capacity_bytes: Mapped[int | None] = mapped_column(BigInteger)
    used_bytes: Mapped[int | None] = mapped_column(BigInteger)
    storage_array: Mapped[str | None] = mapped_column(String(255))
    raid_level: Mapped[str | None] = mapped_column(String(50))
    thin_provisioned: Mapped[bool | None]
    mount_point: Mapped[str | None] = mapped_column(String(1000))
    extra: Mapped[dict[str, Any]] = mapped_column("metadata", server_default="{}")
    missing_since: Mapped[datetime | None]
    version: Mapped[int] = mapped_column(server_default="1")


class HardwareComponent(OfDevice, Keyed, Timestamped, Base):
    """A piece of hardware in a device, known by where it sits."""

    __tablename__ = "hardware_components"
    __table_args__ = (
        CheckConstraint(
            "kind IN ('mainboard', 'chassis', 'bios', 'processor', 'memory', 'disk', 'network_card', 'gpu',"
            " 'power_supply', 'fan', 'battery', 'other')",
            name="kind",
        ),
        UniqueConstraint("device_id", "kind", "slot", name="uq_hardware_components_place"),
        Index(
            "ix_hardware_components_serial_number",
            "serial_number",
            postgresql_where=text("serial_number IS NOT NULL"),
        ),
        Index(
            "ix_hardware_components_lower_serial_number",
            literal_column("lower(serial_number)").label("begins"),
            postgresql_ops={"begins": "text_pattern_ops"},
            postgresql_where=text("serial_number IS NOT NULL"),
        ),
        Index(
            "ix_hardware_components_search",
            literal_column("component_text(name, manufacturer, model, serial_number, part_number)").label(
                "part"
            ),
            postgresql_using="gin",
            postgresql_ops={"part": "gin_trgm_ops"},
        ),
    )

    kind: Mapped[str] = mapped_column(String(30))
    slot: Mapped[str] = mapped_column(String(200))
    name: Mapped[str] = mapped_column(String(300), server_default="")
    manufacturer: Mapped[str | None] = mapped_column(String(300))
    model: Mapped[str | None] = mapped_column(String(300))
    serial_number: Mapped[str | None] = mapped_column(String(300))
    part_number: Mapped[str | None] = mapped_column(String(300))
    firmware: Mapped[str | None] = mapped_column(String(300))
    capacity_bytes: Mapped[int | None] = mapped_column(BigInteger)
    extra: Mapped[dict[str, Any]] = mapped_column("metadata", server_default="{}")
    missing_since: Mapped[datetime | None]
    version: Mapped[int] = mapped_column(server_default="1")


class ServerFact(OfDevice, Keyed, Base):
    """A value that a fact had from one moment on; the current one was not replaced yet."""

    __tablename__ = "server_facts"
    __table_args__ = (
        Index("ix_server_facts_device_id_fact_name", "device_id", "fact_name", text("collected_at DESC")),
        Index("ix_server_facts_fact_name", "fact_name"),
        Index(
            "uq_server_facts_current",
            "device_id",
            "source_system",
            "fact_name",
            unique=True,
            postgresql_where=text("replaced_at IS NULL"),
        ),
    )

    fact_name: Mapped[str] = mapped_column(String(200))
    fact_value: Mapped[Any | None] = mapped_column(JSONB)
    collected_at: Mapped[datetime]
    replaced_at: Mapped[datetime | None]
