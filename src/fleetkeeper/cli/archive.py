"""`fleetkeeper archive …`: policies, what they would do, and the files of old telemetry."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from typing import Annotated, Any, TypeVar
from uuid import UUID

import typer
from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, SpinnerColumn, TextColumn, TimeRemainingColumn
from sqlalchemy.ext.asyncio import AsyncSession

from fleetkeeper.cli.inputs import checked
from fleetkeeper.cli.job_progress import follow
from fleetkeeper.cli.running import command_actor, command_context, reachable_url, with_session
from fleetkeeper.cli.tables import AsJson, done, print_table, show, show_one
from fleetkeeper.database.engine import Database
from fleetkeeper.database.migrate import check_revision
from fleetkeeper.devices.finding import find_device
from fleetkeeper.identity.departments import service as departments
from fleetkeeper.jobs.status import RunState
from fleetkeeper.kit.sizes import size_text
from fleetkeeper.settings import Settings, get_settings
from fleetkeeper.telemetry.archive import browsing, editing
from fleetkeeper.telemetry.archive.schemas import (
    EffectivePolicy,
    FilePage,
    Outcome,
    PolicyList,
    PolicyRead,
    PolicyWrite,
    StoreState,
)
from fleetkeeper.telemetry.archive.verification import Checked
from fleetkeeper.telemetry.archive.verification import verify as verify_files

app = typer.Typer(help="Retention policies and the telemetry archive.", no_args_is_help=True)
policies_app = typer.Typer(help="Retention policies.", no_args_is_help=True)
app.add_typer(policies_app, name="policies")

STATEMENT_TIMEOUT_SECONDS = 3600
_Result = TypeVar("_Result")
_COLUMNS = (
    "id", "name", "priority", "metric_group", "device_type", "department", "raw_days", "archive_after_days",
    "downsample_after_days",
)  # fmt: skip
Yes = Annotated[bool, typer.Option("--yes", help="Do not ask for confirmation")]
PolicyId = Annotated[int, typer.Argument(min=1, help="Number of the policy")]


def _with_database(work: Callable[[Database, Settings], Awaitable[_Result]]) -> _Result:
    url = reachable_url()
    check_revision(url)

    async def run() -> _Result:
        database = Database(url, pool_size=2, statement_timeout_seconds=STATEMENT_TIMEOUT_SECONDS)
        try:
            return await work(database, get_settings())
        finally:
            await database.close()

    return asyncio.run(run())


@policies_app.command(name="list")
def list_policies(*, as_json: AsJson = False) -> None:
    """List policies, highest priority first."""

    async def read(session: AsyncSession) -> PolicyList:
        return await editing.list_policies(session)

    show(with_session(read).results, _COLUMNS, as_json=as_json)


@policies_app.command(name="show")
def show_policy(policy: PolicyId, *, as_json: AsJson = False) -> None:
    """Show one policy."""

    async def read(session: AsyncSession) -> PolicyRead:
        return await editing.get_policy(session, policy)

    show_one(with_session(read), as_json=as_json)


@policies_app.command(name="set")
def set_policy(
    policy: Annotated[
        int | None, typer.Argument(min=1, help="Number of the policy; leave out to create one")
    ] = None,
    name: Annotated[str | None, typer.Option(help="Name")] = None,
    priority: Annotated[int | None, typer.Option(help="Priority; the highest wins")] = None,
    metric_group: Annotated[str | None, typer.Option(help="Metric group; `any` for all")] = None,
    device_type: Annotated[str | None, typer.Option(help="Device type; `any` for all")] = None,
    department: Annotated[str | None, typer.Option(help="Department; `any` for all")] = None,
    raw: Annotated[str | None, typer.Option(help="Days until raw samples are deleted, or `never`")] = None,
    archive_after: Annotated[
        str | None, typer.Option(help="Days until raw samples move to archive files, or `never`")
    ] = None,
    downsample_after: Annotated[
        str | None,
        typer.Option(help="Days until raw samples are deleted and only rollups are kept, or `never`"),
    ] = None,
    hours: Annotated[str | None, typer.Option(help="Days to keep hourly rollups, or `ever`")] = None,
    days: Annotated[str | None, typer.Option(help="Days to keep daily rollups, or `ever`")] = None,
    weeks: Annotated[str | None, typer.Option(help="Days to keep weekly rollups, or `ever`")] = None,
    months: Annotated[str | None, typer.Option(help="Days to keep monthly rollups, or `ever`")] = None,
    reason: Annotated[str, typer.Option(help="Reason, for the audit log")] = "",
    *,
    as_json: AsJson = False,
) -> None:
    """Create or change a policy. Options that you leave out keep their value."""
    given: dict[str, Any] = {
        "name": name,
        "priority": priority,
        "metric_group": metric_group,
        "device_type": device_type,
        "raw_days": raw,
        "archive_after_days": archive_after,
        "downsample_after_days": downsample_after,
        "hour_rollup_days": hours,
        "day_rollup_days": days,
        "week_rollup_days": weeks,
        "month_rollup_days": months,
    }
    values = {
        field: None if text in {"never", "ever", "any"} and field != "name" else text
        for field, text in given.items()
        if text is not None
    }

    async def write(session: AsyncSession) -> PolicyRead:
        if department is not None:
            known = department != "any"
            values["department_id"] = (
                await departments.find_department(session, command_actor(), department) if known else None
            )
        wanted = checked(PolicyWrite, **values)
        if policy is None:
            return await editing.create_policy(session, wanted)
        return await editing.change_policy(session, policy, wanted)

    show_one(with_session(write, reason), as_json=as_json)


@policies_app.command(name="delete")
def delete_policy(
    policy: PolicyId,
    reason: Annotated[str, typer.Option(help="Reason, for the audit log")] = "",
    *,
    as_json: AsJson = False,
) -> None:
    """Delete a policy. The next matching policy applies instead."""

    async def delete(session: AsyncSession) -> None:
        await editing.delete_policy(session, policy)

    with_session(delete, reason)
    done(f"Deleted policy {policy}.", as_json=as_json)


@policies_app.command(name="explain")
def explain(
    device: Annotated[str, typer.Option(help="Name or ID of the device")],
    metric: Annotated[str, typer.Option(help="Name of the metric")],
    *,
    as_json: AsJson = False,
) -> None:
    """Show which policy applies to a metric of a device, and why."""

    async def read(session: AsyncSession) -> EffectivePolicy:
        found = await find_device(session, command_actor(), device)
        return await editing.effective_policy(session, command_actor(), found, metric)

    show_one(with_session(read), as_json=as_json)


@app.command(name="status")
def status(*, as_json: AsJson = False) -> None:
    """Show where the archive is and what it contains."""

    async def read(session: AsyncSession) -> StoreState:
        return await browsing.store_state(session, get_settings())

    show_one(with_session(read), as_json=as_json)


@app.command(name="dry-run")
def dry_run(*, as_json: AsJson = False) -> None:
    """Preview what a run would move and delete now. Nothing changes."""
    with _spinner("Looking at what is due", as_json=as_json):
        outcome = _with_database(browsing.dry_run)
    _print_outcome(outcome, as_json=as_json)


@app.command(name="run")
def run_now(
    *,
    yes: Yes = False,
    reason: Annotated[str, typer.Option(help="Reason, for the audit log")] = "",
    as_json: AsJson = False,
) -> None:
    """Apply policies now. Deleted data cannot be restored."""
    if not yes:
        _print_outcome(_with_database(browsing.dry_run), as_json=False)
        typer.confirm("Run this now? Deleted data cannot be restored.", abort=True)

    async def ask(session: AsyncSession) -> UUID:
        return (await browsing.ask_for_run(session)).id

    run = follow(with_session(ask, reason), quiet=as_json)
    if as_json:
        typer.echo(run.model_dump_json())
    else:
        outcome = Outcome.model_validate(run.outcome)
        _print_outcome(outcome, as_json=False)
        for error in outcome.errors or [run.error] * bool(run.error):
            typer.echo(f"Problem: {error}", err=True)
    if run.state != RunState.DONE:
        raise typer.Exit(1)


@app.command(name="files")
def list_files(
    limit: Annotated[int, typer.Option(min=1, max=1000, help="Maximum number of rows")] = 50,
    *,
    as_json: AsJson = False,
) -> None:
    """List archive files."""

    async def read(session: AsyncSession) -> FilePage:
        return await browsing.list_files(session, [("limit", str(limit))])

    columns = ("day", "store", "path", "devices", "rows", "size_bytes", "problem")
    show(with_session(read).results, columns, as_json=as_json)


@app.command(name="verify")
def verify(*, as_json: AsJson = False) -> None:
    """Verify each file's hash. Exit code 1 if a file is missing or damaged."""

    async def work(database: Database, settings: Settings) -> Checked:
        async with database.session(command_context()) as session:
            total = (await browsing.store_state(session, settings)).size_bytes
        columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TimeRemainingColumn())
        console = Console(stderr=True)
        with Progress(
            *columns, console=console, transient=True, disable=as_json or not console.is_terminal
        ) as progress:
            task = progress.add_task("Checking files", total=total)

            async def tell(size: int) -> None:
                progress.advance(task, size)

            return await verify_files(database.url, settings, progress=tell)

    found = _with_database(work)
    if as_json:
        problems = [{"path": path, "problem": problem} for path, problem in found.problems]
        typer.echo(json.dumps({"files": found.files, "bytes": found.size_bytes, "problems": problems}))
    else:
        for path, problem in found.problems:
            typer.echo(f"{path}: {problem}")
        good = found.files - len(found.problems)
        typer.echo(f"{good} of {found.files} files are as they were written ({size_text(found.size_bytes)}).")
    if found.problems:
        raise typer.Exit(1)


