"""`fleetkeeper user …`: local accounts."""

from typing import Annotated

import typer

from fleetkeeper.cli.running import with_database
from fleetkeeper.database.engine import Database
from fleetkeeper.identity import service
from fleetkeeper.identity.permissions import Role

app = typer.Typer(help="Local accounts.", no_args_is_help=True)


@app.callback()
def accounts() -> None:
    """Local accounts."""


@app.command()
def create(
    username: str,
    role: Annotated[Role, typer.Option(help="What the user may do")] = Role.VIEWER,
    password: Annotated[
        str,
        typer.Option(prompt=True, confirmation_prompt=True, hide_input=True, help="Asked for, if not given"),
    ] = "",
) -> None:
    """Make a local account."""

    async def make(database: Database) -> None:
        async with database.session() as session:
            await service.create_user(session, username, password, role)

    with_database(make)
    typer.echo(f"{username} can sign in as {role}.")
