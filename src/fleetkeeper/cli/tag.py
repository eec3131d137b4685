"""`fleetkeeper tag …`: tags, and the devices that have them."""

from typing import Annotated

import typer
from sqlalchemy.ext.asyncio import AsyncSession

from fleetkeeper.annotations.tags import service
from fleetkeeper.annotations.tags.schemas import TagRead, TagWrite
from fleetkeeper.cli.inputs import checked
from fleetkeeper.cli.running import command_actor, with_session
from fleetkeeper.cli.tables import AsJson, done, show, show_one
from fleetkeeper.devices.bulk import change_devices
from fleetkeeper.devices.finding import find_device
from fleetkeeper.devices.schemas import DeviceBulkChanges
from fleetkeeper.devices.service import silence_allowed
from fleetkeeper.errors import FieldError, InvalidInputError
from fleetkeeper.kit.bulk import BulkResult, Selection
from fleetkeeper.kit.clock import utc_now
from fleetkeeper.settings import get_settings

app = typer.Typer(help="Tags of devices.", no_args_is_help=True)

COLUMNS = ("slug", "name", "color", "description")
Slug = Annotated[str, typer.Argument(help="Slug of the tag, such as web-servers")]
Color = Annotated[str | None, typer.Option(help="gray, blue, green, yellow, red, purple or teal")]
Description = Annotated[str | None, typer.Option(help="Description")]
Devices = Annotated[list[str] | None, typer.Option("--device", help="Name or ID of a device; repeatable")]
Matching = Annotated[
    str | None, typer.Option(help="Filters of the list of devices, such as “q=web&status=online”")
]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Show what would change; change nothing")]


@app.command(name="list")
def list_tags(*, as_json: AsJson = False) -> None:
    """List tags by name."""
    show(with_session(service.all_tags), COLUMNS, as_json=as_json)


@app.command()
def create(
    name: Annotated[str, typer.Argument(help="Name of the tag")],
    slug: Annotated[str | None, typer.Option(help="Used in filters; default: made from the name")] = None,
    color: Color = None,
    description: Description = None,
    *,
    as_json: AsJson = False,
) -> None:
    """Create a tag."""
    wanted = checked(TagWrite, name=name, slug=slug, color=color or "gray", description=description or "")

    async def make(session: AsyncSession) -> TagRead:
        return await service.create_tag(session, command_actor(), wanted)

    show_one(with_session(make), as_json=as_json)


@app.command()
def update(
    slug: Slug,
    name: Annotated[str | None, typer.Option(help="New name")] = None,
    new_slug: Annotated[str | None, typer.Option(help="New slug")] = None,
    color: Color = None,
    description: Description = None,
    *,
    as_json: AsJson = False,
) -> None:
    """Change a tag's name, slug, color or description."""
    options = {"name": name, "slug": new_slug, "color": color, "description": description}
    given = {option: value for option, value in options.items() if value is not None}
    if not given:
        raise InvalidInputError("Nothing to change; give at least one option.")

    async def change(session: AsyncSession) -> TagRead:
        found = await service.find_tag(session, slug)
        wanted = checked(TagWrite, **found.model_dump(include=set(TagWrite.model_fields)) | given)
        return await service.change_tag(session, command_actor(), found.id, wanted, found.version)

    show_one(with_session(change), as_json=as_json)


@app.command()
def delete(
    slug: Slug,
    *,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask for confirmation")] = False,
    as_json: AsJson = False,
) -> None:
    """Delete a tag. It is removed from all devices."""

    async def read(session: AsyncSession) -> TagRead:
        return await service.find_tag(session, slug)

    found = with_session(read)
    if not yes:
        typer.confirm(f"Delete {found.name}? All devices lose the tag.", abort=True)

    async def remove(session: AsyncSession) -> None:
        await service.delete_tag(session, command_actor(), found.id)

    with_session(remove)
    done(f"Deleted tag {slug}.", as_json=as_json)


@app.command()
def assign(
    slug: Slug,
    device: Devices = None,
    matching: Matching = None,
    *,
    dry_run: DryRun = False,
    as_json: AsJson = False,
) -> None:
    """Assign a tag to devices: those that you name, or all that match filters."""
    _change(DeviceBulkChanges(add_tags=[slug]), device, matching, dry_run=dry_run, as_json=as_json)


@app.command()
def remove(
    slug: Slug,
    device: Devices = None,
    matching: Matching = None,
    *,
    dry_run: DryRun = False,
    as_json: AsJson = False,
) -> None:
    """Remove a tag from devices: those that you name, or all that match filters."""
    _change(DeviceBulkChanges(remove_tags=[slug]), device, matching, dry_run=dry_run, as_json=as_json)


def _change(
    changes: DeviceBulkChanges,
    devices: list[str] | None,
    matching: str | None,
    *,
    dry_run: bool,
    as_json: bool,
) -> None:
    if bool(devices) == bool(matching):
        cure = "Give either --device or --matching"
        raise InvalidInputError("No devices are selected.", fields=[FieldError("--device", cure)])

    async def change(session: AsyncSession) -> BulkResult:
        actor = command_actor()
        ids = [await find_device(session, actor, one) for one in devices or ()]
        selection = checked(Selection, ids=ids or None, matching=matching)
        stale_before = utc_now() - await silence_allowed(session, get_settings())
        return await change_devices(
            session, actor, selection, changes, dry_run=dry_run, stale_before=stale_before
        )

    result = with_session(change)
    if as_json:
        show_one(result, as_json=True)
        return
    words = "would change" if dry_run else "changed"
    done(f"{result.changed} devices {words}, {result.unchanged} need no change.", as_json=False)
