"""`fleetkeeper token …`: API tokens and enrollment tokens."""

import json
from datetime import timedelta
from ipaddress import ip_network
from typing import Annotated

import typer
from sqlalchemy.ext.asyncio import AsyncSession

from fleetkeeper.cli.inputs import checked
from fleetkeeper.cli.running import command_actor, with_session
from fleetkeeper.cli.tables import AsJson, done, show
from fleetkeeper.devices.finding import find_device
from fleetkeeper.errors import FieldError, InvalidInputError
from fleetkeeper.fleet import service as fleet
from fleetkeeper.fleet.schemas import DeviceEnrollment, EnrollmentTokenCreate
from fleetkeeper.identity.departments.service import find_department
from fleetkeeper.identity.limits import Limits, Network
from fleetkeeper.identity.permissions import Permission
from fleetkeeper.identity.tokens import service
from fleetkeeper.identity.tokens.presets import Preset
from fleetkeeper.identity.tokens.schemas import TokenRead
from fleetkeeper.kit.clock import utc_now

app = typer.Typer(help="API tokens and enrollment tokens.", no_args_is_help=True)

Networks = Annotated[
    list[str] | None,
    typer.Option("--network", help="Network it may be used from, such as 192.0.2.0/24; repeatable"),
]
Token = Annotated[str, typer.Argument(help="Name or ID of the token, or a unique beginning of the ID")]
Owner = Annotated[
    str | None, typer.Option("--user", help="Owner of the token, if several tokens have the name")
]


@app.command()
def create(
    user: Annotated[str, typer.Option(help="User whose permissions the token gets")],
    name: Annotated[str, typer.Option(help="Name of the token, such as what uses it")],
    days: Annotated[
        int | None, typer.Option(min=1, max=3650, help="Days until it expires; default: never")
    ] = None,
    preset: Annotated[Preset | None, typer.Option(help="Preset, instead of single permissions")] = None,
    permission: Annotated[
        list[Permission] | None, typer.Option("--permission", help="Limit to this permission; repeatable")
    ] = None,
    department: Annotated[
        list[str] | None,
        typer.Option(
            "--department", help="Limit to this department and below, as Company/Region; repeatable"
        ),
    ] = None,
    network: Networks = None,
    *,
    as_json: AsJson = False,
) -> None:
    """Create an API token and print it. It cannot be shown again.

    Without a preset or permissions, the token can do everything that its user can do.
    """
    if preset and permission:
        raise InvalidInputError(
            "The token was not created.",
            fields=[FieldError("preset", "Give either a preset or permissions, not both")],
        )

    async def make(session: AsyncSession) -> str:
        now = utc_now()
        expires_at = now + timedelta(days=days) if days else None
        places = [await find_department(session, command_actor(), one) for one in department or ()]
        limits = Limits(permission or None, places or None, _networks(network), expires_at)
        return await service.create_token(
            session, user, name, now=now, expires_at=expires_at, limits=limits, preset=preset
        )

    secret = with_session(make)
    if warning := _warning(user, has_all=not permission and preset in {None, Preset.ADMINISTER}, days=days):
        typer.echo(warning, err=True)
    typer.echo(json.dumps({"token": secret, "name": name, "user": user}) if as_json else secret)


@app.command(name="list")
def list_tokens(
    user: Annotated[str | None, typer.Option(help="Tokens of this user only")] = None,
    *,
    as_json: AsJson = False,
) -> None:
    """List API tokens, without their secrets."""

    async def read(session: AsyncSession) -> list[TokenRead]:
        parameters = [("limit", "1000"), ("user", user or "")]
        return (await service.list_tokens(session, command_actor(), parameters)).results

    columns = ("id", "name", "username", "permissions", "allowed_networks", "expires_at", "last_used_at")
    show(with_session(read), columns, as_json=as_json)


@app.command()
def rotate(
    token: Token,
    user: Owner = None,
    overlap: Annotated[
        int, typer.Option(min=0, max=604_800, help="Seconds for which the old secret keeps working")
    ] = 3600,
    *,
    as_json: AsJson = False,
) -> None:
    """Rotate a token: give it a new secret and print it."""

    async def change(session: AsyncSession) -> str:
        found = await service.find_token(session, command_actor(), token, user)
        return await service.rotate_by_command(session, found.id, timedelta(seconds=overlap), utc_now())

    secret = with_session(change)
    typer.echo(json.dumps({"token": secret, "old_secret_valid_seconds": overlap}) if as_json else secret)


@app.command()
def revoke(token: Token, user: Owner = None, *, as_json: AsJson = False) -> None:
    """Revoke a token. It stops working at once."""

    async def change(session: AsyncSession) -> None:
        found = await service.find_token(session, command_actor(), token, user)
        await service.revoke_token(session, command_actor(), found.id)

    with_session(change)
    done(f"Revoked token {token}.", as_json=as_json)


@app.command()
def enroll(
    name: Annotated[str, typer.Option(help="Name of the token, such as what uses it")] = "command line",
    max_uses: Annotated[
        int, typer.Option(min=1, max=100_000, help="Number of machines that may enroll with it")
    ] = 1,
    hours: Annotated[int, typer.Option(min=1, max=8760, help="Hours until it expires")] = 24,
    department: Annotated[
        str | None, typer.Option(help="Department for new devices, as Company/Region")
    ] = None,
    network: Networks = None,
    device: Annotated[
        str | None,
        typer.Option(help="Device that one machine becomes again, such as after it was installed anew"),
    ] = None,
    *,
    as_json: AsJson = False,
) -> None:
    """Create an enrollment token and print it. It cannot be shown again."""

    async def make(session: AsyncSession) -> str:
        if device is not None:
            return await _make_for_device(session, device, hours, _networks(network))
        wanted = checked(
            EnrollmentTokenCreate,
            name=name,
            max_uses=max_uses,
            ttl_seconds=hours * 3600,
            allowed_networks=_networks(network),
        )
        if department is not None:
            wanted.department_id = await find_department(session, command_actor(), department)
        return (await fleet.create_enrollment_token(session, command_actor(), wanted, utc_now())).token

    secret = with_session(make)
    typer.echo(json.dumps({"token": secret, "name": name, "max_uses": max_uses}) if as_json else secret)


async def _make_for_device(
    session: AsyncSession, device: str, hours: int, networks: list[Network] | None
) -> str:
    wanted = checked(DeviceEnrollment, ttl_seconds=hours * 3600, allowed_networks=networks)
    found = await find_device(session, command_actor(), device)
    return (await fleet.create_token_for_device(session, command_actor(), found, wanted, utc_now())).token


def _warning(user: str, *, has_all: bool, days: int | None) -> str:
    """What is unusually wide about a new token."""
    if has_all:
        lasting = "" if days else " and never expires"
        return (
            f"Warning: this token may do everything that {user} may{lasting}. Narrow it with "
            "--preset send_telemetry, --preset read, --permission, --department, --network or --days."
        )
    return "" if days else "Warning: this token never expires. Set an expiry with --days."


def _networks(texts: list[str] | None) -> list[Network] | None:
    """The networks of an option. Raises InvalidInputError."""
    try:
        return [ip_network(text) for text in texts] if texts else None
    except ValueError as error:
        raise InvalidInputError("The network is wrong.", fields=[FieldError("network", str(error))]) from None
