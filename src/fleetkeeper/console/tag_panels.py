"""Tags in lists and on the pages of objects."""

from collections.abc import Sequence
from dataclasses import replace

from fleetkeeper.annotations.tags.schemas import ObjectTags, TagRead
from fleetkeeper.console.contexts.panels import Entry, EntryForm, Option, Tag
from fleetkeeper.console.forms.form import Form, Widget

SEEN = "seen"
FORM = Form(ObjectTags, "edit-tags", "Edit tags", "Save tags", {"tags": Widget("Tags", kind="ticks")})


def shown_tags(tags: Sequence[TagRead], slugs: Sequence[str]) -> tuple[Tag, ...]:
    """An object's tags in their colors."""
    return tuple(Tag(one.name, one.color, one.description) for one in tags if one.slug in slugs)


def tag_options(tags: Sequence[TagRead]) -> tuple[Option, ...]:
    """Tags to choose from."""
    return tuple(Option(one.slug, one.name) for one in tags)


def tags_form(
    tags: Sequence[TagRead], slugs: Sequence[str], object_type: str, object_id: object
) -> EntryForm | None:
    """The form that says which tags an object has; none where there are no tags."""
    if not tags:
        return None
    # An object may have more tags than a form can be sent with.
    present = ObjectTags.model_construct(tags=list(slugs))
    shown = FORM.shown(
        f"/tags/objects/{object_type}/{object_id}", present, options={"tags": tag_options(tags)}
    )
    # What the sender saw: only what they changed of it is changed, whatever others did meanwhile.
    seen = Entry(SEEN, "", ",".join(slugs), kind="hidden")
    return replace(shown, entries=(*shown.entries, seen))
