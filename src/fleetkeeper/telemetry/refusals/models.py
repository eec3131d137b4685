"""The table of refused samples."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import BigInteger, ForeignKey, Identity, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from fleetkeeper.database.base import Base


class RefusedSamples(Base):
    """Samples of one protocol and department that were refused for one reason: how many, and the newest example.

    `samples` counts since `first_seen`. Without a department are those of senders that write for several, and of
    devices that belong to none.
    """

    __tablename__ = "refused_samples"
    __table_args__ = (
        Index(
            "uq_refused_samples_department_id_protocol_reason",
            "department_id",
            "protocol",
            "reason",
            unique=True,
            postgresql_nulls_not_distinct=True,
        ),
    )

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    department_id: Mapped[UUID | None] = mapped_column(ForeignKey("departments.id", ondelete="CASCADE"))
    protocol: Mapped[str] = mapped_column(String(20))
    reason: Mapped[str] = mapped_column(String(40))
    samples: Mapped[int] = mapped_column(BigInteger)
    first_seen: Mapped[datetime]
    last_seen: Mapped[datetime]
    sentence: Mapped[str] = mapped_column(String(500))
    example: Mapped[str] = mapped_column(String(300))
    device_id: Mapped[UUID | None] = mapped_column(ForeignKey("devices.id", ondelete="SET NULL"))
    token_id: Mapped[UUID | None] = mapped_column(ForeignKey("api_tokens.id", ondelete="SET NULL"))
