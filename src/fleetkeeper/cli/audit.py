"""`fleetkeeper audit …`: reading, sealing, checking, exporting and archiving the audit log."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any, TypeVar

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from sqlalchemy.ext.asyncio import AsyncSession

from fleetkeeper.audit import archive as archives
from fleetkeeper.audit import jobs, queries
from fleetkeeper.audit.chain import SealingState, sealing_state
from fleetkeeper.audit.epochs import begin_epoch
from fleetkeeper.audit.schemas import AuditEntryRead, AuditPage
from fleetkeeper.audit.verification import Report
from fleetkeeper.cli.running import (
    command_actor,
    command_context,
    keeper_url,
    reachable_url,
    with_session,
)
from fleetkeeper.cli.tables import AsJson, show, show_one
from fleetkeeper.config.service import read_config
from fleetkeeper.database.engine import Database
from fleetkeeper.database.migrate import check_revision
from fleetkeeper.devices.finding import find_device
from fleetkeeper.errors import FieldError, InvalidInputError
from fleetkeeper.kit.clock import utc_now
from fleetkeeper.kit.ids import is_id
from fleetkeeper.kit.text import printable
from fleetkeeper.operations import audit_browser, audit_service
from fleetkeeper.operations.audit_export import FORMATS, export_entries
from fleetkeeper.settings import get_settings

app = typer.Typer(help="Show, verify, export and archive the audit log.", no_args_is_help=True)

COLUMNS = (
    "id",
    "timestamp",
    "actor_kind",
    "actor_name",
    "action",
    "resource_type",
    "record_name",
    "change_reason",
)
# A check of the whole log may read millions of entries.
STATEMENT_TIMEOUT_SECONDS = 3600
PROGRESS_FROM_SECONDS = 1.0
_Result = TypeVar("_Result")

Q = Annotated[str, typer.Option("--q", help="Search text: part of an object name, actor name or action")]
ActorName = Annotated[str, typer.Option("--actor", help="Name of the actor")]
Action = Annotated[str, typer.Option(help="Action, such as devices.update")]
Resource = Annotated[str, typer.Option(help="Resource type, such as devices")]
Record = Annotated[str, typer.Option(help="Object ID; needs --resource")]
Device = Annotated[str, typer.Option(help="Name or ID of the device")]
RequestId = Annotated[str, typer.Option("--request", help="Request ID")]
Since = Annotated[str, typer.Option(help="Start time, such as 2026-11-27T16:00:00Z, or epoch seconds")]
Until = Annotated[str, typer.Option(help="End time, such as 2026-11-28T16:00:00Z, or epoch seconds")]


def _parameters(**given: str) -> list[tuple[str, str]]:
    names = {
        "actor": "actor_name",
        "resource": "resource_type",
        "record": "record_id",
        "device": "device_id",
        "request": "request_id",
        "since": "timestamp__gte",
        "until": "timestamp__lt",
    }
    return [(names.get(name, name), text) for name, text in given.items() if text]


async def _with_device_id(session: AsyncSession, parameters: list[tuple[str, str]]) -> list[tuple[str, str]]:
    """The same with the device by its ID; one that is deleted is known by that alone."""
    return [
        (name, str(await find_device(session, command_actor(), text)))
        if name == "device_id" and not is_id(text)
        else (name, text)
        for name, text in parameters
    ]


def _with_database(work: Callable[[Database], Awaitable[_Result]], *, as_keeper: bool = False) -> _Result:
    """Run something that has many transactions, by the application's login or by that of the log's keeper."""
    url = reachable_url()
    check_revision(url)
    if as_keeper:
        url = keeper_url()

    async def run() -> _Result:
        database = Database(url, pool_size=2, statement_timeout_seconds=STATEMENT_TIMEOUT_SECONDS)
        try:
            return await work(database)
        finally:
            await database.close()

    return asyncio.run(run())


@app.command(name="list")
def list_entries(
    q: Q = "",
    actor: ActorName = "",
    action: Action = "",
    resource: Resource = "",
    record: Record = "",
    device: Device = "",
    request: RequestId = "",
    since: Since = "",
    until: Until = "",
    limit: Annotated[int, typer.Option(min=1, max=1000, help="Maximum number of rows")] = 50,
    *,
    as_json: AsJson = False,
) -> None:
    """List entries, newest first."""
    wanted = _parameters(
        q=q,
        actor=actor,
        action=action,
        resource=resource,
        record=record,
        device=device,
        request=request,
        since=since,
        until=until,
        limit=str(limit),
    )

    async def read(session: AsyncSession) -> AuditPage:
        asked = await _with_device_id(session, wanted)
        return await audit_browser.list_entries(session, command_actor(), asked)

    show(with_session(read).results, COLUMNS, as_json=as_json)


@app.command(name="show")
def show_entry(
    number: Annotated[int, typer.Argument(min=1, help="Entry number")], *, as_json: AsJson = False
) -> None:
    """Show an entry with its old and new values."""

    async def read(session: AsyncSession) -> AuditEntryRead:
        return await audit_browser.get_entry(session, command_actor(), number)

    show_one(with_session(read), as_json=as_json)


@app.command()
def seal(
    *,
    after_restore: Annotated[
        bool,
        typer.Option("--after-restore", help="Continue from the seals of a database restored from a backup"),
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Seal new entries and print the hash of the newest seal. Keep the hash elsewhere."""
    if after_restore:
        begin_epoch(reachable_url(as_administrator=True))

    async def work(database: Database) -> dict[str, Any]:
        if after_restore:
            await jobs.go_on_after_restore(database, get_settings(), command_context())
        made = await jobs.seal(database, get_settings(), command_context())
        async with database.session(command_context().of_keeper()) as session:
            newest = await queries.newest_seal(session)
        return {
            "seals": [
                {"number": one.number, "entries": one.entries, "hash": one.seal_hash.hex()} for one in made
            ],
            "newest": None if newest is None else {"number": newest.number, "hash": newest.seal_hash.hex()},
        }

    outcome = _with_database(work, as_keeper=True)
    if as_json:
        typer.echo(json.dumps(outcome))
        return
    for one in outcome["seals"]:
        typer.echo(f"Seal {one['number']}: {one['entries']} entries, {one['hash']}")
    newest = outcome["newest"]
    if newest is None:
        typer.echo("There is nothing to seal yet.")
    elif not outcome["seals"]:
        typer.echo(f"There is nothing new to seal. The newest seal is {newest['number']}: {newest['hash']}")


