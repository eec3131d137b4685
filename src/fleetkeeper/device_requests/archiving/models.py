"""Files of old requests, and where in them each request is."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from fleetkeeper.database.base import Base, Keyed


class RequestArchive(Keyed, Base):
    """A Parquet file with requests. Those that are being written are removed if their writer dies."""

    __tablename__ = "request_archives"
    __table_args__ = (CheckConstraint("state IN ('writing', 'live')", name="state"),)

    store: Mapped[str] = mapped_column(String(20))
    path: Mapped[str] = mapped_column(String(200))
    state: Mapped[str] = mapped_column(String(20), server_default="writing")
    row_count: Mapped[int] = mapped_column(server_default="0")
    size_bytes: Mapped[int] = mapped_column(BigInteger, server_default="0")
    sha256: Mapped[bytes | None]
    created_at: Mapped[datetime]


class ArchivedRequest(Keyed, Base):
    """What lists and searches know of a request that is in a file."""

    __tablename__ = "archived_requests"
    __table_args__ = (
        Index("ix_archived_requests_created_at", "created_at", "id"),
        Index("ix_archived_requests_device_id_created_at", "device_id", "created_at"),
        Index("ix_archived_requests_department_id", "department_id"),
        Index("ix_archived_requests_payload_hash", "payload_hash"),
        Index("ix_archived_requests_archive_id", "archive_id"),
    )

    # Devices may be gone; what they were called stays.
    device_id: Mapped[UUID]
    device_name: Mapped[str] = mapped_column(String(255))
    department_id: Mapped[UUID | None] = mapped_column(ForeignKey("departments.id"))
    request_type: Mapped[str] = mapped_column(String(50))
    status: Mapped[str] = mapped_column(String(30))
    payload_hash: Mapped[str | None] = mapped_column(String(64))
    created_at: Mapped[datetime]
    archived_at: Mapped[datetime]
    archive_id: Mapped[UUID] = mapped_column(ForeignKey("request_archives.id"))
    # Its place in the file, counted from 0.
    position: Mapped[int]
