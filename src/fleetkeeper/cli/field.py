"""`fleetkeeper field …`: custom fields, and the values that devices have in them."""

from collections.abc import Sequence
from typing import Annotated, Any

import typer
from sqlalchemy.ext.asyncio import AsyncSession

from fleetkeeper.annotations.fields import service, values
from fleetkeeper.annotations.fields.schemas import (
    FieldDeleted,
    FieldRead,
    FieldWrite,
    RevealedValue,
    ValuesRead,
)
from fleetkeeper.cli.inputs import checked
from fleetkeeper.cli.running import command_actor, with_session
from fleetkeeper.cli.tables import AsJson, done, show, show_one
from fleetkeeper.devices.finding import find_device
from fleetkeeper.errors import FieldError, InvalidInputError, NotFoundError
from fleetkeeper.identity.departments.service import find_department
from fleetkeeper.kit.sealing import Sealer, installation_key
from fleetkeeper.settings import get_settings

app = typer.Typer(help="Custom fields of devices.", no_args_is_help=True)

COLUMNS = ("name", "label", "object_type", "kind", "is_required", "is_sensitive", "position")
DEVICES = "devices"
Name = Annotated[str, typer.Argument(help="Name of the field, such as asset_tag")]
Device = Annotated[str, typer.Argument(help="Name or ID of the device, or a unique beginning of the ID")]
Label = Annotated[str | None, typer.Option(help="What people read")]
Choices = Annotated[list[str] | None, typer.Option("--choice", help="Choice; repeatable")]
Pattern = Annotated[str | None, typer.Option(help="Regular expression (RE2) that the whole text must match")]
Default = Annotated[str | None, typer.Option(help="Value of new devices")]
Description = Annotated[str | None, typer.Option(help="Shown below the field")]
Position = Annotated[int | None, typer.Option("--order", help="Fields with a lower number come first")]
Required = Annotated[bool | None, typer.Option("--required/--optional", help="Must be filled in")]


@app.command(name="list")
def list_fields(*, as_json: AsJson = False) -> None:
    """List custom fields."""

    async def read(session: AsyncSession) -> list[FieldRead]:
        return (await service.list_fields(session, command_actor(), [("limit", "1000")])).results

    show(with_session(read), COLUMNS, as_json=as_json)


@app.command(name="show")
def show_field(name: Name, *, as_json: AsJson = False) -> None:
    """Show one custom field."""

    async def read(session: AsyncSession) -> FieldRead:
        return await _find(session, name)

    show_one(with_session(read), as_json=as_json)


@app.command()
def create(
    label: Annotated[str, typer.Argument(help="What people read, such as “Asset tag”")],
    name: Annotated[str | None, typer.Option(help="Used in filters; default: made from the label")] = None,
    kind: Annotated[str, typer.Option(help="text, number, boolean, date, choice or url")] = "text",
    choice: Choices = None,
    pattern: Pattern = None,
    default: Default = None,
    description: Description = None,
    position: Position = None,
    department: Annotated[str | None, typer.Option(help="Department, as Company/Region")] = None,
    required: Required = None,
    *,
    sensitive: Annotated[bool, typer.Option("--sensitive", help="Encrypt the values and mask them")] = False,
    as_json: AsJson = False,
) -> None:
    """Create a custom field."""
    given = _given(choice, pattern, default, description, position, required)
    wanted = checked(FieldWrite, label=label, name=name, kind=kind, is_sensitive=sensitive, **given)

    async def make(session: AsyncSession) -> FieldRead:
        if department is not None:
            wanted.department_id = await find_department(session, command_actor(), department)
        return await service.create_field(session, command_actor(), wanted)

    show_one(with_session(make), as_json=as_json)


