"""Places."""

from uuid import UUID

from sqlalchemy import CheckConstraint, Computed, ForeignKey, Index, String, Text, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

import fleetkeeper.devices.words  # noqa: F401 - declares what the log and constraints are called
from fleetkeeper.database.base import Base, Keyed, Numbered, Timestamped


class Location(Keyed, Numbered, Timestamped, Base):
    """A place within another one, or at the top."""

    __tablename__ = "locations"
    __table_args__ = (
        CheckConstraint(
            "location_type IN ('region', 'site', 'building', 'floor', 'room', 'rack', 'depot', 'warehouse', 'store', "
            "'garage', 'vehicle', 'other')",
            name="location_type",
        ),
        UniqueConstraint("parent_id", "name", postgresql_nulls_not_distinct=True),
        Index("ix_locations_department_id", "department_id"),
        Index("uq_locations_slug", "slug", unique=True, postgresql_where=text("slug IS NOT NULL")),
    )

    name: Mapped[str] = mapped_column(String(100))
    parent_id: Mapped[UUID | None] = mapped_column(ForeignKey("locations.id"))
    location_type: Mapped[str] = mapped_column(String(30), server_default="site")
    department_id: Mapped[UUID | None] = mapped_column(ForeignKey("departments.id"))
    # Document 001's name of it.
    dept_id: Mapped[UUID | None] = mapped_column(Computed("department_id", persisted=True))
    address: Mapped[str] = mapped_column(Text, server_default="")
    description: Mapped[str] = mapped_column(Text, server_default="")
    is_active: Mapped[bool] = mapped_column(server_default="true")
    # By which NetBox's clients know it; null: made from its name.
    slug: Mapped[str | None] = mapped_column(String(100))
    version: Mapped[int] = mapped_column(server_default="1")