def _spinner(words: str, *, as_json: bool) -> Progress:
    console = Console(stderr=True)
    progress = Progress(
        SpinnerColumn(),
        TextColumn("{task.description}"),
        console=console,
        transient=True,
        disable=as_json or not console.is_terminal,
    )
    progress.add_task(words, total=None)
    return progress


def _print_outcome(outcome: Outcome, *, as_json: bool) -> None:
    if as_json:
        typer.echo(outcome.model_dump_json())
        return
    if not (outcome.lines or outcome.dropped_months or outcome.united_files):
        typer.echo("Nothing is due.")
        return
    print_table(
        ("Policy", "Action", "Tier", "Devices", "Pieces", "Samples", "Size"),
        [
            (line.policy, line.action, line.tier, f"{line.devices:,}", f"{line.pieces:,}", f"{line.samples:,}",
             size_text(line.size_bytes))
            for line in outcome.lines
        ],
    )  # fmt: skip
    if outcome.dropped_months:
        months = ", ".join(outcome.dropped_months)
        typer.echo(f"Whole months dropped: {months} ({size_text(outcome.dropped_bytes)}).")
    if outcome.united_files:
        typer.echo(f"Small files that became larger ones: {outcome.united_files:,}.")
    if outcome.written_bytes:
        typer.echo(f"New files: {size_text(outcome.written_bytes)}.")
