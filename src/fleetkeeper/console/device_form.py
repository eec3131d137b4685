"""The form by which people change a device."""

from collections.abc import Sequence

from fleetkeeper.annotations.tags.schemas import TagRead
from fleetkeeper.console.contexts.panels import EntryForm, Option
from fleetkeeper.console.device_list import TYPES
from fleetkeeper.console.forms.form import Form, Widget
from fleetkeeper.console.forms.schema_fields import words_of
from fleetkeeper.console.lists.bulk import Words
from fleetkeeper.console.panels import REASON, department_options
from fleetkeeper.console.tag_panels import tag_options
from fleetkeeper.devices.schemas import DeviceBulkChanges, DeviceRead, DeviceUpdate
from fleetkeeper.identity.actor import Actor
from fleetkeeper.identity.departments.schemas import DepartmentRead
from fleetkeeper.identity.permissions import Permission

FORM = Form(
    DeviceUpdate,
    "change-device",
    "Edit device",
    "Save changes",
    {
        "name": Widget("Name", is_required=True),
        "device_type": "Type",
        "lifecycle": "Lifecycle",
        "location": "Location",
        "department_id": Widget("Department", hint="Decides who can see and edit the device"),
    },
)
BULK_FORM = Form(
    DeviceBulkChanges,
    "edit-devices",
    "Edit devices",
    "Preview",
    {
        "device_type": "Type",
        "lifecycle": "Lifecycle",
        "location": "Location",
        "department_id": "Department",
        "add_tags": Widget("Add tags", kind="ticks"),
        "remove_tags": Widget("Remove tags", kind="ticks"),
    },
)
DELETE_WORDS = Words(
    "Delete",
    "Will be deleted",
    "Deleted",
    "Cannot be deleted",
    "Not deleted",
    "Their keys stop working at once, and their telemetry is deleted. This cannot be undone.",
)
LIFECYCLES = ("active", "inactive", "maintenance", "retired")


def device_form(actor: Actor, device: DeviceRead, departments: Sequence[DepartmentRead]) -> EntryForm | None:
    """The form for those who may change the device; `departments` are those that they may put devices into."""
    if not actor.may_in(Permission.DEVICES_WRITE, device.department_id):
        return None
    nobodys = "None" if actor.may_everywhere(Permission.DEVICES_WRITE) else None
    options = {
        "device_type": [Option(one.value, words_of(one.value)) for one in TYPES],
        "lifecycle": [Option(one, words_of(one)) for one in LIFECYCLES],
        "department_id": department_options(departments, device.department_id, nobodys),
    }
    return FORM.shown(f"/devices/{device.id}", device, options=options, version=device.version)


def delete_form(actor: Actor, device: DeviceRead) -> EntryForm | None:
    """The form that deletes it, for those who may."""
    if not actor.may_in(Permission.DEVICES_DELETE, device.department_id):
        return None
    return EntryForm(
        "delete-device",
        "Delete device",
        f"/devices/{device.id}/delete",
        "Delete device",
        (REASON,),
        text="Its keys stop working at once, and its telemetry is deleted. This cannot be undone.",
        is_danger=True,
    )


def bulk_options(
    departments: Sequence[DepartmentRead], tags: Sequence[TagRead]
) -> dict[str, Sequence[Option]]:
    """The choices of the form for many devices; `departments` are those that the actor may put devices into."""
    return {
        "device_type": [Option(one.value, words_of(one.value)) for one in TYPES],
        "lifecycle": [Option(one, words_of(one)) for one in LIFECYCLES],
        "department_id": department_options(departments),
        "add_tags": tag_options(tags),
        "remove_tags": tag_options(tags),
    }
