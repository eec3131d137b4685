"""Devices, the evidence of their identity, their sources, their keys and their vital signs."""

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    REAL,
    BigInteger,
    CheckConstraint,
    Computed,
    ForeignKey,
    Identity,
    Index,
    LargeBinary,
    String,
    Text,
    UniqueConstraint,
    literal_column,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

import fleetkeeper.devices.words  # noqa: F401 - declares what the log and constraints are called
from fleetkeeper.database.base import Base, Keyed, Numbered, Timestamped


class Device(Keyed, Numbered, Timestamped, Base):
    """What is true of a device now."""

    __tablename__ = "devices"
    __table_args__ = (
        CheckConstraint("status IN ('online', 'offline', 'unknown')", name="status"),
        CheckConstraint("lifecycle IN ('active', 'inactive', 'maintenance', 'retired')", name="lifecycle"),
        # The list's default order, and its filters; each ends in id, the cursor's tie-breaker.
        Index("ix_devices_name", "name", "id"),
        Index("ix_devices_status", "status", "name", "id"),
        Index("ix_devices_type", "device_type", "name", "id"),
        Index("ix_devices_last_seen", "last_seen", "id"),
        # The sweep that finds devices that fell silent looks at those online only.
        Index("ix_devices_online", "last_seen", postgresql_where=text("status = 'online'")),
        # Search by any part of a name, serial number, IP address or MAC address.
        Index(
            "ix_devices_search",
            "search_text",
            postgresql_using="gin",
            postgresql_ops={"search_text": "gin_trgm_ops"},
        ),
        # Exactly, or by how it begins, whatever the case.
        Index(
            "ix_devices_lower_name",
            literal_column("lower(name)").label("begins"),
            postgresql_ops={"begins": "text_pattern_ops"},
        ),
        *(
            Index(
                f"ix_devices_lower_{column}",
                literal_column(f"lower({column})").label("begins"),
                postgresql_ops={"begins": "text_pattern_ops"},
                postgresql_where=text(f"{column} IS NOT NULL"),
            )
            for column in ("serial_number", "asset_tag")
        ),
        Index("ix_devices_domain", "domain"),
        Index("ix_devices_department", "department_id", "name", "id"),
        Index("ix_devices_capabilities", "capabilities", postgresql_using="gin"),
        Index(
            "ix_devices_location_id",
            "location_id",
            "name",
            "id",
            postgresql_where=text("location_id IS NOT NULL"),
        ),
        Index("ix_devices_asset_tag", "asset_tag", postgresql_where=text("asset_tag IS NOT NULL")),
        Index("ix_devices_source", "source_system", "source_id"),
        Index(
            "ix_devices_warranty_until",
            "warranty_until",
            "id",
            postgresql_where=text("warranty_until IS NOT NULL"),
        ),
        Index("ix_devices_merged_into", "merged_into", postgresql_where=text("merged_into IS NOT NULL")),
        CheckConstraint("merged_into <> id", name="merged_into"),
    )

    name: Mapped[str] = mapped_column(String(255))
    hostname: Mapped[str] = mapped_column(String(255))
    device_type: Mapped[str] = mapped_column(String(50), server_default="server")
    status: Mapped[str] = mapped_column(String(20), server_default="unknown")
    lifecycle: Mapped[str] = mapped_column(String(20), server_default="active")
    # Who may see the device. One of no department is seen only by those who see all.
    department_id: Mapped[UUID | None] = mapped_column(ForeignKey("departments.id"))
    location: Mapped[str | None] = mapped_column(String(255))
    fqdn: Mapped[str | None] = mapped_column(String(300))
    domain: Mapped[str | None] = mapped_column(String(300))
    os_name: Mapped[str | None] = mapped_column(String(300))
    os_version: Mapped[str | None] = mapped_column(String(300))
    os_build: Mapped[str | None] = mapped_column(String(300))
    kernel: Mapped[str | None] = mapped_column(String(300))
    architecture: Mapped[str | None] = mapped_column(String(300))
    manufacturer: Mapped[str | None] = mapped_column(String(300))
    model: Mapped[str | None] = mapped_column(String(300))
    serial_number: Mapped[str | None] = mapped_column(String(300))
    virtualization: Mapped[str | None] = mapped_column(String(300))
    cpu_model: Mapped[str | None] = mapped_column(String(300))
    cpu_cores: Mapped[int | None]
    cpu_threads: Mapped[int | None]
    memory_total_bytes: Mapped[int | None] = mapped_column(BigInteger)
    gpu_models: Mapped[list[Any]] = mapped_column(server_default="[]")
    interfaces: Mapped[list[Any]] = mapped_column(server_default="[]")
    boot_time: Mapped[datetime | None]
    capabilities: Mapped[dict[str, Any]] = mapped_column(server_default="{}")
    # Keyed by source, as document 003 has it.
    extra: Mapped[dict[str, Any]] = mapped_column("metadata", server_default="{}")
    first_seen: Mapped[datetime | None]
    last_seen: Mapped[datetime | None]
    version: Mapped[int] = mapped_column(server_default="1")
    location_id: Mapped[UUID | None] = mapped_column(ForeignKey("locations.id", ondelete="SET NULL"))
    asset_tag: Mapped[str | None] = mapped_column(String(100))
    owner: Mapped[str | None] = mapped_column(String(255))
    description: Mapped[str | None] = mapped_column(Text)
    purchased_on: Mapped[date | None]
    warranty_until: Mapped[date | None]
    end_of_support_on: Mapped[date | None]
    # The source that knew it first, kept by the database; all of them are in `device_sources`.
    source_system: Mapped[str | None] = mapped_column(String(50))
    source_id: Mapped[str | None] = mapped_column(String(300))
    # The device that it turned out to be. It is unseen then, and its telemetry is read with the other's.
    merged_into: Mapped[UUID | None] = mapped_column(ForeignKey("devices.id", ondelete="CASCADE"))
    search_text: Mapped[str] = mapped_column(
        Text,
        Computed(
            "name || ' ' || hostname || ' ' || coalesce(serial_number, '') || ' ' || coalesce(location, '')"
            " || ' ' || jsonb_path_query_array(interfaces, '$[*].ip_addresses[*]')::text"
            " || ' ' || jsonb_path_query_array(interfaces, '$[*].mac_address')::text"
            " || ' ' || replace(jsonb_path_query_array(interfaces, '$[*].mac_address')::text, ':', '')",
            persisted=True,
        ),
        deferred=True,
    )


