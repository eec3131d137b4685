"""The form by which people change many devices at once."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel, create_model

from fleetkeeper.annotations.fields.filters import PREFIX
from fleetkeeper.annotations.fields.schemas import FieldRead
from fleetkeeper.annotations.tags.schemas import TagRead
from fleetkeeper.console.contexts.panels import Option
from fleetkeeper.console.device_form import LIFECYCLES
from fleetkeeper.console.device_list import TYPES
from fleetkeeper.console.field_panels import INPUTS, value_options
from fleetkeeper.console.forms.form import Form, Widget
from fleetkeeper.console.forms.schema_fields import words_of
from fleetkeeper.console.lists.bulk import Words
from fleetkeeper.console.panels import department_options, model_of
from fleetkeeper.console.tag_panels import tag_options
from fleetkeeper.devices.schemas import DeviceBulkChanges
from fleetkeeper.errors import FieldError, InvalidInputError
from fleetkeeper.identity.departments.schemas import DepartmentRead

CLEAR = "clear"
DELETE_WORDS = Words(
    "Delete",
    "Will be deleted",
    "Deleted",
    "Cannot be deleted",
    "Not deleted",
    "Their keys stop working at once, and their telemetry is deleted. This cannot be undone.",
    removes=True,
)
_WIDGETS: Mapping[str, Widget | str] = {
    "device_type": "Type",
    "lifecycle": "Lifecycle",
    "location": "Location",
    "department_id": "Department",
    "add_tags": Widget("Add tags", kind="ticks"),
    "remove_tags": Widget("Remove tags", kind="ticks"),
}


@dataclass(frozen=True)
class DeviceBulkForm:
    """The form as its reader has it: `departments` are those that they may put devices into."""

    departments: Sequence[DepartmentRead]
    tags: Sequence[TagRead]
    fields: Sequence[FieldRead]
    # Whether they may leave devices without a department.
    with_nobodys: bool

    @property
    def form(self) -> Form[BaseModel]:
        """A field for each thing that can be set, and one for those that can be cleared."""
        texts: dict[str, Any] = {PREFIX + one.name: (str, "") for one in self._open_fields}
        entered: dict[str, Any] = {CLEAR: (list[str], []), **texts}
        model: type[BaseModel] = create_model("DeviceChanges", __base__=DeviceBulkChanges, **entered)
        fields = {
            PREFIX + one.name: Widget(one.label, one.description, INPUTS.get(one.kind, "text"))
            for one in self._open_fields
        }
        clear = Widget("Clear", "Leaves the field empty on each of them", kind="ticks")
        widgets = {**_WIDGETS, **fields, CLEAR: clear}
        return Form(model, "edit-devices", "Edit devices", "Preview", widgets, text=self._hint)

    @property
    def options(self) -> dict[str, Sequence[Option]]:
        """The choices of the form."""
        return {
            "device_type": [Option(one.value, words_of(one.value)) for one in TYPES],
            "lifecycle": [Option(one, words_of(one)) for one in LIFECYCLES],
            "department_id": department_options(self.departments),
            "add_tags": tag_options(self.tags),
            "remove_tags": tag_options(self.tags),
            CLEAR: [Option(name, f"— no {title} —") for name, title in self._clearable],
            **{
                PREFIX + one.name: value_options(one)
                for one in self._open_fields
                if INPUTS.get(one.kind) == "select"
            },
        }

    def changes(self, entered: BaseModel) -> DeviceBulkChanges:
        """What was entered, as the API takes it. Raises InvalidInputError for a field with a value and cleared."""
        wanted = entered.model_dump(exclude_unset=True)
        cleared = set(wanted.pop(CLEAR, ())) & {name for name, _ in self._clearable}
        if both := sorted(cleared & wanted.keys()):
            wrong = [FieldError(name, "Enter a value or clear it, not both") for name in both]
            raise InvalidInputError("Correct the marked fields.", fields=wrong)
        wanted |= dict.fromkeys(cleared)
        named = [name for name in wanted if name.startswith(PREFIX)]
        values = {name.removeprefix(PREFIX): wanted.pop(name) for name in named}
        return model_of(DeviceBulkChanges, wanted | ({"custom_fields": values} if values else {}))

    @property
    def _open_fields(self) -> list[FieldRead]:
        return [one for one in self.fields if not one.is_sensitive]

    @property
    def _clearable(self) -> list[tuple[str, str]]:
        nobodys = [("department_id", "department")] if self.with_nobodys else []
        optional = [(PREFIX + one.name, one.label) for one in self._open_fields if not one.is_required]
        return [("location", "location"), *nobodys, *optional]

    @property
    def _hint(self) -> str:
        hidden = [one.label for one in self.fields if one.is_sensitive]
        return f"Sensitive fields ({', '.join(hidden)}) are edited on each device's page." if hidden else ""


def as_entered(error: InvalidInputError) -> InvalidInputError:
    """The error with its fields as the form calls them."""
    error.fields = tuple(
        one._replace(field=one.field.replace("custom_fields.", PREFIX, 1)) for one in error.fields
    )
    return error
