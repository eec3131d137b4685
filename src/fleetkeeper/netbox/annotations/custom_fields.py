"""`extras/custom-fields`: those of devices."""

from collections.abc import Sequence
from typing import Any, ClassVar

from sqlalchemy import select

from fleetkeeper.annotations.fields import service
from fleetkeeper.annotations.fields.queries import visible_to
from fleetkeeper.annotations.fields.schemas import FieldWrite
from fleetkeeper.annotations.models import CustomField
from fleetkeeper.approvals.schemas import ApprovalRead
from fleetkeeper.identity.permissions import Permission
from fleetkeeper.netbox.protocol.asked import Asked
from fleetkeeper.netbox.protocol.body import Body
from fleetkeeper.netbox.protocol.items import Item, Items
from fleetkeeper.netbox.protocol.kind import Choices, Told, labelled

TABLE = "devices"
OBJECT_TYPES = ("dcim.device", "virtualization.virtualmachine")
# What NetBox calls the kinds of fields, the usual one first, and what each is here.
KINDS = {
    "text": "text",
    "longtext": "text",
    "integer": "number",
    "decimal": "number",
    "boolean": "boolean",
    "date": "date",
    "select": "choice",
    "url": "url",
}
TYPES: Choices = {
    "text": "Text",
    "decimal": "Decimal",
    "boolean": "Boolean (true/false)",
    "date": "Date",
    "select": "Selection",
    "url": "URL",
}
_TOLD_TYPES = {"number": "decimal", "choice": "select"}
_TOLD_ONLY = (
    "url", "display", "display_url", "created", "last_updated", "data_type", "filter_logic", "search_weight",
    "ui_visible", "ui_editable", "is_cloneable", "related_object_type",
)  # fmt: skip


