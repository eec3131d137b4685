"""`fleetkeeper job …`: background jobs and their runs."""

import time
from typing import Annotated
from uuid import UUID

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn
from sqlalchemy.ext.asyncio import AsyncSession

from fleetkeeper.cli.running import with_session
from fleetkeeper.cli.tables import AsJson, show, show_one
from fleetkeeper.jobs import service
from fleetkeeper.jobs.schemas import JobRead, RunRead
from fleetkeeper.jobs.status import OPEN, RunState
from fleetkeeper.operations import jobs_service

app = typer.Typer(help="Background jobs and their runs.", no_args_is_help=True)

RunId = Annotated[str, typer.Argument(help="ID of the run, or a unique beginning of it")]
LOOK_SECONDS = 1.0


@app.command(name="list")
def list_jobs(*, as_json: AsJson = False) -> None:
    """List all jobs with their schedules (UTC)."""
    found: list[JobRead] = with_session(service.list_jobs)
    show(found, ("name", "title", "cron", "manual_run"), as_json=as_json)


@app.command()
def runs(
    job: Annotated[str | None, typer.Option(help="Runs of this job only")] = None,
    state: Annotated[RunState | None, typer.Option(help="Runs in this state only")] = None,
    limit: Annotated[int, typer.Option(min=1, max=1000, help="Maximum number of rows")] = 50,
    *,
    as_json: AsJson = False,
) -> None:
    """List runs, newest first."""

    async def read(session: AsyncSession) -> list[RunRead]:
        parameters = [("limit", str(limit)), ("job", job or ""), ("state", state or "")]
        return (await service.list_runs(session, parameters)).results

    columns = (
        "id",
        "title",
        "state",
        "phase",
        "done",
        "total",
        "requested_by",
        "requested_at",
        "finished_at",
    )
    show(with_session(read), columns, as_json=as_json)


@app.command()
def run(
    name: Annotated[str, typer.Argument(help="Name of the job, such as telemetry.measure_space")],
    *,
    wait: Annotated[bool, typer.Option("--wait", help="Show progress until the run ends")] = False,
    as_json: AsJson = False,
) -> None:
    """Start a job as soon as a worker is free."""

    async def ask(session: AsyncSession) -> UUID:
        return (await jobs_service.run_job(session, name)).id

    run_id = with_session(ask)
    found = _follow(run_id, quiet=as_json) if wait else _read(str(run_id))
    show_one(found, as_json=as_json)
    if wait and found.state != RunState.DONE:
        raise typer.Exit(1)


@app.command(name="show")
def show_run(run_id: RunId, *, as_json: AsJson = False) -> None:
    """Show one run."""
    show_one(_read(run_id), as_json=as_json)


@app.command()
def cancel(run_id: RunId, *, as_json: AsJson = False) -> None:
    """Cancel a waiting run, or stop a running one at its next step."""

    async def change(session: AsyncSession) -> RunRead:
        return await jobs_service.cancel_run(session, await service.find_run(session, run_id))

    show_one(with_session(change), as_json=as_json)


def _read(run_id: str) -> RunRead:
    async def read(session: AsyncSession) -> RunRead:
        return await service.get_run(session, await service.find_run(session, run_id))

    return with_session(read)


def _follow(run_id: UUID, *, quiet: bool) -> RunRead:
    columns = (SpinnerColumn(), TextColumn("{task.description}"), BarColumn())
    with Progress(*columns, console=Console(stderr=True), disable=quiet, transient=True) as progress:
        bar = progress.add_task("Waiting for a worker", total=None)
        while (found := _read(str(run_id))).state in OPEN:
            words = found.phase or ("Waiting for a worker" if found.state == RunState.WAITING else "Running")
            progress.update(bar, description=words, completed=found.done, total=found.total)
            time.sleep(LOOK_SECONDS)
    return found
