"""Imports and their rows."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column

import fleetkeeper.devices.words  # noqa: F401 - declares what the log and constraints are called
from fleetkeeper.database.base import Base, Keyed, Timestamped


class DeviceImport(Keyed, Timestamped, Base):
    """A file of devices, how its columns are read, and what became of it."""

    __tablename__ = "device_imports"
    __table_args__ = (
        CheckConstraint(
            "status IN ('uploaded', 'checked', 'applying', 'applied', 'failed', 'undoing', 'undone')",
            name="status",
        ),
        Index("ix_device_imports_owner_id", "owner_id"),
    )

    # Null: a command on the server's machine.
    owner_id: Mapped[UUID | None] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    owner: Mapped[str] = mapped_column(String(255), server_default="")
    file_name: Mapped[str] = mapped_column(String(255))
    file_format: Mapped[str] = mapped_column(String(10))
    columns: Mapped[list[Any]]
    notes: Mapped[list[Any]] = mapped_column(server_default="[]")
    row_count: Mapped[int]
    # Fields by the names of their columns; null leaves a column out.
    mapping: Mapped[dict[str, Any]]
    identify_by: Mapped[str] = mapped_column(String(20), server_default="name")
    existing: Mapped[str] = mapped_column(String(10), server_default="update")
    empty_cells: Mapped[str] = mapped_column(String(10), server_default="keep")
    all_or_nothing: Mapped[str] = mapped_column(String(10), server_default="row")
    status: Mapped[str] = mapped_column(String(20), server_default="uploaded")
    reason: Mapped[str] = mapped_column(Text, server_default="")
    problem: Mapped[str] = mapped_column(Text, server_default="")
    # What whoever asked to apply or undo it may do, where: the job does no more.
    grants: Mapped[dict[str, Any]] = mapped_column(server_default="{}")
    applied_at: Mapped[datetime | None]
    undone_at: Mapped[datetime | None]
    version: Mapped[int] = mapped_column(server_default="1")


class DeviceImportRow(Keyed, Base):
    """A row of a file, and what becomes of it."""

    __tablename__ = "device_import_rows"
    __table_args__ = (
        Index("uq_device_import_rows_import_id_position", "import_id", "position", unique=True),
    )

    import_id: Mapped[UUID] = mapped_column(ForeignKey("device_imports.id", ondelete="CASCADE"))
    # Of the row in its file; the header is the first.
    position: Mapped[int]
    cells: Mapped[list[Any]]
    name: Mapped[str] = mapped_column(String(255), server_default="")
    device_id: Mapped[UUID | None]
    # What the dry run says: create, update, unchanged, wrong.
    outcome: Mapped[str] = mapped_column(String(20), server_default="")
    # What applying did: created, updated, failed.
    result: Mapped[str] = mapped_column(String(20), server_default="")
    # What undo did: deleted, restored, kept, held.
    undone: Mapped[str] = mapped_column(String(20), server_default="")
    # [{"field", "before", "after", "old"}]; `old` is the key behind a name.
    changes: Mapped[list[Any]] = mapped_column(server_default="[]")
    # Each has `field` and `message`.
    problems: Mapped[list[Any]] = mapped_column(server_default="[]")
    detail: Mapped[str] = mapped_column(Text, server_default="")
    # The device's fields right after it was created.
    made: Mapped[dict[str, Any]] = mapped_column(server_default="{}")
