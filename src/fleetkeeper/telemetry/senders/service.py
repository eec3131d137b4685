"""Looking after rules and hosts, and trying them."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from fleetkeeper.devices import service as devices
from fleetkeeper.devices.models import Device
from fleetkeeper.devices.queries import visible_to
from fleetkeeper.errors import ConflictError, FieldError, InvalidInputError, NotFoundError
from fleetkeeper.identity.actor import Actor
from fleetkeeper.identity.permissions import Permission
from fleetkeeper.kit.text import is_storable
from fleetkeeper.telemetry.senders import queries
from fleetkeeper.telemetry.senders.host_rules import (
    HostRule,
    PatternError,
    compile_pattern,
    find_host,
    problem_of_host,
)
from fleetkeeper.telemetry.senders.models import SenderRule, TelemetryHost
from fleetkeeper.telemetry.senders.schemas import (
    HostCreate,
    HostPage,
    HostRead,
    HostUpdate,
    SenderRuleCreate,
    SenderRulePage,
    SenderRuleRead,
    SenderRuleUpdate,
    Trial,
    TrialRead,
)

MAX_RULES = 100


async def list_rules(
    session: AsyncSession, parameters: Sequence[tuple[str, str]] = (("limit", "1000"),)
) -> SenderRulePage:
    """One page of the rules, in the order in which they are tried."""
    page = await queries.RULES.page(session, select(SenderRule), parameters)
    results = [SenderRuleRead.model_validate(row[0]) for row in page.rows]
    return SenderRulePage(count=page.count, next=page.next, previous=page.previous, results=results)


async def get_rule(session: AsyncSession, rule_id: UUID) -> SenderRuleRead:
    """One rule. Raises NotFoundError."""
    return SenderRuleRead.model_validate(await _rule(session, rule_id))


async def create_rule(session: AsyncSession, wanted: SenderRuleCreate) -> SenderRuleRead:
    """Make a rule. Raises InvalidInputError for a pattern that is none, ConflictError when there are too many."""
    _check_pattern(wanted.pattern)
    rules = list(await _held_rules(session))
    if len(rules) >= MAX_RULES:
        raise ConflictError(f"There are {MAX_RULES} rules already; delete one first.")
    rule = SenderRule(**wanted.model_dump(exclude={"position"}), position=len(rules) + 1)
    session.add(rule)
    rules.insert(len(rules) if wanted.position is None else wanted.position - 1, rule)
    return await _stored(session, rule, rules)


async def update_rule(session: AsyncSession, rule_id: UUID, changes: SenderRuleUpdate) -> SenderRuleRead:
    """Change or move a rule; the others make room. Raises NotFoundError, InvalidInputError."""
    if changes.pattern is not None:
        _check_pattern(changes.pattern)
    rules = list(await _held_rules(session))
    rule = next((item for item in rules if item.id == rule_id), None)
    if rule is None:
        raise NotFoundError("There is no such rule.")
    for name, value in changes.model_dump(exclude_unset=True, exclude={"position"}).items():
        if value is not None:
            setattr(rule, name, value)
    if changes.position is not None:
        rules.remove(rule)
        rules.insert(changes.position - 1, rule)
    return await _stored(session, rule, rules)


async def delete_rule(session: AsyncSession, rule_id: UUID) -> None:
    """Forget a rule. Raises NotFoundError."""
    await session.delete(await _rule(session, rule_id))
    await session.flush()


async def _rule(session: AsyncSession, rule_id: UUID) -> SenderRule:
    rule = await session.get(SenderRule, rule_id)
    if rule is None:
        raise NotFoundError("There is no such rule.")
    return rule


async def _held_rules(session: AsyncSession) -> Sequence[SenderRule]:
    """All rules; two who move some at once come one after the other."""
    ordered = select(SenderRule).order_by(SenderRule.position, SenderRule.id).with_for_update()
    return (await session.scalars(ordered)).all()


async def _stored(session: AsyncSession, rule: SenderRule, rules: Sequence[SenderRule]) -> SenderRuleRead:
    for number, item in enumerate(rules, 1):
        if item.position != number:
            item.position = number
    await session.flush()
    await session.refresh(rule)
    return SenderRuleRead.model_validate(rule)


def _check_pattern(pattern: str) -> None:
    try:
        compile_pattern(pattern)
    except PatternError as error:
        raise InvalidInputError("The rule is wrong.", fields=[FieldError("pattern", str(error))]) from None


async def try_rules(session: AsyncSession, trial: Trial) -> TrialRead:
    """Say which device a sample with these labels would belong to, as far as the transaction sees devices."""
    rules = {rule.id: rule for rule in await queries.all_rules(session)}
    compiled = [
        HostRule.compile(rule.id, rule.protocol, rule.labels, rule.pattern)
        for rule in rules.values()
        if rule.enabled
    ]
    match = find_host(compiled, trial.protocol, trial.labels, None)
    if match is None:
        return TrialRead(
            outcome="no_host", text="No rule finds a host in these labels: the samples are refused."
        )
    found: dict[str, Any] = {
        "host": match.host,
        "label": match.label,
        "rule": SenderRuleRead.model_validate(rules[match.rule_id]),
    }
    problem = problem_of_host(match.host)
    if problem:
        return TrialRead(outcome="bad_host", text=f"The samples are refused: {problem}.", **found)
    known = (await queries.known_hosts(session, [match.host])).get(match.host)
    if known is not None:
        return await _trial_of(session, "known", f"Senders know it as {match.host}.", known[0], found)
    named = (await queries.devices_named(session, [match.host])).get(match.host, [])
    if len(named) == 1:
        return await _trial_of(session, "by_name", "It has that name.", named[0], found)
    if named:
        text = f"{len(named)} devices have that name: enter the host below with the one that it is."
        return TrialRead(outcome="ambiguous", text=text, **found)
    text = (
        "No device that you may see has that name. A token with devices:create makes one; "
        "from others the samples are refused."
    )
    return TrialRead(outcome="new", text=text, **found)


async def _trial_of(
    session: AsyncSession, outcome: Any, text: str, device_id: UUID, found: dict[str, Any]
) -> TrialRead:
    name = await session.scalar(select(Device.name).where(Device.id == device_id))
    return TrialRead(outcome=outcome, text=text, device_id=device_id, device_name=name, **found)


async def find_device(session: AsyncSession, actor: Actor, wanted: str) -> UUID:
    """A device by its id, or by its name where only one has it. Raises InvalidInputError."""
    statement = visible_to(actor).with_only_columns(Device.id, maintain_column_froms=True)
    try:
        statement = statement.where(Device.id == UUID(wanted))
    except ValueError:
        if not is_storable(wanted):
            wanted = ""
        statement = statement.where(Device.name == wanted)
    found = (await session.scalars(statement.limit(2))).all()
    if len(found) != 1:
        problem = "several devices have the name; give the id" if found else "is the name or id of a device"
        raise InvalidInputError("The device is unknown.", fields=[FieldError("device", problem)])
    return found[0]


async def list_hosts(session: AsyncSession, actor: Actor, parameters: Sequence[tuple[str, str]]) -> HostPage:
    """One page of the names by which senders know devices that the actor may see."""
    page = await queries.HOSTS.page(session, queries.hosts_visible_to(actor), parameters)
    results = [_host_read(row[0], row[1]) for row in page.rows]
    return HostPage(count=page.count, next=page.next, previous=page.previous, results=results)


async def add_host(session: AsyncSession, actor: Actor, wanted: HostCreate) -> HostRead:
    """Say in advance which device a host is.

    Raises NotFoundError and ForbiddenError as `devices.check_permission` does, InvalidInputError, and ConflictError
    for a host that is a device already.
    """
    problem = problem_of_host(wanted.host)
    if problem:
        raise InvalidInputError("The host is wrong.", fields=[FieldError("host", problem)])
    await devices.check_permission(session, actor, Permission.DEVICES_WRITE, wanted.device_id)
    await queries.hold_hosts(session)
    if not await queries.add_host(session, wanted.host, wanted.device_id):
        raise ConflictError("This host is a device already, perhaps one that you may not see.")
    return await get_host(session, actor, wanted.host)


async def get_host(session: AsyncSession, actor: Actor, host: str) -> HostRead:
    """One host. Raises NotFoundError."""
    if not is_storable(host):
        raise NotFoundError("There is no such host.")
    row = (
        await session.execute(queries.hosts_visible_to(actor).where(TelemetryHost.host == host))
    ).one_or_none()
    if row is None:
        raise NotFoundError("There is no such host.")
    return _host_read(row[0], row[1])


async def move_host(session: AsyncSession, actor: Actor, host: str, changes: HostUpdate) -> HostRead:
    """Let a host be another device from now on; what is stored stays with the one that it was.

    Raises NotFoundError and ForbiddenError for either device.
    """
    before = await get_host(session, actor, host)
    for device_id in (before.device_id, changes.device_id):
        await devices.check_permission(session, actor, Permission.DEVICES_WRITE, device_id)
    await queries.hold_hosts(session)
    if before.device_id != changes.device_id:
        await queries.move_host(session, host, changes.device_id)
    return await get_host(session, actor, host)


async def forget_host(session: AsyncSession, actor: Actor, host: str) -> None:
    """Forget which device a host is; its next samples look for it anew. Raises NotFoundError, ForbiddenError."""
    before = await get_host(session, actor, host)
    await devices.check_permission(session, actor, Permission.DEVICES_WRITE, before.device_id)
    await queries.remove_host(session, host)


def _host_read(host: TelemetryHost, device: Device) -> HostRead:
    return HostRead(
        host=host.host,
        device_id=host.device_id,
        device_name=device.name,
        is_primary=host.is_primary,
        protocol=host.protocol,
        first_seen=host.first_seen,
    )