class CustomFields(Items):
    """Custom fields of devices, which are those of virtual machines, too."""

    path = "extras/custom-fields"
    model = "extras.customfield"
    noun = "Custom field"
    read = Permission.FIELDS_READ
    write = Permission.FIELDS_WRITE
    brief: ClassVar = ("id", "url", "display", "name", "description")
    choices: ClassVar = {"type": {**TYPES, "longtext": "Text (long)", "integer": "Integer"}}
    required: ClassVar = ("name", "type", "object_types")
    more_filters: ClassVar = ("label", "type", "required", "object_type", "object_types")
    written: ClassVar = (
        "object_types", "type", "name", "label", "description", "required", "default", "weight",
        "validation_regex", "choices",
    )  # fmt: skip

    async def all(self, asked: Asked) -> Sequence[Item]:
        """The fields of devices that the caller may see."""
        statement = visible_to(asked.actor).where(CustomField.object_type == TABLE)
        rows = await asked.session.scalars(statement.order_by(CustomField.position, CustomField.name))
        return [self._item(one) for one in rows]

    @staticmethod
    def _item(row: CustomField) -> Item:
        values = {
            "label": row.label,
            "type": _TOLD_TYPES.get(row.kind, row.kind),
            "required": row.is_required,
            "object_type": frozenset(OBJECT_TYPES),
            "object_types": frozenset(OBJECT_TYPES),
        }
        return Item(row.number, row.name, row.name, row.description, values, row)

    async def create(self, asked: Asked, data: Any) -> Told:
        """Make a field of devices."""
        body = Body(data, ("name", "type"))
        self._check_types(body)
        wanted = self._wanted(body, None)
        body.finish(_TOLD_ONLY)
        made = await service.create_field(asked.session, asked.actor, FieldWrite(**wanted))
        return await self._told_anew(asked, made.id)

    async def change(self, asked: Asked, number: int, data: Any) -> Told:
        """Change a field."""
        row: CustomField = (await self.find(asked, number)).source
        body = Body(data)
        if body.has("object_types") or body.has("content_types"):
            self._check_types(body)
        wanted = self._wanted(body, row)
        body.finish(_TOLD_ONLY)
        await service.change_field(asked.session, asked.actor, row.id, FieldWrite(**wanted))
        return await self._told_anew(asked, row.id)

    async def delete(self, asked: Asked, number: int) -> ApprovalRead | None:
        """Delete a field with its values."""
        await service.delete_field(asked.session, asked.actor, (await self.find(asked, number)).source.id)
        asked.forget()
        return None

    async def tell(self, asked: Asked, items: Sequence[Item]) -> list[Told]:
        """As NetBox tells of custom fields."""
        return [self._told(asked, one) for one in items]

    def _told(self, asked: Asked, item: Item) -> Told:
        row: CustomField = item.source
        kinds = {"number": "decimal", "boolean": "boolean", "date": "date"}
        return {
            "id": item.number,
            "url": asked.url(self.path, item.number),
            "display_url": asked.page(f"/custom-fields/{row.id}"),
            "display": row.label,
            "object_types": list(OBJECT_TYPES),
            "type": labelled(TYPES, item.values["type"]),
            "related_object_type": None,
            "data_type": kinds.get(row.kind, "string"),
            "name": row.name,
            "label": row.label,
            "group_name": "",
            "description": row.description,
            "required": row.is_required,
            "unique": False,
            "search_weight": 1000,
            "filter_logic": {"value": "exact", "label": "Exact"},
            "ui_visible": {"value": "always", "label": "Always"},
            "ui_editable": {"value": "yes", "label": "Yes"},
            "is_cloneable": False,
            "default": row.default or None,
            "weight": row.position,
            "validation_minimum": None,
            "validation_maximum": None,
            "validation_regex": row.pattern,
            "choice_set": None,
            "choices": list(row.choices),
            "comments": "",
            "created": row.created_at,
            "last_updated": row.updated_at,
        }

    def _wanted(self, body: Body, row: CustomField | None) -> dict[str, Any]:
        wanted: dict[str, Any] = {"object_type": TABLE}
        if row is not None:
            wanted = {name: getattr(row, name) for name in FieldWrite.model_fields}
        for theirs, ours, longest in (
            ("name", "name", 60),
            ("description", "description", 2000),
            ("validation_regex", "pattern", 200),
            ("label", "label", 100),
        ):
            if body.has(theirs):
                wanted[ours] = body.text(theirs, longest)
        wanted["label"] = wanted.get("label") or str(wanted.get("name", "")).replace("_", " ").capitalize()
        if body.has("type") and (kind := body.choice("type", KINDS)) is not None:
            wanted["kind"] = KINDS[kind]
        if body.has("required"):
            wanted["is_required"] = body.flag("required", default=False)
        if body.has("weight"):
            wanted["position"] = body.whole("weight", 10_000)
            wanted["position"] = 100 if wanted["position"] is None else wanted["position"]
        if body.has("default"):
            default = body.raw("default")
            shown = str(default).lower() if isinstance(default, bool) else str(default)
            wanted["default"] = "" if default is None else shown[:500]
        if body.has("choices"):
            told = body.raw("choices")
            if not isinstance(told, list) or not all(isinstance(one, str) for one in told):
                body.refuse("choices", "Must be a list of texts.")
            else:
                wanted["choices"] = told
        return wanted

    @staticmethod
    def _check_types(body: Body) -> None:
        # NetBox before 4.0 calls them so.
        told = body.raw("object_types") or body.raw("content_types")
        if not isinstance(told, list) or not told or not all(one in OBJECT_TYPES for one in told):
            body.refuse("object_types", f"Only {' and '.join(OBJECT_TYPES)} have custom fields here.")

    async def _told_anew(self, asked: Asked, key: Any) -> Told:
        asked.forget()
        row = await asked.session.scalar(
            select(CustomField).where(CustomField.id == key).execution_options(populate_existing=True)
        )
        return self._told(asked, self._item(row)) if row is not None else {}

    async def values(self, asked: Asked, told: dict[str, Any]) -> dict[str, Any]:
        """An object's values, those that it lacks among them, as NetBox tells them."""
        names = {one.name: None for one in await self.known(asked)} if self._may(asked) else {}
        return {**names, **told}

    @staticmethod
    def _may(asked: Asked) -> bool:
        return asked.actor.may(Permission.FIELDS_READ)


CUSTOM_FIELDS = CustomFields()
