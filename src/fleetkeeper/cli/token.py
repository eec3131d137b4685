"""`fleetkeeper token …`: API tokens and enrolment tokens."""

import json
from datetime import timedelta
from typing import Annotated

import typer
from sqlalchemy.ext.asyncio import AsyncSession

from fleetkeeper.cli.running import command_actor, with_session
from fleetkeeper.fleet import service as fleet
from fleetkeeper.fleet.schemas import EnrollmentTokenCreate
from fleetkeeper.identity.tokens.service import create_token
from fleetkeeper.kit.clock import utc_now

app = typer.Typer(help="API tokens and enrolment tokens.", no_args_is_help=True)

AsJson = Annotated[bool, typer.Option("--json", help="For machines")]


@app.command()
def create(
    user: Annotated[str, typer.Option(help="Whose permissions the token has")],
    name: Annotated[str, typer.Option(help="What the token is for")],
    days: Annotated[
        int | None, typer.Option(min=1, max=3650, help="Days until it expires; never, if not given")
    ] = None,
    *,
    as_json: AsJson = False,
) -> None:
    """Make an API token and print it. It cannot be shown again."""

    async def make(session: AsyncSession) -> str:
        now = utc_now()
        expires_at = now + timedelta(days=days) if days else None
        return await create_token(session, user, name, now=now, expires_at=expires_at)

    secret = with_session(make)
    typer.echo(json.dumps({"token": secret, "name": name, "user": user}) if as_json else secret)


@app.command()
def enroll(
    name: Annotated[str, typer.Option(help="What the token is for")] = "command line",
    max_uses: Annotated[
        int, typer.Option(min=1, max=100_000, help="How many machines may enrol with it")
    ] = 1,
    hours: Annotated[int, typer.Option(min=1, max=8760, help="Hours until it expires")] = 24,
    *,
    as_json: AsJson = False,
) -> None:
    """Make an enrolment token and print it. It cannot be shown again."""

    async def make(session: AsyncSession) -> str:
        wanted = EnrollmentTokenCreate(name=name, max_uses=max_uses, ttl_seconds=hours * 3600)
        return (await fleet.create_enrollment_token(session, command_actor(), wanted, utc_now())).token

    secret = with_session(make)
    typer.echo(json.dumps({"token": secret, "name": name, "max_uses": max_uses}) if as_json else secret)
