"""`fleetkeeper device merge`, `undo-merge`, `split` and `reviews`: devices that are one machine, or two."""

from collections.abc import Callable
from typing import Annotated
from uuid import UUID

import typer
from sqlalchemy.ext.asyncio import AsyncSession

from fleetkeeper.cli.running import command_actor, with_session
from fleetkeeper.cli.tables import AsJson, print_table, show, show_one
from fleetkeeper.devices.finding import find_device
from fleetkeeper.devices.identity.schemas import ReviewRead
from fleetkeeper.devices.identity.service import list_reviews
from fleetkeeper.devices.merging import service as merging
from fleetkeeper.devices.merging.schemas import MergePreview, MergeRead
from fleetkeeper.devices.sources import service as sources
from fleetkeeper.devices.sources.schemas import SplitResult
from fleetkeeper.errors import FieldError, InvalidInputError
from fleetkeeper.kit.clock import utc_now

_Device = Annotated[str, typer.Argument(help="Name or ID of the device")]
_Reason = Annotated[str, typer.Option(help="Reason, for the audit log; required")]


def merge(
    kept: Annotated[str, typer.Argument(help="Name or ID of the device that stays")],
    other: Annotated[str, typer.Argument(help="Name or ID of the device that becomes part of it")],
    take: Annotated[
        list[str] | None,
        typer.Option("--take", help="Attribute of which the other's value counts; repeatable"),
    ] = None,
    reason: Annotated[str, typer.Option(help="Reason, for the audit log; required without --preview")] = "",
    *,
    preview: Annotated[
        bool, typer.Option("--preview", help="Show what would change; change nothing")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Merge two devices that are one machine. The one with a working agent stays, whichever is named first."""
    why = "" if preview else _needed(reason)

    async def ids(session: AsyncSession) -> tuple[UUID, UUID]:
        actor = command_actor()
        return await find_device(session, actor, kept), await find_device(
            session, actor, other, field="other"
        )

    async def look(session: AsyncSession) -> MergePreview:
        first, second = await ids(session)
        return await merging.preview_merge(session, command_actor(), first, second, take or [], utc_now())

    async def act(session: AsyncSession) -> MergeRead:
        first, second = await ids(session)
        return await merging.merge_devices(
            session, command_actor(), first, second, take or [], why, utc_now()
        )

    if preview:
        _show_preview(with_session(look), as_json=as_json)
    else:
        show_one(with_session(act, why), as_json=as_json)


def undo_merge(
    device: _Device,
    merge_id: Annotated[str, typer.Option("--merge", help="ID of the merge; default: the newest")] = "",
    reason: _Reason = "",
    *,
    as_json: AsJson = False,
) -> None:
    """Let two merged devices be two again."""
    why = _needed(reason)

    async def act(session: AsyncSession) -> MergeRead:
        actor = command_actor()
        found = await find_device(session, actor, device)
        merges = (await merging.list_merges(session, actor, found)).results
        fits = [one for one in merges if one.undone_at is None and str(one.id).startswith(merge_id)]
        if not fits or (merge_id and len(fits) > 1):
            wrong = FieldError("--merge", "Must be the ID of a merge of this device that was not undone")
            raise InvalidInputError("Nothing was undone.", fields=[wrong])
        return await merging.undo_merge(session, actor, found, fits[0].id, why, utc_now())

    show_one(with_session(act, why), as_json=as_json)


def split(
    device: _Device,
    source: Annotated[str, typer.Argument(help="Source to split off, such as vcenter, or its ID")],
    reason: _Reason = "",
    *,
    as_json: AsJson = False,
) -> None:
    """Make what a source tells of a device a device of its own."""
    why = _needed(reason)

    async def act(session: AsyncSession) -> SplitResult:
        actor, now = command_actor(), utc_now()
        found = await find_device(session, actor, device)
        told = (await sources.sources_and_attributes(session, actor, found, now)).sources
        fits = [one for one in told if source in {one.source_system, str(one.id)}]
        if len(fits) != 1:
            known = ", ".join(f"{one.source_system} ({one.id})" for one in told)
            wrong = FieldError("SOURCE", f"Must be one source of this device: {known}")
            raise InvalidInputError("Nothing was split.", fields=[wrong])
        return await sources.split(session, actor, found, fits[0].id, why, now)

    show_one(with_session(act, why), as_json=as_json)


def reviews(
    status: Annotated[str, typer.Option(help="open, merged or different")] = "open",
    limit: Annotated[int, typer.Option(min=1, max=1000, help="Maximum number of rows")] = 100,
    *,
    as_json: AsJson = False,
) -> None:
    """List pairs of devices that may be one machine, the most alike first."""

    async def read(session: AsyncSession) -> list[ReviewRead]:
        asked = [("status", status), ("limit", str(limit))]
        return list((await list_reviews(session, command_actor(), asked)).results)

    show(with_session(read), ("id", "device_name", "other_device_name", "score", "status"), as_json=as_json)


def _needed(reason: str) -> str:
    if not reason.strip():
        raise InvalidInputError("Nothing was changed.", fields=[FieldError("--reason", "Add --reason TEXT")])
    return reason.strip()


def _show_preview(found: MergePreview, *, as_json: bool) -> None:
    if as_json:
        show_one(found, as_json=True)
        return
    typer.echo(f"{found.other_name} ({found.other_id}) becomes part of {found.kept_name} ({found.kept_id}).")
    for line in (*found.explanation, *found.warnings):
        typer.echo(f"  {line}")
    rows = [(one.attribute, one.kept, one.other, one.result, one.why) for one in found.attributes]
    print_table(("Attribute", "Kept", "Other", "Result", "Why"), rows)
    for moved in found.moves:
        typer.echo(f"{moved.number:,} {moved.noun}")


COMMANDS: dict[str, Callable[..., None]] = {
    "merge": merge,
    "undo-merge": undo_merge,
    "split": split,
    "reviews": reviews,
}