@app.command()
def verify(
    expect: Annotated[str, typer.Option(help="Hash of a seal that you kept; it must be in the chain")] = "",
    *,
    as_json: AsJson = False,
) -> None:
    """Verify the whole log against its seals. Exit code 1 if an entry was altered or sealing stopped."""
    expected = _hash(expect)

    async def work(database: Database) -> tuple[Report, SealingState]:
        async with database.session(command_context()) as session:
            total = await queries.count_sealed(session)
        # The bar comes up on standard error, and on a terminal only.
        with _progress(as_json=as_json) as progress:
            task = progress.add_task("Checking entries", total=total, visible=False)

            def advance(entries: int) -> None:
                progress.advance(task, entries)
                if (progress.tasks[0].elapsed or 0.0) > PROGRESS_FROM_SECONDS:
                    progress.update(task, visible=True)

            report = await jobs.verify(
                database, get_settings(), command_context(), expected=expected, progress=advance
            )
        async with database.session(command_context()) as session:
            return report, await sealing_state(session, get_settings(), utc_now())

    report, sealing = _with_database(work)
    if as_json:
        state = {"sealing": sealing.status, "sealing_problem": sealing.reason}
        typer.echo(json.dumps({"sound": report.is_sound} | state | asdict(report), default=str))
    else:
        _print_report(report, is_expected_given=expected is not None)
        if sealing.reason:
            typer.echo(
                f"Sealing {'has stopped' if sealing.status == 'stopped' else 'is behind'}. {sealing.reason}"
            )
    if not report.is_sound or sealing.status == "stopped":
        raise typer.Exit(1)


