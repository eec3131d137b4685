"""`fleetkeeper sender …`: by which rules the samples of Prometheus, Telegraf and others find their device."""

from typing import Annotated
from uuid import UUID

import typer
from sqlalchemy.ext.asyncio import AsyncSession

from fleetkeeper.cli.inputs import checked
from fleetkeeper.cli.running import command_actor, with_session
from fleetkeeper.cli.tables import AsJson, done, show, show_one
from fleetkeeper.devices.finding import find_device
from fleetkeeper.errors import FieldError, InvalidInputError
from fleetkeeper.telemetry.refusals import service as refusals
from fleetkeeper.telemetry.refusals.schemas import RefusalRead
from fleetkeeper.telemetry.senders import service
from fleetkeeper.telemetry.senders.schemas import (
    HostCreate,
    HostRead,
    HostUpdate,
    SenderRuleCreate,
    SenderRuleRead,
    SenderRuleUpdate,
    Trial,
    TrialRead,
)

app = typer.Typer(
    help="Integrations: Prometheus, Telegraf, OpenTelemetry and collectd.", no_args_is_help=True
)
rules = typer.Typer(help="Rules that map samples to devices.", no_args_is_help=True)
hosts = typer.Typer(help="Hosts and the devices they map to.", no_args_is_help=True)
app.add_typer(rules, name="rules")
app.add_typer(hosts, name="hosts")

Rule = Annotated[int, typer.Argument(help="Position of the rule, from 1", min=1)]
Labels = Annotated[
    list[str] | None, typer.Option("--label", help="Label name; repeatable, tried in this order")
]
Pattern = Annotated[str | None, typer.Option(help="Regular expression (RE2) that extracts the host")]
Words = Annotated[str | None, typer.Option("--description", help="Description")]
ForProtocol = Annotated[
    str | None, typer.Option("--protocol", help="any, prometheus, influx, otlp or collectd")
]
Host = Annotated[str, typer.Argument(help="Host, as the integration reports it")]
Device = Annotated[str, typer.Argument(help="Name or ID of the device")]
Of = Annotated[
    str, typer.Option("--of", help="Name or ID of the current device, if several devices have the host")
]

RULE_COLUMNS = ("position", "protocol", "labels", "pattern", "enabled", "description")
REFUSAL_COLUMNS = (
    "protocol",
    "reason",
    "samples",
    "last_seen",
    "token_name",
    "device_name",
    "example",
    "cure",
)
HOST_COLUMNS = ("host", "device_name", "standing", "is_primary", "protocol", "first_seen")


@app.callback()
def sender() -> None:
    """Integrations: Prometheus, Telegraf, OpenTelemetry and collectd."""


@app.command()
def refused(
    q: Annotated[
        str, typer.Option(help="Search text: part of the reason, example, device name or token name")
    ] = "",
    limit: Annotated[int, typer.Option(min=1, max=1000)] = 100,
    *,
    as_json: AsJson = False,
) -> None:
    """List the reasons for which samples were refused, with the newest example of each."""

    async def read(session: AsyncSession) -> list[RefusalRead]:
        parameters = [("limit", str(limit)), ("q", q)]
        return (await refusals.list_refusals(session, command_actor(), parameters)).results

    show(with_session(read), REFUSAL_COLUMNS, as_json=as_json)


@rules.command(name="list")
def list_rules(*, as_json: AsJson = False) -> None:
    """List rules in the order in which they are tried."""

    async def read(session: AsyncSession) -> list[SenderRuleRead]:
        return (await service.list_rules(session)).results

    show(with_session(read), RULE_COLUMNS, as_json=as_json)


@rules.command()
def add(
    labels: Labels,
    protocol: ForProtocol = "any",
    pattern: Pattern = "",
    description: Words = "",
    position: Annotated[int | None, typer.Option(help="Position; default: last")] = None,
    *,
    as_json: AsJson = False,
) -> None:
    """Add a rule."""
    wanted = checked(
        SenderRuleCreate,
        labels=labels or [],
        protocol=protocol,
        pattern=pattern,
        description=description,
        position=position,
    )

    async def make(session: AsyncSession) -> SenderRuleRead:
        return await service.create_rule(session, wanted)

    show_one(with_session(make), as_json=as_json)


