"""`fleetkeeper silence …`: alerts that are not told, for scripts that deploy and people who maintain."""

from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from typing import Annotated
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import typer
from sqlalchemy.ext.asyncio import AsyncSession

from fleetkeeper.alerts.silences.schemas import AlertSilenceRead, AlertSilenceWrite
from fleetkeeper.alerts.silences.service import silences
from fleetkeeper.annotations.tags.service import find_tag
from fleetkeeper.cli.inputs import checked
from fleetkeeper.cli.running import command_actor, with_session
from fleetkeeper.cli.silence_rows import SilenceRow, find_silence, with_targets
from fleetkeeper.cli.tables import AsJson, show, show_one
from fleetkeeper.devices.finding import find_device
from fleetkeeper.errors import InvalidInputError
from fleetkeeper.identity.departments.service import find_department
from fleetkeeper.kit.clock import utc_now

app = typer.Typer(help="Silences and maintenance windows.", no_args_is_help=True)

COLUMNS = ("name", "silences", "starts_at", "ends_at", "recurrence", "created_by", "id")


@app.command(name="list")
def list_silences(
    *,
    every: Annotated[bool, typer.Option("--all", help="Include expired silences")] = False,
    as_json: AsJson = False,
) -> None:
    """List silences, newest first."""

    async def read(session: AsyncSession) -> list[SilenceRow]:
        found = (await silences.list(session, command_actor(), [("limit", "1000")])).results
        now = utc_now()
        shown = [one for one in found if every or one.ends_at is None or one.ends_at > now]
        return await with_targets(session, shown)

    show(with_session(read), COLUMNS, as_json=as_json)


@app.command()
def add(
    name: Annotated[str, typer.Argument(help="What it is for, such as “Upgrade of web-01”")],
    matchers: Annotated[str, typer.Option(help='Labels of alerts, such as instance=~"web-.*"')] = "",
    device: Annotated[str | None, typer.Option(help="Name or ID of a device")] = None,
    tag: Annotated[str | None, typer.Option(help="Slug of a tag: all devices with it")] = None,
    department: Annotated[
        str | None, typer.Option(help="Path or ID of a department: it and those below it")
    ] = None,
    start: Annotated[
        str | None, typer.Option(help="Such as 2026-12-01T22:00, in the time zone; now by default")
    ] = None,
    minutes: Annotated[int, typer.Option(min=1, max=525_600, help="How long it lasts")] = 60,
    every: Annotated[str | None, typer.Option(help="RFC 5545 rule, such as FREQ=WEEKLY;BYDAY=SU")] = None,
    time_zone: Annotated[str, typer.Option(help="Time zone of the rule and of the start")] = "UTC",
    comment: Annotated[str, typer.Option(help="Why")] = "",
    *,
    as_json: AsJson = False,
) -> None:
    """Create a silence, once or recurring."""

    async def make(session: AsyncSession) -> AlertSilenceRead:
        actor = command_actor()
        begins = utc_now() if start is None else _moment(start, time_zone)
        wanted = checked(
            AlertSilenceWrite,
            name=name,
            matchers=matchers,
            device_id=await find_device(session, actor, device) if device else None,
            tag_id=(await find_tag(session, tag)).id if tag else None,
            department_id=await find_department(session, actor, department) if department else None,
            starts_at=begins,
            ends_at=None if every else begins + timedelta(minutes=minutes),
            recurrence=every,
            duration_seconds=minutes * 60 if every else None,
            time_zone=time_zone,
            comment=comment,
        )
        return await silences.create(session, actor, wanted)

    _print(make, as_json=as_json)


def _print(act: Callable[[AsyncSession], Awaitable[AlertSilenceRead]], *, as_json: bool) -> None:
    """Do something, and print the silence: machines get all its fields, people those of the list."""

    async def work(session: AsyncSession) -> SilenceRow:
        (row,) = await with_targets(session, [await act(session)])
        return row

    row = with_session(work)
    if as_json:
        show_one(row, as_json=True)
    else:
        show([row], COLUMNS, as_json=False)


def _moment(text: str, time_zone: str) -> datetime:
    """When it starts. Raises InvalidInputError."""
    try:
        found = datetime.fromisoformat(text)
        return found if found.tzinfo else found.replace(tzinfo=ZoneInfo(time_zone))
    except (ValueError, OSError, ZoneInfoNotFoundError):
        raise InvalidInputError(
            f"--start is a time such as 2026-12-01T22:00, and --time-zone a name such as Europe/Berlin; "
            f"{text!r} in {time_zone!r} is not."
        ) from None


@app.command()
def expire(
    name: Annotated[str, typer.Argument(help="Name or ID of the silence")], *, as_json: AsJson = False
) -> None:
    """End a silence now."""

    async def end(session: AsyncSession) -> AlertSilenceRead:
        return await silences.expire(session, command_actor(), await find_silence(session, name))

    _print(end, as_json=as_json)
