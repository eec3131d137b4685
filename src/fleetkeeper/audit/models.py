"""The audit log and its seals. Both take new rows only; nobody but the owner of the tables could change one."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, Computed, Date, Identity, Index, LargeBinary, String, Text, func, text
from sqlalchemy.dialects.postgresql import INET, JSONB
from sqlalchemy.orm import Mapped, mapped_column

from fleetkeeper.database.base import Base, Keyed


class AuditEntry(Base):
    """One change of one row, or one event. Partitioned by month."""

    __tablename__ = "audit_log"
    __table_args__ = (
        # Entries come nearly in the order of time: a few bytes per block range do.
        Index("ix_audit_log_timestamp", "timestamp", postgresql_using="brin"),
        # The order in which entries are sealed and checked.
        Index("ix_audit_log_transaction", "transaction_id", "id"),
        Index("ix_audit_log_user", "user_id", "id", postgresql_where=text("user_id IS NOT NULL")),
        Index("ix_audit_log_device", "device_id", "id", postgresql_where=text("device_id IS NOT NULL")),
        # A device's own entries are found by `device_id`; without them here a bulk change of devices costs less.
        Index(
            "ix_audit_log_resource",
            "resource_type",
            "record_id",
            "id",
            postgresql_where=text("resource_type <> 'devices'"),
        ),
        # Machines write a hundred times as many entries as people, who look for their own.
        Index(
            "ix_audit_log_people",
            "id",
            postgresql_where=text("actor_kind IN ('user', 'token', 'command', 'database', 'anonymous')"),
        ),
        Index("ix_audit_log_request", "request_id", postgresql_where=text("request_id IS NOT NULL")),
        {"postgresql_partition_by": "RANGE (timestamp)"},
    )

    # Counts up with every entry, whoever made it.
    id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    timestamp: Mapped[datetime] = mapped_column(primary_key=True, server_default=func.clock_timestamp())
    # Seals take entries in the order of their transactions, which finish in another order than they begin.
    transaction_id: Mapped[int] = mapped_column(BigInteger, server_default=text("audit_transaction_id()"))
    # What was done: `devices.update`, `session.sign_in`, `permission.refused`.
    action: Mapped[str] = mapped_column(String(100))
    # `user`, `token`, `device`, `job`, `command`; `database` is somebody with SQL, `anonymous` not signed in.
    actor_kind: Mapped[str] = mapped_column(String(20))
    actor_name: Mapped[str] = mapped_column(String(255))
    user_id: Mapped[UUID | None]
    token_id: Mapped[UUID | None]
    session_id: Mapped[UUID | None]
    # The device that it was done to, or that did it.
    device_id: Mapped[UUID | None]
    # The table, or what kind of thing an event is about.
    resource_type: Mapped[str] = mapped_column(String(50))
    record_id: Mapped[str | None] = mapped_column(String(300))
    # The same for those who read by SQL, as document 000 has it: where it is a UUID.
    resource_id: Mapped[UUID | None] = mapped_column(
        Computed(
            "CASE WHEN record_id ~ '^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$' "
            "THEN record_id::uuid END"
        ),
        deferred=True,
    )
    # How people call the thing.
    record_name: Mapped[str | None] = mapped_column(String(300))
    old_values: Mapped[dict[str, Any] | None] = mapped_column(JSONB(none_as_null=True))
    new_values: Mapped[dict[str, Any] | None] = mapped_column(JSONB(none_as_null=True))
    details: Mapped[dict[str, Any] | None] = mapped_column(JSONB(none_as_null=True))
    ip_address: Mapped[str | None] = mapped_column(INET)
    user_agent: Mapped[str | None] = mapped_column(String(300))
    request_id: Mapped[str | None] = mapped_column(String(100))
    change_reason: Mapped[str | None] = mapped_column(Text)


class AuditSeal(Base):
    """A batch of entries that can no longer change unnoticed: their hashes, the tree's root, and the seal before."""

    __tablename__ = "audit_seals"
    # Finds the seal that an entry's transaction is in.
    __table_args__ = (Index("ix_audit_seals_to_transaction", "to_transaction"),)

    number: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    sealed_at: Mapped[datetime]
    # Entries of transactions in [from, to) are in it.
    from_transaction: Mapped[int] = mapped_column(BigInteger)
    to_transaction: Mapped[int] = mapped_column(BigInteger)
    entries: Mapped[int] = mapped_column(BigInteger)
    # Per entry, in order: its id (8 bytes) and its SHA-256 (32 bytes); by them a check names the one at fault.
    leaves: Mapped[bytes] = mapped_column(LargeBinary)
    merkle_root: Mapped[bytes] = mapped_column(LargeBinary)
    previous_hash: Mapped[bytes] = mapped_column(LargeBinary)
    seal_hash: Mapped[bytes] = mapped_column(LargeBinary)
    # HMAC of the hash by a key that is not in the database.
    signature: Mapped[bytes] = mapped_column(LargeBinary)


class AuditEpoch(Base):
    """A PostgreSQL cluster that the log was written in. A restore into another one begins to count transactions anew.

    `transaction_offset` is added to its transaction numbers, so that those of the log never go back.
    """

    __tablename__ = "audit_epochs"

    number: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    system_identifier: Mapped[int] = mapped_column(BigInteger)
    transaction_offset: Mapped[int] = mapped_column(BigInteger)
    began_at: Mapped[datetime] = mapped_column(server_default=func.now())


class AuditArchive(Keyed, Base):
    """A month of the audit log that was moved to a Parquet file."""

    __tablename__ = "audit_archives"

    month: Mapped[datetime] = mapped_column(Date, unique=True)
    file_name: Mapped[str] = mapped_column(String(100), unique=True)
    entries: Mapped[int] = mapped_column(BigInteger)
    first_id: Mapped[int] = mapped_column(BigInteger)
    last_id: Mapped[int] = mapped_column(BigInteger)
    size_bytes: Mapped[int] = mapped_column(BigInteger)
    sha256: Mapped[bytes] = mapped_column(LargeBinary)
    archived_at: Mapped[datetime]
    # Set once the file was past its retention and went.
    removed_at: Mapped[datetime | None]
    # HMAC of all of the above by the key that is not in the database; made anew when the file goes.
    signature: Mapped[bytes] = mapped_column(LargeBinary)