@rules.command()
def change(
    rule: Rule,
    labels: Labels = None,
    protocol: ForProtocol = None,
    pattern: Pattern = None,
    description: Words = None,
    enabled: Annotated[
        bool | None, typer.Option("--enable/--disable", help="Enable or disable the rule")
    ] = None,
    to: Annotated[int | None, typer.Option(help="New position")] = None,
    *,
    as_json: AsJson = False,
) -> None:
    """Change, move, enable or disable a rule."""
    given = {
        "labels": labels or None,
        "protocol": protocol,
        "pattern": pattern,
        "description": description,
        "enabled": enabled,
        "position": to,
    }
    changes = checked(SenderRuleUpdate, **{key: value for key, value in given.items() if value is not None})

    async def update(session: AsyncSession) -> SenderRuleRead:
        return await service.update_rule(session, await _rule_at(session, rule), changes)

    show_one(with_session(update), as_json=as_json)


@rules.command()
def delete(rule: Rule, *, as_json: AsJson = False) -> None:
    """Delete a rule."""

    async def remove(session: AsyncSession) -> None:
        await service.delete_rule(session, await _rule_at(session, rule))

    with_session(remove)
    done(f"Deleted rule {rule}.", as_json=as_json)


@rules.command(name="try")
def try_rules(
    labels: Annotated[list[str], typer.Argument(help="Labels as name=value")],
    protocol: Annotated[str, typer.Option(help="prometheus, influx, otlp or collectd")] = "prometheus",
    *,
    as_json: AsJson = False,
) -> None:
    """Show which device a sample with these labels would belong to."""
    trial = checked(Trial, protocol=protocol, labels=dict(_pair(label) for label in labels))

    async def attempt(session: AsyncSession) -> TrialRead:
        return await service.try_rules(session, command_actor(), trial)

    show_one(with_session(attempt), as_json=as_json)


def _pair(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals:
        raise InvalidInputError("A label is wrong.", fields=[FieldError("labels", "Must be name=value")])
    return name, value


async def _rule_at(session: AsyncSession, position: int) -> UUID:
    for rule in (await service.list_rules(session)).results:
        if rule.position == position:
            return rule.id
    raise InvalidInputError(
        "The rule is unknown.", fields=[FieldError("rule", f"There is no rule at position {position}")]
    )


@hosts.command(name="list")
def list_hosts(
    q: Annotated[str, typer.Option(help="Part of a host or device name")] = "",
    limit: Annotated[int, typer.Option(min=1, max=1000)] = 1000,
    *,
    as_json: AsJson = False,
) -> None:
    """List the hosts that integrations report, each with its device."""

    async def read(session: AsyncSession) -> list[HostRead]:
        parameters = [("limit", str(limit)), ("q", q)]
        return (await service.list_hosts(session, command_actor(), parameters)).results

    show(with_session(read), HOST_COLUMNS, as_json=as_json)


@hosts.command(name="add")
def add_host(host: Host, device: Device, *, as_json: AsJson = False) -> None:
    """Map a host to a device."""

    async def make(session: AsyncSession) -> HostRead:
        found = await find_device(session, command_actor(), device)
        return await service.add_host(
            session, command_actor(), checked(HostCreate, host=host, device_id=found)
        )

    show_one(with_session(make), as_json=as_json)


@hosts.command()
def move(host: Host, device: Device, of: Of = "", *, as_json: AsJson = False) -> None:
    """Map a host to another device. Stored samples stay with the old device."""

    async def change_device(session: AsyncSession) -> HostRead:
        found = await find_device(session, command_actor(), device)
        before = await _device_of(session, of)
        return await service.move_host(session, command_actor(), host, HostUpdate(device_id=found), before)

    show_one(with_session(change_device), as_json=as_json)


@hosts.command()
def forget(host: Host, of: Of = "", *, as_json: AsJson = False) -> None:
    """Remove the mapping of a host. Its next samples are mapped by the rules."""

    async def remove(session: AsyncSession) -> None:
        await service.forget_host(session, command_actor(), host, await _device_of(session, of))

    with_session(remove)
    done(f"Removed the mapping of host {host}.", as_json=as_json)


async def _device_of(session: AsyncSession, wanted: str) -> UUID | None:
    return await find_device(session, command_actor(), wanted) if wanted else None
