"""What people added to an object, on its page: notes, custom fields and files as tabs, and its tags."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from fastapi import Request
from sqlalchemy.ext.asyncio import AsyncSession

from fleetkeeper.annotations.objects import find_with_rights
from fleetkeeper.annotations.schemas import object_name
from fleetkeeper.annotations.tags.queries import slugs_by_object
from fleetkeeper.annotations.tags.schemas import TagRead
from fleetkeeper.annotations.tags.service import all_tags
from fleetkeeper.console.contexts.panels import EntryForm, Table, Tag
from fleetkeeper.console.details import Panels, Tab
from fleetkeeper.console.field_panels import field_panels, fields_of, values_address
from fleetkeeper.console.file_panels import file_panels
from fleetkeeper.console.note_panels import notes_of
from fleetkeeper.console.tag_panels import shown_tags, tags_form
from fleetkeeper.identity.actor import Actor
from fleetkeeper.identity.permissions import Permission
from fleetkeeper.kit.services import services_of
from fleetkeeper.settings import Settings
from fleetkeeper.settings.attachments import AttachmentSettings

NO_FIELDS = Table(
    "custom-fields",
    "Custom fields",
    ("Field", "Value"),
    (),
    empty="No custom fields for this kind of object yet. Administrators define them under Custom fields.",
)


@dataclass(frozen=True)
class Annotating:
    """An object, who looks at it, and whether they may add to it."""

    session: AsyncSession
    actor: Actor
    limits: AttachmentSettings
    table: str
    id: UUID
    department_id: UUID | None
    may_write: bool
    # Some see an object, but not what is added to it.
    may_read: bool = True
    # All tags there are, and the slugs of the object's.
    tags: Sequence[TagRead] = ()
    slugs: Sequence[str] = ()

    @property
    def shown_tags(self) -> tuple[Tag, ...]:
        """The object's tags in their colors."""
        return shown_tags(self.tags, self.slugs)

    @property
    def tags_form(self) -> EntryForm | None:
        """The form that says which tags it has, for those who may."""
        return tags_form(self.tags, self.slugs, self.table, self.id) if self.may_write else None


async def annotating(
    request: Request, session: AsyncSession, actor: Actor, table: str, key: UUID
) -> Annotating:
    """An object as its page needs it; of a kind that nothing can be added to, there is nothing to see."""
    limits = services_of(request).get(Settings).attachments
    found = await find_with_rights(session, actor, table, key)
    if found is None:
        return Annotating(session, actor, limits, table, key, None, may_write=False, may_read=False)
    known, may_write = found
    tags = await all_tags(session)
    slugs = (await slugs_by_object(session, table, [key])).get(key, set()) if tags else ()
    return Annotating(
        session, actor, limits, table, key, known.department_id, may_write, tags=tags, slugs=sorted(slugs)
    )


def annotation_tabs(about: Annotating) -> list[Tab | None]:
    """The tabs that any object has."""
    if not about.may_read:
        return []

    async def fields() -> Panels:
        found = await fields_of(about.session, about.actor, about.table, about.id)
        return (
            [NO_FIELDS]
            if found is None
            else field_panels(
                about.actor,
                found,
                values_address(about.table, about.id),
                about.department_id,
                may_write=about.may_write,
            )
        )

    async def notes() -> Panels:
        return [
            await notes_of(
                about.session, about.actor, object_name(about.table, about.id), may_write=about.may_write
            )
        ]

    async def files() -> Panels:
        return await file_panels(
            about.session, about.actor, about.limits, about.table, about.id, may_write=about.may_write
        )

    return [
        Tab("fields", "Custom fields", fields) if about.actor.may(Permission.FIELDS_READ) else None,
        Tab("notes", "Notes", notes),
        Tab("files", "Files", files),
    ]
