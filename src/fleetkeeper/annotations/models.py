"""The tables of what people add to objects and lists."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import ForeignKey, Index, String, Text, UniqueConstraint, text
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


class Tag(Keyed, Timestamped, Base):
    """A word for objects, with a color. `slug` is what filters call it."""

    __tablename__ = "tags"

    name: Mapped[str] = mapped_column(String(100), unique=True)
    slug: Mapped[str] = mapped_column(String(60), unique=True)
    color: Mapped[str] = mapped_column(String(10), server_default="gray")
    description: Mapped[str] = mapped_column(String(2000), server_default="")
    version: Mapped[int] = mapped_column(server_default="1")


class Tagged(Base):
    """An object has a tag. `object_type` is the name of the object's table."""

    __tablename__ = "tagged"
    __table_args__ = (Index("ix_tagged_object_id", "object_id", "object_type"),)

    tag_id: Mapped[UUID] = mapped_column(ForeignKey("tags.id", ondelete="CASCADE"), primary_key=True)
    object_type: Mapped[str] = mapped_column(String(63), primary_key=True)
    object_id: Mapped[UUID] = mapped_column(primary_key=True)


class Note(Keyed, Base):
    """What somebody wrote on an object, in Markdown. `author` is the name that they had then."""

    __tablename__ = "notes"
    __table_args__ = (Index("ix_notes_object_id", "object_id", "object_type", "created_at", "id"),)

    object_type: Mapped[str] = mapped_column(String(63))
    object_id: Mapped[UUID]
    body: Mapped[str] = mapped_column(Text)
    author_id: Mapped[UUID | None] = mapped_column(ForeignKey("users.id", ondelete="SET NULL"), index=True)
    author: Mapped[str] = mapped_column(String(300), server_default="")
    created_at: Mapped[datetime] = mapped_column(server_default=text("now()"))
    edited_at: Mapped[datetime | None]
