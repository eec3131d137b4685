"""`fleetkeeper telemetry delete`: a device's telemetry in every tier."""

import asyncio
import json
from datetime import date
from typing import Annotated
from uuid import UUID

import typer
from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TextColumn
from sqlalchemy.ext.asyncio import AsyncSession

from fleetkeeper.cli.inputs import checked
from fleetkeeper.cli.running import command_actor, command_context, reachable_url, with_session
from fleetkeeper.cli.tables import AsJson, show_one
from fleetkeeper.database.engine import Database
from fleetkeeper.devices.finding import find_device
from fleetkeeper.errors import FieldError, InvalidInputError
from fleetkeeper.settings import get_settings
from fleetkeeper.telemetry.archive import browsing, requesting, runs
from fleetkeeper.telemetry.archive.schemas import Amounts, DeletionCreate, DeletionRead

_WAIT_SECONDS = 1.0
_OPEN = frozenset({"waiting", "running"})


def delete(
    device: Annotated[str, typer.Option(help="Name or ID of the device")],
    metric: Annotated[str | None, typer.Option(help="Metric")] = None,
    first_day: Annotated[
        str | None, typer.Option("--from", help="First day (UTC), such as 2026-01-31")
    ] = None,
    last_day: Annotated[str | None, typer.Option("--to", help="Last day (UTC), such as 2026-02-01")] = None,
    reason: Annotated[str, typer.Option(help="Reason, for the audit log")] = "",
    *,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Show what would be deleted; change nothing")
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask for confirmation")] = False,
    as_json: AsJson = False,
) -> None:
    """Delete the telemetry of a device in every tier. This cannot be undone."""
    days = {"first_day": _day("--from", first_day), "last_day": _day("--to", last_day)}

    async def preview(session: AsyncSession) -> tuple[DeletionCreate, Amounts]:
        found = await find_device(session, command_actor(), device)
        wanted = checked(DeletionCreate, device=found, metric=metric, **days)
        return wanted, await browsing.preview_deletion(session, command_actor(), wanted)

    wanted, amounts = with_session(preview)
    if dry_run:
        show_one(amounts, as_json=as_json)
        return
    if not reason.strip():
        raise InvalidInputError("Nothing was deleted.", fields=[FieldError("--reason", "Add --reason TEXT")])
    if not yes:
        show_one(amounts, as_json=False)
        typer.confirm("Delete this telemetry permanently?", abort=True)

    async def ask(session: AsyncSession) -> DeletionRead:
        return await requesting.enter_deletion(session, command_actor(), wanted, reason.strip()[:500])

    asked = with_session(ask, reason.strip())
    found = asyncio.run(_carry_out(asked.id, as_json=as_json))
    show_one(found, as_json=as_json)
    if found.state != "done":
        raise typer.Exit(1)


async def _carry_out(deletion_id: UUID, *, as_json: bool) -> DeletionRead:
    """Do it here, or watch the worker do it."""
    database = Database(reachable_url(), pool_size=2, statement_timeout_seconds=3600)
    console = Console(stderr=True)
    columns = (SpinnerColumn(), TextColumn("{task.description}"))
    try:
        with Progress(
            *columns, console=console, transient=True, disable=as_json or not console.is_terminal
        ) as progress:
            task = progress.add_task("Deleting", total=None)
            working = asyncio.create_task(_until_done(database, deletion_id))
            while True:
                async with database.session(command_context()) as session:
                    found = await browsing.get_deletion(session, deletion_id)
                if found.state not in _OPEN:
                    await working
                    return found
                progress.update(task, description=f"Deleting: {json.dumps(found.outcome)}")
                await asyncio.wait({working}, timeout=_WAIT_SECONDS)
                if working.done():
                    working.result()
    finally:
        await database.close()


async def _until_done(database: Database, deletion_id: UUID) -> None:
    while True:
        await runs.delete_requested(database, get_settings())
        async with database.session(command_context()) as session:
            if (await browsing.get_deletion(session, deletion_id)).state not in _OPEN:
                return
        await asyncio.sleep(_WAIT_SECONDS)


def _day(name: str, text: str | None) -> date | None:
    if text is None:
        return None
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise InvalidInputError(
            "The day is wrong.", fields=[FieldError(name, "Must be a date such as 2026-01-31")]
        ) from None
