"""`/tags`, and which of them an object has."""

from uuid import UUID

from fastapi import Request, Response

from fleetkeeper.annotations.objects import KINDS
from fleetkeeper.annotations.tags import service
from fleetkeeper.annotations.tags.queries import LISTING
from fleetkeeper.annotations.tags.schemas import TagRead, TagWrite
from fleetkeeper.console.contexts.lists import Empty
from fleetkeeper.console.contexts.panels import Cell, Tag
from fleetkeeper.console.forms.form import Form, Widget
from fleetkeeper.console.lists.declaring import Column, ListPage
from fleetkeeper.console.navigation import Place, declare
from fleetkeeper.console.objects import Objects, Service, object_pages
from fleetkeeper.console.panels import done
from fleetkeeper.console.requests import FormLists
from fleetkeeper.console.tag_panels import FORM as OBJECT_FORM
from fleetkeeper.console.tag_panels import SEEN
from fleetkeeper.database.request_session import Session
from fleetkeeper.identity.access import SignedIn
from fleetkeeper.identity.permissions import Permission

HOME = "/tags"
declare(
    Place(HOME, "Tags", "tag", Permission.TAGS_READ, parent="/devices", order=25, words="labels annotations")
)


def _shown(one: TagRead) -> Cell:
    return Cell(tags=(Tag(one.name, one.color),))


def _devices(one: TagRead) -> Cell:
    return Cell("Show devices", f"/devices?tag={one.slug}")


PAGE: ListPage[TagRead] = ListPage(
    path=HOME,
    title="Tags",
    noun=("tag", "tags"),
    listing=LISTING,
    search="Name, slug or description",
    columns=(
        Column("name", "Name", lambda one: Cell(one.name, f"{HOME}/{one.id}"), sort="name"),
        Column("shown", "Tag", _shown),
        Column("slug", "Slug", lambda one: Cell(one.slug), sort="slug"),
        Column("description", "Description", lambda one: Cell(one.description, is_soft=True)),
        Column("devices", "Devices", _devices),
    ),
    titles={"id": "ID"},
    export="/api/v1/tags/export",
    exports_columns=False,
    empty=Empty("No tags yet", "Tags group devices across departments and types. Create one above."),
)
router = object_pages(
    Objects(
        page=PAGE,
        table="tags",
        read=Permission.TAGS_READ,
        write=Permission.TAGS_WRITE,
        service=Service(
            service.list_tags, service.get_tag, service.create_tag, service.change_tag, service.delete_tag
        ),
        form=Form(
            TagWrite,
            "tag",
            "Tag",
            "Save",
            {
                "name": "Name",
                "color": "Color",
                "slug": Widget(
                    "Slug", hint="Used in filters, such as tag=web-servers. Default: made from the name"
                ),
                "description": "Description",
            },
        ),
        name=lambda one: one.name,
        facts=lambda one: (
            ("Tag", _shown(one)),
            ("Slug", Cell(one.slug)),
            ("Description", Cell(one.description)),
            ("Devices", _devices(one)),
        ),
        deletion="All devices lose the tag. This cannot be undone.",
    )
)


@router.post(HOME + "/objects/{object_type}/{object_id}")
async def change_tags(
    request: Request, object_type: str, object_id: UUID, sent: FormLists, actor: SignedIn, session: Session
) -> Response:
    """Say which tags an object has."""
    wanted = OBJECT_FORM.read(sent).tags
    seen = [slug for text in sent.get(SEEN, ()) for slug in text.split(",") if slug]
    await service.merge_tags(session, actor, object_type, object_id, seen, wanted)
    return done(request, KINDS[object_type].href.format(object_id))
