"""`/custom-fields`."""

from sqlalchemy.ext.asyncio import AsyncSession

from fleetkeeper.annotations.fields import service
from fleetkeeper.annotations.fields.filters import PREFIX
from fleetkeeper.annotations.fields.queries import LISTING
from fleetkeeper.annotations.fields.schemas import FieldRead, FieldWrite
from fleetkeeper.annotations.objects import KINDS
from fleetkeeper.console.contexts.lists import Empty
from fleetkeeper.console.contexts.panels import Cell, Option, Tag
from fleetkeeper.console.forms.form import Form, Widget
from fleetkeeper.console.forms.schema_fields import words_of
from fleetkeeper.console.lists.declaring import Choice, Column, ListPage, QuickFilter
from fleetkeeper.console.navigation import Place, declare
from fleetkeeper.console.objects import Objects, Options, Service, departments, object_pages
from fleetkeeper.devices.annotating import TABLE as DEVICES
from fleetkeeper.identity.actor import Actor
from fleetkeeper.identity.permissions import Permission

HOME = "/custom-fields"
declare(
    Place(
        HOME,
        "Custom fields",
        "table",
        Permission.FIELDS_READ,
        parent="/devices",
        order=26,
        words="attributes properties annotations",
    )
)
_KINDS = {
    "text": ("Text", "One line of up to 500 characters"),
    "number": ("Number", ""),
    "boolean": ("Yes or no", ""),
    "date": ("Date", ""),
    "choice": ("Choice", "One of the choices below"),
    "url": ("URL", "Shown as a link"),
}


def _kind(one: FieldRead) -> Cell:
    return Cell(_KINDS[one.kind][0])


def _flags(one: FieldRead) -> Cell:
    flags = (("Required", "", one.is_required), ("Sensitive", "warning", one.is_sensitive))
    return Cell(tags=tuple(Tag(text, tone) for text, tone, is_so in flags if is_so))


def _values(one: FieldRead) -> Cell:
    count = one.value_count or 0
    text = "1 object has a value" if count == 1 else f"{count:,} objects have a value"
    # No other list filters by custom fields.
    is_filtered = count and one.object_type == DEVICES
    return Cell(text, f"/devices?{PREFIX}{one.name}__isnull=false" if is_filtered else "")


def _deletion(one: FieldRead) -> str:
    return f"{_values(one).text}, which is deleted, too. This cannot be undone."


async def _options(session: AsyncSession, actor: Actor) -> Options:
    return {
        **await departments(Permission.FIELDS_WRITE)(session, actor),
        "object_type": [Option(one.table, one.title.capitalize()) for one in KINDS.values()],
        "kind": [Option(name, label, hint=hint) for name, (label, hint) in _KINDS.items()],
    }


PAGE: ListPage[FieldRead] = ListPage(
    path=HOME,
    title="Custom fields",
    noun=("field", "fields"),
    listing=LISTING,
    search="Label, name or description",
    quick=(
        QuickFilter(
            "kind",
            "Kind",
            tuple(Choice(name, label) for name, (label, _) in _KINDS.items()),
            everything="All kinds",
        ),
    ),
    columns=(
        Column("label", "Label", lambda one: Cell(one.label, f"{HOME}/{one.id}"), sort="label"),
        Column("name", "Name", lambda one: Cell(PREFIX + one.name, is_soft=True), sort="name"),
        Column("kind", "Kind", _kind, sort="kind"),
        Column("object_type", "Object", lambda one: Cell(words_of(one.object_type)), sort="object_type"),
        Column("flags", "Rules", _flags),
        Column("position", "Order", lambda one: Cell(str(one.position)), sort="position"),
    ),
    titles={"id": "ID", "department_id": "Department ID"},
    export="/api/v1/custom-fields/export",
    exports_columns=False,
    empty=Empty(
        "No custom fields yet",
        "Custom fields hold what your organization keeps about devices, such as asset tags. Create one above.",
    ),
)
FORM = Form(
    FieldWrite,
    "field",
    "Field",
    "Save",
    {
        "label": "Label",
        "name": Widget(
            "Name", hint="Used in filters after cf_, such as asset_tag. Default: made from the label"
        ),
        "object_type": "Object",
        "description": Widget("Description", hint="Shown below the field"),
        "kind": Widget("Kind", kind="choice"),
        "choices": Widget(
            "Choices", hint="Separated by commas", kind="text", is_required=False, only_if="kind=choice"
        ),
        "pattern": Widget("Pattern", hint="Regular expression (RE2) that the whole text or URL must match"),
        "default": Widget("Default", hint="Value of new devices", kind="text"),
        "position": Widget("Order", hint="Fields with a lower number come first"),
        "department_id": Widget(
            "Department", hint="Only devices in it and in departments below have the field"
        ),
        "is_required": Widget("Required", hint="People who edit custom fields must fill it in"),
        "is_sensitive": Widget(
            "Sensitive", hint="Encrypted, and shown only to people who may reveal it. Text fields only"
        ),
    },
)
router = object_pages(
    Objects(
        page=PAGE,
        table="custom_fields",
        read=Permission.FIELDS_READ,
        write=Permission.FIELDS_WRITE,
        service=Service(
            service.list_fields,
            service.get_field,
            service.create_field,
            service.change_field,
            service.delete_field,
        ),
        form=FORM,
        name=lambda one: one.label,
        facts=lambda one: (
            ("Name", Cell(PREFIX + one.name)),
            ("Object", Cell(words_of(one.object_type))),
            ("Kind", _kind(one)),
            ("Choices", Cell(", ".join(one.choices))),
            ("Rules", _flags(one)),
            ("Pattern", Cell(one.pattern)),
            ("Default", Cell(one.default)),
            ("Description", Cell(one.description)),
            ("Values", _values(one)),
        ),
        options=_options,
        deletion=_deletion,
    )
)
