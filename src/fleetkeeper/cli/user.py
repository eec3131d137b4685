"""`fleetkeeper user …`: local accounts."""

from typing import Annotated

import typer
from sqlalchemy.ext.asyncio import AsyncSession

from fleetkeeper.cli.running import with_session
from fleetkeeper.identity.permissions import Role
from fleetkeeper.identity.users import service

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

    async def make(session: AsyncSession) -> None:
        await service.create_user(session, username, password, role)

    with_session(make)
    typer.echo(f"{username} can sign in as {role}.")
