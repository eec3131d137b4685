"""Looking after rules and hosts, and trying them."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from fleetkeeper.devices import host_claims
from fleetkeeper.devices import service as devices
from fleetkeeper.devices.models import Device, HostClaim
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
)
from fleetkeeper.telemetry.senders.models import SenderRule
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
# Departments that one host is looked for in.
MAX_CLAIMS = 1000


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


async def try_rules(session: AsyncSession, actor: Actor, trial: Trial) -> TrialRead:
    """Say which device a sample with these labels would belong to, as far as the actor sees devices."""
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
    problem = host_claims.problem_of(match.host)
    if problem:
        return TrialRead(outcome="bad_host", text=f"The samples are refused: {problem}.", **found)
    claims = await _claims(session, actor, match.host)
    if not claims:
        text = (
            "No device that you may see has that name. A token with devices:create makes one; "
            "from others the samples are refused."
        )
        return TrialRead(outcome="new", text=text, **found)
    first = claims[0]
    text = f"Senders know it as {first.host}."
    if len(claims) > 1:
        text += (
            f" {len(claims)} devices that you may see have claimed that name, this one first. "
            "A token that may not write for this one goes by the oldest claim within its departments."
        )
    return TrialRead(
        outcome="known", text=text, device_id=first.device_id, device_name=first.device_name, **found
    )


async def list_hosts(session: AsyncSession, actor: Actor, parameters: Sequence[tuple[str, str]]) -> HostPage:
    """One page of the names by which senders know devices that the actor may see."""
    page = await queries.HOSTS.page(session, host_claims.claims_visible_to(actor), parameters)
    results = [_host_read(*row[:3]) for row in page.rows]
    return HostPage(count=page.count, next=page.next, previous=page.previous, results=results)


async def add_host(session: AsyncSession, actor: Actor, wanted: HostCreate) -> HostRead:
    """Claim a host for a device. What other departments have claimed neither hinders nor is told.

    Raises NotFoundError and ForbiddenError as `devices.check_permission` does, InvalidInputError, and ConflictError
    for a host that a device of the same department has.
    """
    problem = host_claims.problem_of(wanted.host)
    if problem:
        raise InvalidInputError("The host is wrong.", fields=[FieldError("host", problem)])
    await devices.check_permission(session, actor, Permission.DEVICES_WRITE, wanted.device_id)
    await host_claims.hold(session)
    await _check_free(session, wanted.host, wanted.device_id)
    await host_claims.add(session, wanted.host, wanted.device_id, "")
    return await get_host(session, actor, wanted.host, wanted.device_id)


async def _check_free(session: AsyncSession, host: str, device_id: UUID) -> None:
    """Raise ConflictError when a device has a name, or another of its department, which whoever sees one sees too."""
    beside = await host_claims.claimant_beside(session, host, device_id)
    if beside is not None:
        whose = "this device" if beside.id == device_id else beside.name
        raise ConflictError(
            "The host already has a device.",
            fields=[FieldError("host", f"is a name of {whose} already, in the same department")],
        )


async def get_host(session: AsyncSession, actor: Actor, host: str, device_id: UUID | None = None) -> HostRead:
    """One host, of one device where several have it. Raises NotFoundError, and ConflictError without that device."""
    claims = await _claims(session, actor, host)
    if device_id is not None:
        claims = [claim for claim in claims if claim.device_id == device_id]
    if not claims:
        raise NotFoundError("There is no such host.")
    if len(claims) > 1:
        raise ConflictError(
            "Several devices have this host.",
            fields=[FieldError("device_id", "Must say which device you mean")],
        )
    return claims[0]


async def _claims(session: AsyncSession, actor: Actor, host: str) -> list[HostRead]:
    """Those on a name that the actor may see, the oldest first."""
    if not is_storable(host):
        return []
    statement = host_claims.of_name(host_claims.claims_visible_to(actor), host).limit(MAX_CLAIMS)
    rows = await session.execute(statement, execution_options={"populate_existing": True})
    return [_host_read(*row) for row in rows]


async def move_host(
    session: AsyncSession, actor: Actor, host: str, changes: HostUpdate, device_id: UUID | None = None
) -> HostRead:
    """Let a host be another device from now on; what is stored stays with the one that it was.

    Raises NotFoundError and ForbiddenError for either device, and ConflictError as `get_host` and `add_host` do.
    """
    before = await get_host(session, actor, host, device_id)
    for one in (before.device_id, changes.device_id):
        await devices.check_permission(session, actor, Permission.DEVICES_WRITE, one)
    if before.device_id == changes.device_id:
        return before
    await host_claims.hold(session)
    beside = await host_claims.claimant_beside(session, host, changes.device_id)
    if beside is not None and beside.id != before.device_id:
        await _check_free(session, host, changes.device_id)
    await host_claims.move(session, before.id, changes.device_id)
    return await get_host(session, actor, host, changes.device_id)


async def forget_host(session: AsyncSession, actor: Actor, host: str, device_id: UUID | None = None) -> None:
    """Forget that a host is a device; its next samples look for it anew.

    Raises NotFoundError, ForbiddenError, and ConflictError as `get_host` does.
    """
    before = await get_host(session, actor, host, device_id)
    await devices.check_permission(session, actor, Permission.DEVICES_WRITE, before.device_id)
    await host_claims.remove(session, before.id)


def _host_read(claim: HostClaim, device: Device, standing: Any) -> HostRead:
    return HostRead(
        id=claim.id,
        host=claim.host,
        device_id=claim.device_id,
        device_name=device.name,
        department_id=device.department_id,
        is_primary=claim.is_primary,
        standing=standing,
        protocol=claim.protocol,
        first_seen=claim.first_seen,
    )
