"""Stores, files of requests and responses, and what is to be removed from stores."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    ForeignKey,
    Index,
    LargeBinary,
    String,
    UniqueConstraint,
    func,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

import fleetkeeper.cloud_files.words  # noqa: F401 - declares what the log and constraints are called
from fleetkeeper.database.base import Base, Keyed, Timestamped


class CloudStore(Keyed, Timestamped, Base):
    """Where files are copied to. What a column means depends on the provider."""

    __tablename__ = "cloud_stores"
    __table_args__ = (
        CheckConstraint("provider IN ('local', 's3', 'sharepoint', 'google-drive')", name="provider"),
        UniqueConstraint("name"),
        Index("ix_cloud_stores_department_id", "department_id"),
    )

    name: Mapped[str] = mapped_column(String(100))
    provider: Mapped[str] = mapped_column(String(50))
    department_id: Mapped[UUID | None] = mapped_column(ForeignKey("departments.id"))
    is_active: Mapped[bool] = mapped_column(server_default="true")
    folder: Mapped[str] = mapped_column(String(300), server_default="")
    bucket: Mapped[str] = mapped_column(String(63), server_default="")
    endpoint: Mapped[str] = mapped_column(String(300), server_default="")
    region: Mapped[str] = mapped_column(String(50), server_default="")
    drive_id: Mapped[str] = mapped_column(String(200), server_default="")
    tenant_id: Mapped[str] = mapped_column(String(100), server_default="")
    client_id: Mapped[str] = mapped_column(String(255), server_default="")
    api_url: Mapped[str] = mapped_column(String(300), server_default="")
    login_url: Mapped[str] = mapped_column(String(300), server_default="")
    secret_sealed: Mapped[bytes | None] = mapped_column(LargeBinary)
    version: Mapped[int] = mapped_column(server_default="1")

    @property
    def has_secret(self) -> bool:
        """Whether there is a credential."""
        return self.secret_sealed is not None


class CloudFileRef(Keyed, Timestamped, Base):
    """A file of a request or of its response, and how far it is on its way to its store."""

    __tablename__ = "cloud_file_refs"
    __table_args__ = (
        CheckConstraint("file_type IN ('request', 'response')", name="file_type"),
        CheckConstraint(
            "cloud_provider IN ('local', 's3', 'sharepoint', 'google-drive')", name="cloud_provider"
        ),
        CheckConstraint("file_size_bytes > 0", name="file_size_bytes"),
        CheckConstraint("sha256 ~ '^[0-9a-f]{64}$'", name="sha256"),
        CheckConstraint("sync_status IN ('pending', 'synced', 'failed')", name="sync_status"),
        CheckConstraint("(lease_token IS NULL) = (lease_until IS NULL)", name="lease"),
        CheckConstraint("response_id IS NULL OR file_type = 'response'", name="response"),
        CheckConstraint("(uploaded_at IS NOT NULL) = (sync_status = 'synced')", name="uploaded_at"),
        Index("ix_cloud_file_refs_request_id", "request_id", "created_at", "id"),
        Index("ix_cloud_file_refs_response_id", "response_id"),
        Index("ix_cloud_file_refs_department_id", "department_id"),
        Index("ix_cloud_file_refs_store_id", "store_id"),
        Index("ix_cloud_file_refs_cloud_provider", "cloud_provider"),
        Index("ix_cloud_file_refs_sync_status", "sync_status", "created_at", "id"),
        Index("ix_cloud_file_refs_created_at", "created_at", "id"),
        Index(
            "ix_cloud_file_refs_due",
            "next_attempt_at",
            "id",
            postgresql_where=text("sync_status = 'pending'"),
        ),
    )

    request_id: Mapped[UUID] = mapped_column(ForeignKey("device_requests.id", ondelete="CASCADE"))
    # Of a file that belongs to the answer, once there is one.
    response_id: Mapped[UUID | None] = mapped_column(ForeignKey("responses.id", ondelete="CASCADE"))
    # The request's, kept in step by triggers.
    department_id: Mapped[UUID | None] = mapped_column(ForeignKey("departments.id"))
    store_id: Mapped[UUID] = mapped_column(ForeignKey("cloud_stores.id"))
    name: Mapped[str] = mapped_column(String(255))
    media_type: Mapped[str] = mapped_column(String(100), server_default="application/octet-stream")
    file_type: Mapped[str] = mapped_column(String(50), server_default="request")
    cloud_provider: Mapped[str] = mapped_column(String(50))
    cloud_path: Mapped[str] = mapped_column(String(500))
    # What the store itself calls it, where that is not its path.
    remote_id: Mapped[str] = mapped_column(String(200), server_default="")
    file_size_bytes: Mapped[int] = mapped_column(BigInteger)
    sha256: Mapped[str] = mapped_column(String(64))
    uploaded_by: Mapped[str] = mapped_column(String(255), server_default="")
    # When the store had all of it.
    uploaded_at: Mapped[datetime | None]
    sync_status: Mapped[str] = mapped_column(String(50), server_default="pending")
    # Since it came, since a part of it was taken, or since a person tried again.
    attempts: Mapped[int] = mapped_column(server_default="0")
    next_attempt_at: Mapped[datetime] = mapped_column(server_default=func.now())
    problem: Mapped[str] = mapped_column(String(500), server_default="")
    lease_token: Mapped[UUID | None]
    lease_until: Mapped[datetime | None]
    # Where an upload goes on: a store's session, sealed, and how far it is.
    upload_sealed: Mapped[bytes | None] = mapped_column(LargeBinary)
    uploaded_bytes: Mapped[int] = mapped_column(BigInteger, server_default="0")
    version: Mapped[int] = mapped_column(server_default="1")


class CloudFileRemoval(Keyed, Base):
    """What a store still holds of a file that is gone here; the key is the file's."""

    __tablename__ = "cloud_file_removals"
    __table_args__ = (
        Index("ix_cloud_file_removals_store_id", "store_id"),
        Index("ix_cloud_file_removals_next_attempt_at", "next_attempt_at", "id"),
    )

    store_id: Mapped[UUID] = mapped_column(ForeignKey("cloud_stores.id", ondelete="CASCADE"))
    cloud_path: Mapped[str] = mapped_column(String(500))
    remote_id: Mapped[str] = mapped_column(String(200), server_default="")
    attempts: Mapped[int] = mapped_column(server_default="0")
    next_attempt_at: Mapped[datetime] = mapped_column(server_default=func.now())
    problem: Mapped[str] = mapped_column(String(500), server_default="")
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
