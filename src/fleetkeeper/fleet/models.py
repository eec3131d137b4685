"""Enrollment tokens and agents."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ARRAY, ForeignKey, LargeBinary, String
from sqlalchemy.dialects.postgresql import CIDR
from sqlalchemy.orm import Mapped, mapped_column

import fleetkeeper.fleet.words  # noqa: F401 - declares what the log leaves out
from fleetkeeper.database.base import Base, Keyed


class EnrollmentToken(Keyed, Base):
    """Lets a machine enroll, `max_uses` times, until it expires. Only the hash is stored."""

    __tablename__ = "enrollment_tokens"

    name: Mapped[str] = mapped_column(String(100))
    secret_hash: Mapped[bytes] = mapped_column(LargeBinary, unique=True)
    max_uses: Mapped[int] = mapped_column(server_default="1")
    uses: Mapped[int] = mapped_column(server_default="0")
    created_by: Mapped[UUID | None] = mapped_column(ForeignKey("users.id", ondelete="SET NULL"))
    created_at: Mapped[datetime] = mapped_column(index=True)
    expires_at: Mapped[datetime]
    # Devices that enroll with it belong to this department from the start.
    department_id: Mapped[UUID | None] = mapped_column(
        ForeignKey("departments.id", ondelete="CASCADE"), index=True
    )
    # The one device that it enrolls again; NULL makes a new one.
    device_id: Mapped[UUID | None] = mapped_column(ForeignKey("devices.id", ondelete="CASCADE"), index=True)
    # From where it may be used; NULL is from anywhere.
    allowed_networks: Mapped[list[str] | None] = mapped_column(ARRAY(CIDR))
    last_used_at: Mapped[datetime | None]
    revoked_at: Mapped[datetime | None]


class Agent(Base):
    """The agent on a device: its version, its last contact, and which collectors work there."""

    __tablename__ = "agents"

    device_id: Mapped[UUID] = mapped_column(ForeignKey("devices.id", ondelete="CASCADE"), primary_key=True)
    version: Mapped[str | None] = mapped_column(String(300))
    enrolled_at: Mapped[datetime] = mapped_column(index=True)
    enrolled_with: Mapped[UUID | None] = mapped_column(
        ForeignKey("enrollment_tokens.id", ondelete="SET NULL")
    )
    last_contact: Mapped[datetime | None]
    # [{"name", "status", "reason"}], as the agent says.
    collectors: Mapped[list[Any]] = mapped_column(server_default="[]")
