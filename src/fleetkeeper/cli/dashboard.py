"""`fleetkeeper dashboard …`: saved dashboards, and those that the product brings, as files and lists."""

import json
import sys
from pathlib import Path
from typing import Annotated, Any

import typer
from sqlalchemy.ext.asyncio import AsyncSession

from fleetkeeper.cli.inputs import checked
from fleetkeeper.cli.running import command_actor, with_session
from fleetkeeper.cli.tables import AsJson, done, show, show_one
from fleetkeeper.errors import FieldError, InvalidInputError
from fleetkeeper.kit.text import printable
from fleetkeeper.telemetry.dashboards import service
from fleetkeeper.telemetry.dashboards.definition import MAX_BYTES
from fleetkeeper.telemetry.dashboards.schemas import (
    DashboardDocument,
    DashboardImport,
    DashboardRead,
    DashboardSummary,
)

app = typer.Typer(help="Saved dashboards.", no_args_is_help=True)

Key = Annotated[str, typer.Argument(help="Slug or ID of the dashboard")]
Reason = Annotated[str, typer.Option(help="Reason, for the audit log")]
COLUMNS = ("slug", "name", "visibility", "default_for", "panels")
PAGE = 1000


@app.command(name="list")
def list_dashboards(
    q: Annotated[str, typer.Option(help="Part of the name or description")] = "",
    *,
    built_in: Annotated[bool, typer.Option("--built-in", help="Built-in dashboards")] = False,
    as_json: AsJson = False,
) -> None:
    """List all saved dashboards, including private ones."""

    async def read(session: AsyncSession) -> list[DashboardSummary]:
        found: list[DashboardSummary] = []
        parameters = [("limit", str(PAGE)), ("q", q)]
        page = await service.list_dashboards(session, command_actor(), parameters)
        found += page.results
        while page.next:
            cursor = page.next.rpartition("cursor=")[2]
            page = await service.list_dashboards(session, command_actor(), [*parameters, ("cursor", cursor)])
            found += page.results
        return found

    if built_in:
        rows = [item for item in service.built_in_dashboards() if q.casefold() in item.name.casefold()]
    else:
        rows = with_session(read)
    show(rows, COLUMNS, as_json=as_json)


@app.command(name="show")
def show_dashboard(key: Key, *, as_json: AsJson = False) -> None:
    """Show a dashboard with its rows and panels."""

    async def read(session: AsyncSession) -> DashboardRead:
        return await service.get_dashboard(session, command_actor(), key)

    found = with_session(read)
    if as_json:
        show_one(found, as_json=True)
        return
    show_one(DashboardSummary(**found.model_dump(exclude={"definition"})), as_json=False)
    for row in found.definition["rows"]:
        typer.echo(printable(row["title"] or "(no title)"))
        for panel in row["panels"]:
            typer.echo(
                f"  {printable(panel['title'] or '(no title)')} ({panel['kind']}, {panel['width']} of 12)"
            )


@app.command(name="export")
def export_dashboard(
    key: Key,
    to: Annotated[Path | None, typer.Option(help="File to write; default: standard output")] = None,
) -> None:
    """Export a dashboard as JSON."""

    async def read(session: AsyncSession) -> DashboardDocument:
        return await service.export_dashboard(session, command_actor(), key)

    text = json.dumps(with_session(read).model_dump(mode="json"), indent=2, ensure_ascii=False)
    if to is None:
        typer.echo(text)
    else:
        to.write_text(text + "\n", encoding="utf-8")


@app.command(name="import")
def import_dashboard(
    file: Annotated[Path, typer.Argument(help="Exported file, or - for standard input")],
    reason: Reason = "",
    *,
    replace: Annotated[
        bool, typer.Option("--replace", help="Replace the dashboard with the same slug")
    ] = False,
    private: Annotated[bool, typer.Option("--private", help="Keep it private to the command line")] = False,
    as_json: AsJson = False,
) -> None:
    """Import a dashboard for everyone, or replace one."""
    document = _read(file)
    wanted = checked(
        DashboardImport,
        **{**document, "replace": replace, "visibility": "private" if private else "everyone"},
    )

    async def write(session: AsyncSession) -> DashboardRead:
        return await service.import_dashboard(session, command_actor(), wanted)

    made = with_session(write, reason)
    if as_json:
        show_one(made, as_json=True)
    else:
        done(f"Stored {made.slug} at version {made.version}, with {made.panels} panels.", as_json=False)


@app.command(name="delete")
def delete_dashboard(
    key: Key,
    reason: Reason = "",
    *,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask for confirmation")] = False,
    as_json: AsJson = False,
) -> None:
    """Delete a dashboard. A shared dashboard is deleted for everyone."""
    if not yes:
        typer.confirm(f"Delete {printable(key)}? This cannot be undone.", abort=True)

    async def remove(session: AsyncSession) -> None:
        await service.delete_dashboard(session, command_actor(), key)

    with_session(remove, reason)
    done(f"Deleted {printable(key)}.", as_json=as_json)


def _read(file: Path) -> dict[str, Any]:
    """The file's JSON. Raises InvalidInputError."""
    try:
        text = sys.stdin.read(MAX_BYTES * 2) if str(file) == "-" else file.read_text(encoding="utf-8")
        document = json.loads(text)
    except (OSError, ValueError, RecursionError) as error:
        raise InvalidInputError(
            "The file cannot be read.",
            fields=[FieldError("file", f"Must be JSON as `dashboard export` writes it: {error}")],
        ) from None
    if not isinstance(document, dict):
        raise InvalidInputError(
            "The file is not a dashboard.", fields=[FieldError("file", "Must contain one JSON object")]
        )
    return document
