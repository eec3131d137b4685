"""`fleetkeeper device …`: the machines of the fleet."""

import json
from collections.abc import Awaitable, Callable
from typing import Annotated, Any, TypeVar
from urllib.parse import parse_qsl
from uuid import UUID

import typer
from sqlalchemy.ext.asyncio import AsyncSession

from fleetkeeper.cli.device_files import COMMANDS as FILE_COMMANDS
from fleetkeeper.cli.device_merging import COMMANDS as MERGE_COMMANDS
from fleetkeeper.cli.inputs import checked
from fleetkeeper.cli.running import command_actor, with_session
from fleetkeeper.cli.tables import AsJson, done, print_table, show, show_one
from fleetkeeper.devices import service
from fleetkeeper.devices.creating import clone_device, create_device
from fleetkeeper.devices.discovery.ansible import inventory
from fleetkeeper.devices.discovery.found import REACHED_BY
from fleetkeeper.devices.discovery.service import find_devices
from fleetkeeper.devices.finding import find_device
from fleetkeeper.devices.revisions.schemas import Difference
from fleetkeeper.devices.revisions.service import device_as_of, list_differences
from fleetkeeper.devices.schemas import DeviceClone, DeviceCreate, DeviceRead, DeviceSummary, DeviceUpdate
from fleetkeeper.errors import FieldError, InvalidInputError
from fleetkeeper.identity.departments.service import find_department
from fleetkeeper.kit.clock import utc_now
from fleetkeeper.kit.moments import moment
from fleetkeeper.settings import get_settings

app = typer.Typer(help="Add, list, show, compare, update and delete devices.", no_args_is_help=True)

COLUMNS = ("id", "name", "status", "device_type", "os_name", "location", "last_seen")
NO_DEPARTMENT = "none"
Device = Annotated[str, typer.Argument(help="Name or ID of the device, or a unique beginning of the ID")]
_Result = TypeVar("_Result")


@app.command(name="list")
def list_devices(
    q: Annotated[str, typer.Option("--q", help="Part of a name, an address or a serial number")] = "",
    status: Annotated[str, typer.Option(help="online, stale, offline or unknown")] = "",
    limit: Annotated[int, typer.Option(min=1, max=1000, help="Maximum number of rows")] = 100,
    *,
    as_json: AsJson = False,
) -> None:
    """List devices by name."""

    async def read(session: AsyncSession) -> list[DeviceSummary]:
        parameters = [("q", q), ("status", status), ("limit", str(limit))]
        stale_before = utc_now() - await service.silence_allowed(session, get_settings())
        asked = [(name, text) for name, text in parameters if text]
        page = await service.list_devices(session, command_actor(), asked, stale_before=stale_before)
        return page.results

    show(with_session(read), COLUMNS, as_json=as_json)


@app.command(name="inventory")
def show_inventory(
    host: Annotated[str, typer.Option(help="Print the variables of this host alone")] = "",
    query: Annotated[str, typer.Option(help="Filters, such as lifecycle=active&tag=web")] = "",
    target: Annotated[str, typer.Option(help="Reach devices by address, fqdn or hostname")] = "address",
    *,
    whole: Annotated[bool, typer.Option("--list", help="Print all hosts in their groups")] = False,
) -> None:
    """Print devices as an Ansible inventory script does, as JSON."""
    if whole == bool(host):
        raise typer.BadParameter("Give either --list or --host NAME.")
    if target not in REACHED_BY:
        raise typer.BadParameter(f"Must be {', '.join(REACHED_BY)}.", param_hint="--target")

    async def read(session: AsyncSession) -> dict[str, Any]:
        stale_before = utc_now() - await service.silence_allowed(session, get_settings())
        asked = parse_qsl(query)
        found = await find_devices(session, command_actor(), asked, stale_before=stale_before)
        return inventory(found, address=target)

    told = with_session(read)
    typer.echo(json.dumps(told["_meta"]["hostvars"].get(host, {}) if host else told, ensure_ascii=False))


@app.command(name="show")
def show_device(
    device: Device,
    as_of: Annotated[
        str, typer.Option("--as-of", help="Show it as it was then, such as 2026-11-27T16:00:00Z")
    ] = "",
    *,
    as_json: AsJson = False,
) -> None:
    """Show everything known about a device, now or at a time."""
    then = moment("--as-of", as_of) if as_of else None

    async def read(session: AsyncSession, found: UUID) -> DeviceRead:
        if then is not None:
            return await device_as_of(session, command_actor(), found, then)
        return await service.get_device(session, command_actor(), found)

    show_one(_with_device(device, read), as_json=as_json)


