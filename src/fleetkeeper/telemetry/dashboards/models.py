"""The table of dashboards."""

from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, text
from sqlalchemy.orm import Mapped, mapped_column

from fleetkeeper.database.base import Base, Keyed, Timestamped


class Dashboard(Keyed, Timestamped, Base):
    """One dashboard; `version` grows with each change.

    `slug` stands in its address: no two for everyone have the same, and no two private ones of a person.
    """

    __tablename__ = "dashboards"
    __table_args__ = (
        CheckConstraint("visibility IN ('private', 'everyone')", name="visibility"),
        CheckConstraint("default_for IS NULL OR visibility = 'everyone'", name="default_is_shared"),
        Index("ix_dashboards_name", "name", "id"),
        Index(
            "uq_dashboards_default_for",
            "default_for",
            unique=True,
            postgresql_where=text("default_for IS NOT NULL"),
        ),
        Index(
            "uq_dashboards_slug_shared", "slug", unique=True, postgresql_where=text("visibility = 'everyone'")
        ),
        Index(
            "uq_dashboards_slug_own",
            "owner_id",
            "slug",
            unique=True,
            postgresql_where=text("visibility = 'private'"),
        ),
    )

    slug: Mapped[str] = mapped_column(String(80), index=True)
    name: Mapped[str] = mapped_column(String(120))
    description: Mapped[str] = mapped_column(String(500), server_default="")
    definition: Mapped[dict[str, Any]]
    # Of a user who is gone nothing is left but the dashboard.
    owner_id: Mapped[UUID | None] = mapped_column(ForeignKey("users.id", ondelete="SET NULL"), index=True)
    visibility: Mapped[str] = mapped_column(String(20), server_default="private")
    # `fleet` or a type of devices, whose dashboard this is instead of the one that the product brings.
    default_for: Mapped[str | None] = mapped_column(String(50))
    version: Mapped[int] = mapped_column(server_default="1")
    created_by: Mapped[str] = mapped_column(String(300), server_default="")
    updated_by: Mapped[str] = mapped_column(String(300), server_default="")