class DeviceSource(Keyed, Base):
    """What one source says of a device."""

    __tablename__ = "device_sources"
    __table_args__ = (UniqueConstraint("source_system", "source_instance", "source_id"),)

    device_id: Mapped[UUID] = mapped_column(ForeignKey("devices.id", ondelete="CASCADE"), index=True)
    source_system: Mapped[str] = mapped_column(String(50))
    source_instance: Mapped[str] = mapped_column(String(100), server_default="")
    source_id: Mapped[str] = mapped_column(String(300))
    attributes: Mapped[dict[str, Any]] = mapped_column(server_default="{}")
    first_seen: Mapped[datetime]
    last_seen: Mapped[datetime]
    missing_since: Mapped[datetime | None]
    # Pairs of kind and value, as `normalise_evidence` gives them.
    evidence: Mapped[list[Any]] = mapped_column(server_default="[]")
    # A person said that it is this device; nothing takes it away by itself.
    is_confirmed: Mapped[bool] = mapped_column(server_default=text("false"))


class DeviceIdentity(Keyed, Base):
    """One piece of normalized evidence of who a machine is; machines that were cloned share some."""

    __tablename__ = "device_identities"
    __table_args__ = (
        UniqueConstraint("device_id", "kind", "value"),
        Index("ix_device_identities_kind_value", "kind", "value"),
        # Host names are compared by their first part.
        Index(
            "ix_device_identities_names",
            text("split_part(value, '.', 1)"),
            postgresql_where=text("kind IN ('hostname', 'fqdn')"),
        ),
    )

    device_id: Mapped[UUID] = mapped_column(ForeignKey("devices.id", ondelete="CASCADE"))
    kind: Mapped[str] = mapped_column(String(30))
    value: Mapped[str] = mapped_column(String(300))
    # Points, of `identity.strength`.
    strength: Mapped[float] = mapped_column(REAL, server_default="0")
    # The source that told it last.
    source_system: Mapped[str] = mapped_column(String(50), server_default="")
    first_seen: Mapped[datetime]
    last_seen: Mapped[datetime]


