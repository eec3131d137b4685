"""The form by which people change a device."""

from collections.abc import Mapping, Sequence

from fleetkeeper.console.contexts.panels import Entry, EntryForm, Option
from fleetkeeper.console.device_list import TYPES
from fleetkeeper.console.panels import department_options, model_of, optional
from fleetkeeper.devices.schemas import DeviceRead, DeviceUpdate
from fleetkeeper.identity.actor import Actor
from fleetkeeper.identity.departments.schemas import DepartmentRead
from fleetkeeper.identity.permissions import Permission

LIFECYCLES = ("active", "inactive", "maintenance", "retired")


def device_form(actor: Actor, device: DeviceRead, departments: Sequence[DepartmentRead]) -> EntryForm | None:
    """The form for those who may change the device; `departments` are those that they may put devices into."""
    if not actor.may_in(Permission.DEVICES_WRITE, device.department_id):
        return None
    types = tuple(Option(one.value, one.label, one.value == device.device_type) for one in TYPES)
    lifecycles = tuple(Option(one, one.capitalize(), one == device.lifecycle) for one in LIFECYCLES)
    nobodys = "None" if actor.may_everywhere(Permission.DEVICES_WRITE) else None
    places = department_options(departments, device.department_id, nobodys)
    return EntryForm(
        "change-device",
        "Change name, type, place and department",
        f"/devices/{device.id}",
        "Save",
        (
            Entry("name", "Name", device.name),
            Entry("device_type", "Type", kind="select", options=types),
            Entry("lifecycle", "Lifecycle", kind="select", options=lifecycles),
            Entry("location", "Location", device.location or "", is_required=False),
            Entry(
                "department_id",
                "Department",
                kind="select",
                options=places,
                hint="Its people see and change the device",
            ),
        ),
    )


def device_changes(form: Mapping[str, str]) -> DeviceUpdate:
    """What a sent form asks for. Raises InvalidInputError."""
    values = {name: form[name].strip() for name in ("name", "device_type", "lifecycle") if name in form}
    return model_of(DeviceUpdate, {**values, **optional(form, "location", "department_id")})
