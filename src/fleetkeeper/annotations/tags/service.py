"""Making, changing and deleting tags, and giving them to objects."""

import re
import unicodedata
from collections.abc import Collection, Sequence
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from fleetkeeper.annotations.models import Tag
from fleetkeeper.annotations.objects import check_writable
from fleetkeeper.annotations.tags import queries
from fleetkeeper.annotations.tags.schemas import TagPage, TagRead, TagWrite
from fleetkeeper.database.constraints import told_by_name
from fleetkeeper.errors import ConflictError, FieldError, InvalidInputError, NotFoundError
from fleetkeeper.identity.actor import Actor
from fleetkeeper.kit.etags import check_version

_NO_SLUG = re.compile(r"[^a-z0-9]+")
_LONGEST = 60
# Of one object.
MOST = 50
TOO_MANY = f"One object can have at most {MOST} tags; remove some first."


async def list_tags(session: AsyncSession, actor: Actor, parameters: Sequence[tuple[str, str]]) -> TagPage:
    """One page of tags."""
    del actor  # Tags belong to the whole installation.
    return await queries.LISTING.read(session, select(Tag), parameters, TagPage, _read_row)


async def all_tags(session: AsyncSession) -> list[TagRead]:
    """All tags by name."""
    return [TagRead.model_validate(one) for one in await session.scalars(select(Tag).order_by(Tag.name))]


async def get_tag(session: AsyncSession, actor: Actor, tag_id: UUID) -> TagRead:
    """One tag. Raises NotFoundError."""
    del actor
    return TagRead.model_validate(await _find(session, tag_id))


async def find_tag(session: AsyncSession, slug: str) -> TagRead:
    """A tag by its slug. Raises NotFoundError."""
    tag = await session.scalar(select(Tag).where(Tag.slug == slug))
    if tag is None:
        raise NotFoundError(f"There is no tag {slug}.")
    return TagRead.model_validate(tag)


async def create_tag(session: AsyncSession, actor: Actor, wanted: TagWrite) -> TagRead:
    """Make a tag. Raises ConflictError for a name or slug that is taken, InvalidInputError."""
    del actor
    tag = Tag(**wanted.model_dump() | {"slug": wanted.slug or slug_of(wanted.name)})
    async with told_by_name(session):
        session.add(tag)
    await session.refresh(tag)
    return TagRead.model_validate(tag)


async def change_tag(
    session: AsyncSession, actor: Actor, tag_id: UUID, wanted: TagWrite, expected_version: int | None = None
) -> TagRead:
    """Change a tag. Raises NotFoundError, ConflictError, PreconditionError."""
    del actor
    tag = await _find(session, tag_id, is_locked=True)
    check_version("tag", tag.version, expected_version)
    async with told_by_name(session):
        for name, value in (wanted.model_dump() | {"slug": wanted.slug or tag.slug}).items():
            setattr(tag, name, value)
        tag.version += 1
    await session.refresh(tag)
    return TagRead.model_validate(tag)


async def delete_tag(session: AsyncSession, actor: Actor, tag_id: UUID) -> None:
    """Delete a tag: all objects lose it. Raises NotFoundError."""
    del actor
    await session.delete(await _find(session, tag_id))
    await session.flush()


async def assign_tag(
    session: AsyncSession, actor: Actor, tag_id: UUID, object_type: str, object_id: UUID
) -> None:
    """Give an object a tag. Raises NotFoundError, and ForbiddenError for an object that may not be changed."""
    await check_writable(session, actor, object_type, object_id)
    tag = await _find(session, tag_id)
    present = (await queries.slugs_by_object(session, object_type, [object_id])).get(object_id, set())
    if len(present | {tag.slug}) > MOST:
        raise ConflictError(TOO_MANY)
    await queries.assign(session, object_type, [object_id], [tag_id])


async def unassign_tag(
    session: AsyncSession, actor: Actor, tag_id: UUID, object_type: str, object_id: UUID
) -> None:
    """Take a tag from an object. Raises as giving does."""
    await check_writable(session, actor, object_type, object_id)
    await _find(session, tag_id)
    await queries.unassign(session, object_type, [object_id], [tag_id])


async def set_tags(
    session: AsyncSession, actor: Actor, object_type: str, object_id: UUID, slugs: Collection[str]
) -> None:
    """Let an object have these tags alone. Raises as giving does, and InvalidInputError for an unknown tag."""
    await check_writable(session, actor, object_type, object_id)
    wanted = set(slugs)
    present = (await queries.slugs_by_object(session, object_type, [object_id])).get(object_id, set())
    if len(wanted) > max(MOST, len(present)):
        raise ConflictError(TOO_MANY)
    ids = await ids_of(session, wanted | present)
    await queries.assign(session, object_type, [object_id], [ids[one] for one in wanted - present])
    await queries.unassign(session, object_type, [object_id], [ids[one] for one in present - wanted])


async def merge_tags(
    session: AsyncSession,
    actor: Actor,
    object_type: str,
    object_id: UUID,
    seen: Collection[str],
    wanted: Collection[str],
) -> None:
    """Change an object's tags from those that were seen to those that are wanted; others' changes stay.

    Raises as giving does, and InvalidInputError for an unknown tag.
    """
    await check_writable(session, actor, object_type, object_id)
    present = (await queries.slugs_by_object(session, object_type, [object_id])).get(object_id, set())
    added, removed = set(wanted) - set(seen), set(seen) - set(wanted)
    await set_tags(session, actor, object_type, object_id, (present | added) - removed)


async def ids_of(session: AsyncSession, slugs: Collection[str], field: str = "tags") -> dict[str, UUID]:
    """Tags by their slugs. Raises InvalidInputError that names the field for one that is not there."""
    rows = (await session.execute(select(Tag.slug, Tag.id).where(Tag.slug.in_(slugs)))).all()
    known = {row[0]: row[1] for row in rows}
    missing = sorted(set(slugs) - known.keys())
    if missing:
        message = f"There is no tag {', '.join(missing)}"
        raise InvalidInputError("Nothing was changed.", fields=[FieldError(field, message)])
    return known


def slug_of(name: str) -> str:
    """A name as a slug. Raises InvalidInputError for one without a letter or digit that could stand in it."""
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    slug = _NO_SLUG.sub("-", plain)[:_LONGEST].strip("-")
    if not slug:
        raise InvalidInputError(
            "The tag was not created.",
            fields=[FieldError("slug", "Required, as the name has no Latin letter")],
        )
    return slug


def _read_row(row: object) -> TagRead:
    return TagRead.model_validate(row[0])  # type: ignore[index]


async def _find(session: AsyncSession, tag_id: UUID, *, is_locked: bool = False) -> Tag:
    tag = await session.get(Tag, tag_id, with_for_update=is_locked or None)
    if tag is None:
        raise NotFoundError("There is no such tag.")
    return tag