def _hash(text: str) -> bytes | None:
    if not text:
        return None
    try:
        value = bytes.fromhex(text.strip())
    except ValueError:
        value = b""
    if len(value) != 32:
        raise InvalidInputError(
            "The hash is wrong.",
            fields=[FieldError("--expect", "Must have 64 hexadecimal digits, as `audit seal` prints them")],
        )
    return value


def _print_report(report: Report, *, is_expected_given: bool) -> None:
    for number, finding in enumerate(report.findings):
        typer.echo(("First: " if number == 0 else "Then: ") + printable(finding.message))
        if number == 0 and finding.resource:
            typer.echo(
                f"       It is about {printable(finding.resource)}, by {printable(finding.actor or '')}."
            )
    checked = f"{report.entries + report.archived_entries} entries in {report.seals} seals"
    typer.echo(f"{checked}: {'all as they were sealed' if report.is_sound else 'not as they were sealed'}.")
    if report.archived_entries:
        typer.echo(f"{report.archived_entries} of them are in files of old months.")
    if report.expired_entries:
        typer.echo(f"{report.expired_entries} more were past their retention and went with their files.")
    typer.echo(f"{report.unsealed_entries} entries are not sealed yet.")
    if report.newest_hash:
        typer.echo(f"The newest seal is {report.newest_seal}: {report.newest_hash}")
        if not is_expected_given:
            typer.echo(
                "Who could write this home's folder, too, could have removed seals from the end; "
                "--expect and a hash kept elsewhere would tell."
            )


def _progress(*, as_json: bool) -> Progress:
    console = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    return Progress(*columns, console=console, transient=True, disable=as_json or not console.is_terminal)


@app.command()
def export(
    file: Annotated[Path, typer.Argument(help="File to write, .csv or .parquet")],
    q: Q = "",
    actor: ActorName = "",
    action: Action = "",
    resource: Resource = "",
    record: Record = "",
    device: Device = "",
    request: RequestId = "",
    since: Since = "",
    until: Until = "",
    *,
    as_json: AsJson = False,
) -> None:
    """Write matching entries to a file. The export itself is logged."""
    file_format = file.suffix.removeprefix(".")
    if file_format not in FORMATS:
        raise InvalidInputError(
            "The file is wrong.", fields=[FieldError("FILE", "Must end in .csv or .parquet")]
        )
    wanted = _parameters(
        q=q,
        actor=actor,
        action=action,
        resource=resource,
        record=record,
        device=device,
        request=request,
        since=since,
        until=until,
    )

    async def work(database: Database) -> int:
        context = command_context()
        async with database.session(context) as session:
            asked = await _with_device_id(session, wanted)
            statement = await audit_service.begin_export(session, command_actor(), asked, file_format)
        written = 0
        with file.open("wb") as target:
            async for chunk in export_entries(database, context, statement, file_format):
                written += target.write(chunk)
        return written

    size = _with_database(work)
    typer.echo(json.dumps({"file": str(file), "bytes": size}) if as_json else f"Wrote {file} ({size} bytes).")


@app.command()
def archive(
    *,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Show which months are due; change nothing")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Move old months to files, and delete files past their retention."""

    async def work(database: Database) -> list[str]:
        if not dry_run:
            return await jobs.archive_old_months(database, get_settings(), command_context())
        async with database.session(command_context().of_keeper()) as session:
            config = (await read_config(session)).audit
            months = await archives.due_months(session, utc_now().date(), config.archive_after_months)
        return [f"{month:%Y-%m}" for month in months]

    names = _with_database(work, as_keeper=True)
    if as_json:
        typer.echo(json.dumps({"due" if dry_run else "archived": names}))
    else:
        typer.echo(f"{'Due' if dry_run else 'Archived'}: {', '.join(names) or 'no month'}.")
