"""The tables of what people add to objects and lists."""

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    CheckConstraint,
    ColumnElement,
    Double,
    ForeignKey,
    Index,
    LargeBinary,
    String,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

import fleetkeeper.annotations.words  # noqa: F401 - declares what the log and constraints are called
from fleetkeeper.database.base import Base, Keyed, Numbered, Timestamped


class SavedView(Keyed, Timestamped, Base):
    """Search, filters, order and columns of a list under a name: what stands after `?` in its address."""

    __tablename__ = "saved_views"
    __table_args__ = (
        UniqueConstraint("owner_id", "path", "name"),
        Index("ix_saved_views_path", "path", "name"),
        Index("uq_saved_views_default", "owner_id", "path", unique=True, postgresql_where=text("is_default")),
    )

    owner_id: Mapped[UUID] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    path: Mapped[str] = mapped_column(String(200))
    name: Mapped[str] = mapped_column(String(100))
    query: Mapped[str] = mapped_column(Text, server_default="")
    is_shared: Mapped[bool] = mapped_column(server_default="false")
    # What its owner sees of the list at first.
    is_default: Mapped[bool] = mapped_column(server_default="false")


class Tag(Keyed, Numbered, Timestamped, Base):
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
    __table_args__ = (
        Index("ix_notes_object_id", "object_id", "object_type", "created_at", "id"),
        Index("ix_notes_search", "body", postgresql_using="gin", postgresql_ops={"body": "gin_trgm_ops"}),
    )

    object_type: Mapped[str] = mapped_column(String(63))
    object_id: Mapped[UUID]
    body: Mapped[str] = mapped_column(Text)
    author_id: Mapped[UUID | None] = mapped_column(ForeignKey("users.id", ondelete="SET NULL"), index=True)
    author: Mapped[str] = mapped_column(String(300), server_default="")
    created_at: Mapped[datetime] = mapped_column(server_default=text("now()"))
    edited_at: Mapped[datetime | None]


class CustomField(Keyed, Numbered, Timestamped, Base):
    """A field that administrators give to a kind of object. Without a department all objects of the kind have it."""

    __tablename__ = "custom_fields"
    __table_args__ = (UniqueConstraint("object_type", "name"),)

    object_type: Mapped[str] = mapped_column(String(63))
    name: Mapped[str] = mapped_column(String(60))
    label: Mapped[str] = mapped_column(String(100))
    description: Mapped[str] = mapped_column(String(2000), server_default="")
    kind: Mapped[str] = mapped_column(String(10))
    choices: Mapped[list[Any]] = mapped_column(server_default="[]")
    is_required: Mapped[bool] = mapped_column(server_default="false")
    is_sensitive: Mapped[bool] = mapped_column(server_default="false")
    pattern: Mapped[str] = mapped_column(String(200), server_default="")
    # As it would be entered; empty where there is none.
    default: Mapped[str] = mapped_column("default_text", String(500), server_default="")
    position: Mapped[int] = mapped_column(server_default="100")
    department_id: Mapped[UUID | None] = mapped_column(ForeignKey("departments.id"), index=True)
    version: Mapped[int] = mapped_column(server_default="1")


def _only(column: str) -> ColumnElement[bool]:
    return text(f"{column} IS NOT NULL")  # type: ignore[return-value]


class CustomValue(Base):
    """What a custom field says of one object: in the column of its kind, or sealed."""

    __tablename__ = "custom_values"
    __table_args__ = (
        CheckConstraint(
            "num_nonnulls(value_text, value_number, value_boolean, value_date, value_sealed) = 1",
            name="value",
        ),
        Index("ix_custom_values_field_id", "field_id"),
        Index("ix_custom_values_text", "field_id", "value_text", postgresql_where=_only("value_text")),
        Index("ix_custom_values_number", "field_id", "value_number", postgresql_where=_only("value_number")),
        Index("ix_custom_values_date", "field_id", "value_date", postgresql_where=_only("value_date")),
    )

    object_id: Mapped[UUID] = mapped_column(primary_key=True)
    field_id: Mapped[UUID] = mapped_column(
        ForeignKey("custom_fields.id", ondelete="CASCADE"), primary_key=True
    )
    object_type: Mapped[str] = mapped_column(String(63))
    # What the field was called as the row was written: the audit log calls the value by it.
    field_name: Mapped[str] = mapped_column(String(60))
    value_text: Mapped[str | None] = mapped_column(String(500))
    value_number: Mapped[float | None] = mapped_column(Double)
    value_boolean: Mapped[bool | None]
    value_date: Mapped[date | None]
    value_sealed: Mapped[bytes | None] = mapped_column(LargeBinary)


class Attachment(Keyed, Base):
    """A file on an object. `author` is the name that who added it had then."""

    __tablename__ = "attachments"
    __table_args__ = (
        Index("ix_attachments_object_id", "object_id", "object_type", "created_at", "id"),
        Index(
            "ix_attachments_search", "name", postgresql_using="gin", postgresql_ops={"name": "gin_trgm_ops"}
        ),
    )

    object_type: Mapped[str] = mapped_column(String(63))
    object_id: Mapped[UUID]
    name: Mapped[str] = mapped_column(String(255))
    media_type: Mapped[str] = mapped_column(String(100))
    size_bytes: Mapped[int]
    sha256: Mapped[bytes] = mapped_column(LargeBinary)
    author_id: Mapped[UUID | None] = mapped_column(ForeignKey("users.id", ondelete="SET NULL"), index=True)
    author: Mapped[str] = mapped_column(String(300), server_default="")
    created_at: Mapped[datetime] = mapped_column(server_default=text("now()"))


class AttachmentPart(Base):
    """A part of a file's content."""

    __tablename__ = "attachment_parts"

    attachment_id: Mapped[UUID] = mapped_column(
        ForeignKey("attachments.id", ondelete="CASCADE"), primary_key=True
    )
    number: Mapped[int] = mapped_column(primary_key=True)
    data: Mapped[bytes] = mapped_column(LargeBinary)


class Bookmark(Keyed, Base):
    """A page that somebody has marked, by its address in the console and the title that it had then."""

    __tablename__ = "bookmarks"
    __table_args__ = (UniqueConstraint("owner_id", "path"),)

    owner_id: Mapped[UUID] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    path: Mapped[str] = mapped_column(String(2000))
    title: Mapped[str] = mapped_column(String(255))
    created_at: Mapped[datetime] = mapped_column(server_default=text("now()"))