@app.command()
def create(
    name: Annotated[str, typer.Argument(help="Name of the device")],
    device_type: Annotated[
        str, typer.Option("--type", help="server, vm, workstation, network_device, storage, …")
    ] = "server",
    department: Annotated[str, typer.Option(help="Department, as Company/Region")] = "",
    manufacturer: Annotated[str | None, typer.Option(help="Who made it")] = None,
    model: Annotated[str | None, typer.Option(help="Model")] = None,
    serial_number: Annotated[str | None, typer.Option("--serial", help="Serial number")] = None,
    reason: Annotated[str, typer.Option(help="Reason, for the audit log")] = "",
    *,
    as_json: AsJson = False,
) -> None:
    """Add a device that no agent reports, such as a switch."""
    given = {"manufacturer": manufacturer, "model": model, "serial_number": serial_number}

    async def make(session: AsyncSession) -> DeviceRead:
        place = await find_department(session, command_actor(), department) if department else None
        wanted = checked(DeviceCreate, name=name, device_type=device_type, department_id=place, **given)
        return await create_device(session, command_actor(), wanted, utc_now())

    show_one(with_session(make, reason), as_json=as_json)


@app.command()
def clone(
    device: Device,
    name: Annotated[str, typer.Argument(help="Name of the new device")],
    reason: Annotated[str, typer.Option(help="Reason, for the audit log")] = "",
    *,
    as_json: AsJson = False,
) -> None:
    """Add a device like another one, without what identifies it."""

    async def make(session: AsyncSession, found: UUID) -> DeviceRead:
        wanted = checked(DeviceClone, name=name)
        return await clone_device(session, command_actor(), found, wanted, utc_now())

    show_one(_with_device(device, make, reason), as_json=as_json)


@app.command()
def diff(
    device: Device,
    start: Annotated[
        str, typer.Option("--from", help="Compare with this time, such as 2026-11-27T16:00:00Z")
    ],
    end: Annotated[str, typer.Option("--to", help="The later time; by default now")] = "",
    *,
    as_json: AsJson = False,
) -> None:
    """Show what changed of a device and its parts between two times."""
    times = moment("--from", start), moment("--to", end) if end else utc_now()

    async def read(session: AsyncSession, found: UUID) -> list[Difference]:
        told = await list_differences(session, command_actor(), *times, device_id=found)
        return told.results

    found = _with_device(device, read)
    if as_json:
        show(found, (), as_json=True)
        return
    rows = [
        (one.operation, one.object_type, one.name, field.field, field.before, field.after)
        for one in found
        for field in one.fields
    ]
    print_table(("Change", "What", "Name", "Field", "Before", "After"), rows)


@app.command()
def update(
    device: Device,
    name: Annotated[str | None, typer.Option(help="New name")] = None,
    device_type: Annotated[
        str | None, typer.Option("--type", help="server, vm, workstation, network_device, storage, …")
    ] = None,
    lifecycle: Annotated[str | None, typer.Option(help="active, inactive, maintenance or retired")] = None,
    location: Annotated[str | None, typer.Option(help="Location")] = None,
    department: Annotated[
        str | None, typer.Option(help=f"Department, as Company/Region; “{NO_DEPARTMENT}” for no department")
    ] = None,
    reason: Annotated[str, typer.Option(help="Reason, for the audit log")] = "",
    *,
    as_json: AsJson = False,
) -> None:
    """Change a device's name, type, lifecycle, location or department."""
    given = {"name": name, "device_type": device_type, "lifecycle": lifecycle, "location": location}
    values: dict[str, Any] = {field: value for field, value in given.items() if value is not None}
    if not values and department is None:
        raise InvalidInputError("Nothing to change; give at least one option.")

    async def change(session: AsyncSession, found: UUID) -> DeviceRead:
        if department is not None:
            is_none = department == NO_DEPARTMENT
            values["department_id"] = (
                None if is_none else await find_department(session, command_actor(), department)
            )
        changes = checked(DeviceUpdate, **values)
        return await service.update_device(session, command_actor(), found, changes, expected_version=None)

    show_one(_with_device(device, change, reason), as_json=as_json)


@app.command()
def delete(
    device: Device,
    reason: Annotated[str, typer.Option(help="Reason, for the audit log")] = "",
    *,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask for confirmation")] = False,
    as_json: AsJson = False,
) -> None:
    """Delete a device with its keys and its telemetry. This cannot be undone."""
    if not reason.strip():
        raise InvalidInputError(
            "The device was not deleted.", fields=[FieldError("--reason", "Add --reason TEXT")]
        )

    async def look(session: AsyncSession, found: UUID) -> DeviceRead:
        return await service.get_device(session, command_actor(), found)

    found = _with_device(device, look)
    if not yes:
        typer.confirm(f"Delete {found.name} ({found.id}) and its telemetry?", abort=True)

    async def remove(session: AsyncSession) -> None:
        await service.delete_device(session, command_actor(), found.id)

    with_session(remove, reason.strip())
    done(f"Deleted {found.name} ({found.id}).", as_json=as_json)


def _with_device(
    wanted: str, action: Callable[[AsyncSession, UUID], Awaitable[_Result]], reason: str = ""
) -> _Result:
    async def run(session: AsyncSession) -> _Result:
        return await action(session, await find_device(session, command_actor(), wanted))

    return with_session(run, reason)


for _name, _command in (FILE_COMMANDS | MERGE_COMMANDS).items():
    app.command(name=_name)(_command)
