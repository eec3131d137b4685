"""The tables of what people add to objects and lists."""

from uuid import UUID

from sqlalchemy import ForeignKey, Index, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

import fleetkeeper.annotations.words  # noqa: F401 - declares what the log and constraints are called
from fleetkeeper.database.base import Base, Keyed, Timestamped


class SavedView(Keyed, Timestamped, Base):
    """Search, filters, order and columns of a list under a name: what stands after `?` in its address."""

    __tablename__ = "saved_views"
    __table_args__ = (
        UniqueConstraint("owner_id", "path", "name"),
        Index("ix_saved_views_path", "path", "name"),
    )

    owner_id: Mapped[UUID] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    path: Mapped[str] = mapped_column(String(200))
    name: Mapped[str] = mapped_column(String(100))
    query: Mapped[str] = mapped_column(Text, server_default="")
    is_shared: Mapped[bool] = mapped_column(server_default="false")