class HostClaim(Base):
    """A name by which senders know a device, within its department; of several claims the lowest `id` is the oldest.

    The primary one is left out of stored labels and put back by readers.
    """

    __tablename__ = "telemetry_hosts"
    __table_args__ = (
        Index("ix_telemetry_hosts_primary", "device_id", unique=True, postgresql_where=text("is_primary")),
        Index("uq_telemetry_hosts_device_id_name_key", "device_id", "name_key", unique=True),
    )

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    host: Mapped[str] = mapped_column(String(300), index=True)
    # The name without upper case and last dot, by which it is found.
    name_key: Mapped[str] = mapped_column(
        String(300), Computed("lower(rtrim(host, '.'))", persisted=True), index=True, deferred=True
    )
    device_id: Mapped[UUID] = mapped_column(ForeignKey("devices.id", ondelete="CASCADE"))
    is_primary: Mapped[bool]
    # By what it came: a sender's protocol, `enrollment`, or empty for one that a person entered.
    protocol: Mapped[str] = mapped_column(String(20), server_default="")
    first_seen: Mapped[datetime] = mapped_column(server_default=text("now()"))


class DeviceKey(Keyed, Base):
    """The secret by which an enrolled device proves itself. Only the hash is stored."""

    __tablename__ = "device_keys"

    device_id: Mapped[UUID] = mapped_column(ForeignKey("devices.id", ondelete="CASCADE"), index=True)
    secret_hash: Mapped[bytes] = mapped_column(LargeBinary, unique=True)
    created_at: Mapped[datetime]
    # Set for a key that no use has confirmed, and, once its successor is used, for the one before.
    expires_at: Mapped[datetime | None]
    # When it was first seen; later uses are those of its device.
    last_used_at: Mapped[datetime | None]
    revoked_at: Mapped[datetime | None]


class DeviceVitals(Base):
    """The few numbers that lists sort by: a narrow table, rewritten every few seconds while devices report.

    A trigger makes the row together with its device, so that lists need no outer join.
    """

    __tablename__ = "device_vitals"
    __table_args__ = (
        # Each serves a list's order by that sign; the cursor's tie-breaker is last.
        Index("ix_device_vitals_cpu", text("coalesce(cpu_percent, -1)"), "device_id"),
        Index("ix_device_vitals_memory", text("coalesce(memory_percent, -1)"), "device_id"),
        Index("ix_device_vitals_disk", text("coalesce(disk_percent, -1)"), "device_id"),
        {"postgresql_with": {"fillfactor": "60"}},
    )

    device_id: Mapped[UUID] = mapped_column(ForeignKey("devices.id", ondelete="CASCADE"), primary_key=True)
    ts: Mapped[datetime | None]
    cpu_percent: Mapped[float | None]
    memory_percent: Mapped[float | None]
    disk_percent: Mapped[float | None]
    # How far the newest report's time lay ahead of its arrival; below zero behind it, which may be the way it took.
    clock_skew_seconds: Mapped[float | None] = mapped_column(REAL)
    # A running estimate of the time between reports.
    report_interval_seconds: Mapped[float | None] = mapped_column(REAL)
