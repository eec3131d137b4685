"""`fleetkeeper telemetry export`: samples of every tier as a file."""

import asyncio
from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TaskProgressColumn, TimeRemainingColumn

from fleetkeeper.cli.running import command_actor, command_context, reachable_url
from fleetkeeper.cli.tables import AsJson, show_one
from fleetkeeper.database.engine import Database
from fleetkeeper.database.migrate import check_revision
from fleetkeeper.devices.finding import find_device
from fleetkeeper.errors import FieldError, InvalidInputError
from fleetkeeper.kit.moments import moment
from fleetkeeper.settings import get_settings
from fleetkeeper.telemetry.exporting.formats import FORMATS
from fleetkeeper.telemetry.exporting.schemas import ExportDone
from fleetkeeper.telemetry.exporting.service import begin_export

# A device of a year may take a while.
STATEMENT_TIMEOUT_SECONDS = 3600


def export(
    file: Annotated[Path, typer.Argument(help="File to write: .parquet, .csv or .arrow")],
    start: Annotated[
        str,
        typer.Option("--from", help="Start time, such as 2026-11-27T16:00:00Z, or epoch seconds; required"),
    ] = "",
    end: Annotated[
        str, typer.Option("--to", help="End time, such as 2026-11-28T16:00:00Z, or epoch seconds; required")
    ] = "",
    metric: Annotated[
        list[str] | None, typer.Option(help="Metric or channel; repeatable; default: all")
    ] = None,
    device: Annotated[
        list[str] | None, typer.Option(help="Name or ID of a device; repeatable; default: all")
    ] = None,
    *,
    as_json: AsJson = False,
) -> None:
    """Export raw samples from every tier to a file. The export is logged in the audit log."""
    file_format = file.suffix.removeprefix(".")
    if file_format not in FORMATS:
        raise InvalidInputError(
            "The file is wrong.", fields=[FieldError("FILE", f"Must end in .{', .'.join(FORMATS)}")]
        )
    if not file.parent.is_dir():
        raise InvalidInputError(
            "The file is wrong.",
            fields=[FieldError("FILE", f"There is no folder {file.parent}; create it first")],
        )
    url = reachable_url()
    check_revision(url)
    done = asyncio.run(
        _write(url, file, metric or [], device or [], moment("--from", start), moment("--to", end))
    )
    show_one(done, as_json=as_json)


async def _write(
    url: str, file: Path, metrics: list[str], devices: list[str], start: datetime, end: datetime
) -> ExportDone:
    database = Database(
        url, pool_size=2, statement_timeout_seconds=STATEMENT_TIMEOUT_SECONDS, settings=get_settings()
    )
    # Whoever reads the file meanwhile shall not take a part for the whole.
    unfinished = file.with_name(f"{file.name}.part")
    try:
        async with database.session(command_context()) as session:
            actor = command_actor()
            chosen = await begin_export(
                session,
                actor,
                metrics=metrics,
                devices=[await find_device(session, actor, one) for one in devices],
                start=start,
                end=end,
                file_format=file.suffix.removeprefix("."),
            )
        columns = BarColumn(), TaskProgressColumn(), DownloadColumn(), TimeRemainingColumn()
        with unfinished.open("wb") as sink, Progress(*columns, console=Console(stderr=True)) as progress:
            task = progress.add_task("export", total=None)
            size = 0
            async for data, part in chosen.file(lambda: database.session(command_context())):
                sink.write(data)
                size += len(data)
                progress.update(task, completed=size, total=size / part if part else None)
        unfinished.replace(file)
        return ExportDone(file=str(file), bytes=size, series=len(chosen.series), devices=len(chosen.names))
    finally:
        unfinished.unlink(missing_ok=True)
        await database.close()
