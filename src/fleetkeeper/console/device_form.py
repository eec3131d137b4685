"""The forms by which people enter, change, clone and delete a device."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from fleetkeeper.console.contexts.panels import EntryForm, Option
from fleetkeeper.console.device_list import TYPES
from fleetkeeper.console.forms.form import Form, Widget
from fleetkeeper.console.forms.schema_fields import words_of
from fleetkeeper.console.location_options import location_options
from fleetkeeper.console.panels import REASON, department_options
from fleetkeeper.devices.schemas import DeviceClone, DeviceCreate, DeviceRead, DeviceUpdate
from fleetkeeper.identity.actor import Actor
from fleetkeeper.identity.departments.service import all_departments
from fleetkeeper.identity.permissions import Permission

_ENTERED: dict[str, Widget | str] = {
    "device_type": "Type",
    "lifecycle": "Lifecycle",
    "department_id": Widget("Department", hint="Decides who can see and edit the device"),
    "location_id": "Location",
    "location": Widget("Place in the location", hint="Such as rack 12, unit 4"),
    "manufacturer": "Manufacturer",
    "model": "Model",
    "serial_number": "Serial number",
    "asset_tag": "Asset tag",
    "owner": Widget("Owner", hint="A person or team"),
    "purchased_on": "Purchased on",
    "warranty_until": "Warranty until",
    "end_of_support_on": "End of support on",
    "description": "Description",
}
FORM = Form(
    DeviceUpdate,
    "change-device",
    "Edit device",
    "Save changes",
    {"name": Widget("Name", is_required=True), **_ENTERED},
)
NEW_FORM = Form(
    DeviceCreate,
    "new-device",
    "Add device",
    "Add device",
    {"name": "Name", **_ENTERED},
    text="For a device that no agent reports, such as a switch. A machine with an agent adds itself when it enrolls.",
)
CLONE_FORM = Form(
    DeviceClone,
    "clone-device",
    "Clone device",
    "Clone device",
    {"name": Widget("Name of the new device"), "serial_number": "Serial number", "asset_tag": "Asset tag"},
    text="The new device has the same type, department, location, model, owner and dates.",
)
LIFECYCLES = ("active", "inactive", "maintenance", "retired")


async def device_form(session: AsyncSession, actor: Actor, device: DeviceRead) -> EntryForm | None:
    """The form for those who may change the device."""
    if not actor.may_in(Permission.DEVICES_WRITE, device.department_id):
        return None
    options = await _options(
        session, actor, Permission.DEVICES_WRITE, device.department_id, device.location_id
    )
    return FORM.shown(f"/devices/{device.id}", device, options=options, version=device.version)


async def new_form(session: AsyncSession, actor: Actor) -> EntryForm | None:
    """The form for a device that a person enters, for those who may."""
    if not actor.may(Permission.DEVICES_CREATE):
        return None
    options = await _options(session, actor, Permission.DEVICES_CREATE, None, None)
    return NEW_FORM.shown("/devices", options=options)


def clone_form(actor: Actor, device: DeviceRead) -> EntryForm | None:
    """The form for a device like it, for those who may add one where it is."""
    if not actor.may_in(Permission.DEVICES_CREATE, device.department_id):
        return None
    return CLONE_FORM.shown(f"/devices/{device.id}/clone")


async def _options(
    session: AsyncSession,
    actor: Actor,
    permission: Permission,
    department_id: UUID | None,
    location_id: UUID | None,
) -> dict[str, Sequence[Option]]:
    departments = await all_departments(session, actor, permission)
    nobodys = "None" if actor.may_everywhere(permission) else None
    return {
        "device_type": [Option(one.value, words_of(one.value)) for one in TYPES],
        "lifecycle": [Option(one, words_of(one)) for one in LIFECYCLES],
        "department_id": department_options(departments, department_id, nobodys),
        "location_id": await location_options(session, actor, location_id),
    }


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