@app.command()
def update(
    name: Name,
    label: Label = None,
    choice: Choices = None,
    pattern: Pattern = None,
    default: Default = None,
    description: Description = None,
    position: Position = None,
    required: Required = None,
    *,
    as_json: AsJson = False,
) -> None:
    """Update a custom field. The choices that you give replace all its choices."""
    given = _given(choice, pattern, default, description, position, required)
    given |= {} if label is None else {"label": label}
    if not given:
        raise InvalidInputError("Nothing to change; give at least one option.")

    async def change(session: AsyncSession) -> FieldRead:
        found = await _find(session, name)
        wanted = checked(FieldWrite, **found.model_dump(include=set(FieldWrite.model_fields)) | given)
        return await service.change_field(session, command_actor(), found.id, wanted, found.version)

    show_one(with_session(change), as_json=as_json)


@app.command()
def delete(
    name: Name,
    *,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask for confirmation")] = False,
    as_json: AsJson = False,
) -> None:
    """Delete a custom field with all its values. This cannot be undone."""

    async def read(session: AsyncSession) -> FieldRead:
        return await _find(session, name)

    found = with_session(read)
    if not yes:
        typer.confirm(f"Delete {found.label} and its {found.value_count} values?", abort=True)

    async def remove(session: AsyncSession) -> FieldDeleted:
        return await service.delete_field(session, command_actor(), found.id)

    gone = with_session(remove)
    done(f"Deleted {found.name} and {gone.values_deleted} values.", as_json=as_json)


@app.command(name="values")
def show_values(device: Device, *, as_json: AsJson = False) -> None:
    """Show the values of a device."""

    async def read(session: AsyncSession) -> ValuesRead:
        found = await find_device(session, command_actor(), device)
        return (await values.read_values(session, command_actor(), DEVICES, found)).values

    show_one(with_session(read), as_json=as_json)


@app.command(name="set")
def set_values(
    device: Device,
    pairs: Annotated[list[str], typer.Argument(metavar="NAME=VALUE...", help="NAME= removes a value")],
    reason: Annotated[str, typer.Option(help="Reason, for the audit log")] = "",
    *,
    as_json: AsJson = False,
) -> None:
    """Set values of a device."""
    wanted = _pairs(pairs)

    async def change(session: AsyncSession) -> ValuesRead:
        found = await find_device(session, command_actor(), device)
        return await values.change_values(session, command_actor(), _sealer(), DEVICES, found, wanted)

    show_one(with_session(change, reason), as_json=as_json)


@app.command()
def reveal(device: Device, name: Name, *, as_json: AsJson = False) -> None:
    """Show a sensitive value of a device. The audit log records that you saw it."""

    async def read(session: AsyncSession) -> RevealedValue:
        found = await find_device(session, command_actor(), device)
        return await values.reveal_value(session, command_actor(), _sealer(), DEVICES, found, name)

    show_one(with_session(read), as_json=as_json)


def _given(
    choices: Sequence[str] | None,
    pattern: str | None,
    default: str | None,
    description: str | None,
    position: int | None,
    required: bool | None,
) -> dict[str, Any]:
    options = {
        "choices": choices or None,
        "pattern": pattern,
        "default": default,
        "description": description,
        "position": position,
        "is_required": required,
    }
    return {name: value for name, value in options.items() if value is not None}


def _pairs(texts: Sequence[str]) -> dict[str, str]:
    parted = [text.partition("=") for text in texts]
    if wrong := [name for name, mark, _ in parted if not mark]:
        raise InvalidInputError(
            "Nothing was changed.",
            fields=[FieldError(wrong[0], "Write NAME=VALUE, such as asset_tag=A-1042")],
        )
    return {name: value for name, _, value in parted}


def _sealer() -> Sealer:
    settings = get_settings()
    return Sealer(installation_key(settings.identity.secret_key, settings.home))


async def _find(session: AsyncSession, name: str) -> FieldRead:
    fields = await service.fields_for(session, command_actor(), DEVICES)
    found = next((one for one in fields if one.name == name), None)
    if found is None:
        raise NotFoundError(f"There is no custom field {name}.")
    return await service.get_field(session, command_actor(), found.id)
