"""`fleetkeeper job …`: background jobs and their runs."""

from typing import Annotated
from uuid import UUID

import typer
from sqlalchemy.ext.asyncio import AsyncSession

from fleetkeeper.cli.job_progress import follow, read_run
from fleetkeeper.cli.running import with_session
from fleetkeeper.cli.tables import AsJson, show, show_one
from fleetkeeper.jobs import service
from fleetkeeper.jobs.schemas import JobRead, RunRead
from fleetkeeper.jobs.status import RunState
from fleetkeeper.operations import jobs_service

app = typer.Typer(help="Background jobs and their runs.", no_args_is_help=True)

RunId = Annotated[str, typer.Argument(help="ID of the run, or a unique beginning of it")]


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
    found = follow(run_id, quiet=as_json) if wait else read_run(str(run_id))
    show_one(found, as_json=as_json)
    if wait and found.state != RunState.DONE:
        raise typer.Exit(1)


@app.command(name="show")
def show_run(run_id: RunId, *, as_json: AsJson = False) -> None:
    """Show one run."""
    show_one(read_run(run_id), as_json=as_json)


@app.command()
def cancel(run_id: RunId, *, as_json: AsJson = False) -> None:
    """Cancel a waiting run, or stop a running one at its next step."""

    async def change(session: AsyncSession) -> RunRead:
        return await jobs_service.cancel_run(session, await service.find_run(session, run_id))

    show_one(with_session(change), as_json=as_json)
