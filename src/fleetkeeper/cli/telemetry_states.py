"""`fleetkeeper telemetry states`: texts and truth values of a device, as they changed."""

import json
from datetime import UTC, datetime
from typing import Annotated

import typer
from sqlalchemy.ext.asyncio import AsyncSession

from fleetkeeper.cli.running import command_actor, with_session
from fleetkeeper.cli.tables import AsJson, print_table
from fleetkeeper.devices.finding import find_device
from fleetkeeper.kit.clock import utc_now
from fleetkeeper.kit.moments import moment
from fleetkeeper.telemetry.states.schemas import StatesRead
from fleetkeeper.telemetry.states.service import states_of
from fleetkeeper_protocol.metrics import format_channel


def states(
    device: Annotated[str, typer.Argument(help="Name or ID of the device")],
    metric: Annotated[list[str] | None, typer.Option(help="State to show; repeatable; default: all")] = None,
    start: Annotated[
        str, typer.Option("--from", help="Start time, such as 2026-11-27T16:00:00Z, or epoch seconds")
    ] = "0",
    end: Annotated[
        str | None,
        typer.Option("--to", help="End time, such as 2026-11-28T16:00:00Z, or epoch seconds; default: now"),
    ] = None,
    *,
    as_json: AsJson = False,
) -> None:
    """Show the states of a device as they changed, such as a pending restart."""
    until = utc_now() if end is None else moment("--to", end)

    async def read(session: AsyncSession) -> StatesRead:
        actor = command_actor()
        found = await find_device(session, actor, device)
        return await states_of(session, actor, found, metric or [], moment("--from", start), until)

    found = with_session(read)
    if as_json:
        typer.echo(json.dumps(found.model_dump(mode="json")))
        return
    rows = [
        (
            format_channel(one.metric, one.labels),
            datetime.fromtimestamp(ts, UTC),
            str(value).lower() if isinstance(value, bool) else value,
        )
        for one in found.states
        for ts, value in one.changes
    ]
    print_table(("State", "Since", "Value"), rows)
