"""`fleetkeeper db …`: the database's URL, schema and readers."""

import json
from typing import Annotated, Any

import typer

from fleetkeeper.audit.epochs import begin_epoch
from fleetkeeper.cli import db_readers
from fleetkeeper.cli.running import reachable_url
from fleetkeeper.database import migrate as migrations
from fleetkeeper.database.engine import database_url
from fleetkeeper.database.logins import ensure_logins
from fleetkeeper.settings import get_settings

app = typer.Typer(help="The database's URL, schema and readers.", no_args_is_help=True)
app.command()(db_readers.grant)
app.command()(db_readers.revoke)
app.command()(db_readers.readers)


@app.command()
def url() -> None:
    """Print the administrator's connection URL, for psql and other tools."""
    typer.echo(database_url(get_settings()))


@app.command()
def migrate(revision: Annotated[str, typer.Argument(help="Revision to stop at")] = "head") -> None:
    """Migrate the schema to this version."""
    address = reachable_url(as_administrator=True)
    pending = migrations.pending_revisions(address)
    migrations.migrate(address, revision)
    if migrations.current_revision(address) == migrations.newest_revision():
        begin_epoch(address)
    ensure_logins(address, get_settings())
    typer.echo(f"Applied {len(pending)} migrations; the schema is at {migrations.current_revision(address)}.")


@app.command()
def rollback(
    revision: Annotated[str, typer.Argument(help="Revision to go back to; -1 is one step")] = "-1",
    *,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask for confirmation")] = False,
) -> None:
    """Roll the schema back. Data that the undone migrations added is lost."""
    address = reachable_url(as_administrator=True)
    if not yes:
        typer.confirm(
            "This drops the tables and columns that the undone migrations added, with their data. Continue?",
            abort=True,
        )
    migrations.rollback(address, revision)
    typer.echo(f"The schema is at {migrations.current_revision(address) or 'the very beginning'}.")


@app.command()
def status(*, as_json: Annotated[bool, typer.Option("--json", help="Output JSON")] = False) -> None:
    """Show the revision of the schema."""
    address = reachable_url(as_administrator=True)
    state: dict[str, Any] = {
        "current": migrations.current_revision(address),
        "newest": migrations.newest_revision(),
        "pending": migrations.pending_revisions(address),
    }
    if as_json:
        typer.echo(json.dumps(state))
        return
    current, pending = state["current"], state["pending"]
    todo = f"{len(pending)} to apply" if pending else "nothing to apply"
    if current is not None and not migrations.is_known(current):
        todo = "it was made by a newer version of this program"
    typer.echo(
        f"The schema is at {current or 'the very beginning'}, the newest here is {state['newest']}: {todo}."
    )
