"""Which device each host is to whom, for one web process: rules and names as far as they are remembered here."""

import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from uuid import UUID

import structlog
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncSession

from fleetkeeper.database.context import TransactionContext, product_context
from fleetkeeper.database.engine import Database
from fleetkeeper.devices import host_claims
from fleetkeeper.devices.service import register_source
from fleetkeeper.identity.actor import Scope
from fleetkeeper.identity.permissions import Permission
from fleetkeeper.kit.clock import utc_now
from fleetkeeper.kit.periodic import Periodic
from fleetkeeper.telemetry.reasons import Reason
from fleetkeeper.telemetry.senders import queries
from fleetkeeper.telemetry.senders.callers import Caller
from fleetkeeper.telemetry.senders.host_rules import HostRule, PatternError
from fleetkeeper.telemetry.senders.models import SenderRule

log = structlog.get_logger(__name__)

REFRESH_SECONDS = 2.0
MAX_HOSTS = 200_000
# A host that is no device is looked up again after this time.
UNKNOWN_SECONDS = 5.0
# New devices that one request may make; the rest comes with the next ones.
MAX_NEW_DEVICES = 1000
# The device whose key a caller has, or where another may write.
_Reach = tuple[UUID | None, Scope]


@dataclass(frozen=True, slots=True)
class KnownHost:
    """A host that is a device; or why it is none."""

    device_id: UUID | None
    is_primary: bool = False
    reason: Reason | None = None
    problem: str = ""


@dataclass
class Directory:
    """Rules and hosts. `generation` grows when anything that was derived from them is out of date."""

    database: Database
    rules: Sequence[HostRule] = ()
    generation: int = 0
    _version: int = -1
    _hosts: dict[tuple[_Reach, str], KnownHost] = field(default_factory=dict)
    _unknown_until: dict[tuple[_Reach, str], float] = field(default_factory=dict)
    _follower: Periodic = field(init=False)

    def __post_init__(self) -> None:
        self._follower = Periodic("sender mapping", REFRESH_SECONDS, self._try_refresh)

    def start(self) -> None:
        """Begin to follow changes that other processes make."""
        self._follower.start()

    async def stop(self) -> None:
        """Stop following."""
        await self._follower.stop()

    async def refresh(self) -> None:
        """Read the rules again if rules or hosts have changed."""
        async with self.database.session(product_context("job", "senders.refresh")) as session:
            version = await queries.mapping_version(session)
            if version == self._version:
                return
            self.rules = _compiled(await queries.all_rules(session))
        self._version = version
        self._hosts.clear()
        self._unknown_until.clear()
        self.generation += 1

    async def _try_refresh(self) -> None:
        try:
            await self.refresh()
        except (SQLAlchemyError, OSError) as error:
            # Without a database no sample is stored either.
            log.warning("sender rules were not read", reason=str(error).splitlines()[:1])

    async def find(self, hosts: Iterable[str], caller: Caller, protocol: str) -> dict[str, KnownHost]:
        """Each host's device, looked up where it is not remembered, and made where the caller may make devices.

        A name means what it means within the caller's reach, and is remembered with that.
        """
        if self._version < 0:
            await self.refresh()
        now, reach = time.monotonic(), (caller.device_id, caller.reach)
        found, missing = {}, []
        may_create = caller.may(Permission.DEVICES_CREATE)
        for host in hosts:
            known = self._hosts.get((reach, host))
            if known is not None:
                found[host] = known
            elif not may_create and self._unknown_until.get((reach, host), 0) > now:
                found[host] = _unknown(host, caller)
            else:
                missing.append(host)
        if missing:
            found |= await self._look_up(sorted(missing), caller, protocol)
        return found

    async def _look_up(self, hosts: Sequence[str], caller: Caller, protocol: str) -> dict[str, KnownHost]:
        problems = {host: host_claims.problem_of(host) for host in hosts}
        found = {
            host: KnownHost(None, reason=Reason.BAD_HOST, problem=problem)
            for host, problem in problems.items()
            if problem
        }
        good = [host for host in hosts if not problems[host]]
        generation = self.generation
        context = TransactionContext(whole_fleet=True, audit=caller.audit)
        async with self.database.session(context) as session:
            known = await _claimed(session, good, caller)
            if any(host not in known or _lacks_primary(known[host], caller) for host in good):
                await host_claims.hold(session)
                known = await _claimed(session, good, caller)
                await _give_primary(session, known, caller)
                new = [host for host in good if host not in known]
                refused = await self._add(session, new, caller, protocol)
                found |= refused
                known = await _claimed(session, [host for host in good if host not in refused], caller)
        self._remember(known, found, caller, is_current=generation == self.generation)
        return found

    def _remember(
        self,
        known: Mapping[str, host_claims.Claimed],
        found: dict[str, KnownHost],
        caller: Caller,
        *,
        is_current: bool,
    ) -> None:
        if len(self._hosts) + len(known) > MAX_HOSTS or len(self._unknown_until) > MAX_HOSTS:
            self._hosts.clear()
            self._unknown_until.clear()
        reach = caller.device_id, caller.reach
        for host, claimed in known.items():
            found[host] = KnownHost(claimed.device_id, is_primary=claimed.primary_name == host)
            if is_current:
                self._hosts[reach, host] = found[host]

    async def _add(
        self, session: AsyncSession, hosts: Sequence[str], caller: Caller, protocol: str
    ) -> dict[str, KnownHost]:
        """Make devices of hosts that nobody within reach has; returns those that are none."""
        if not hosts:
            return {}
        refused: dict[str, KnownHost] = {}
        department, problem = await caller.department_for_new(session)
        keys = await host_claims.name_keys(session, hosts)
        until = time.monotonic() + UNKNOWN_SECONDS
        made: set[str] = set()
        for host in hosts:
            if keys[host] in made:
                continue
            if problem or len(made) >= MAX_NEW_DEVICES:
                refused[host] = _unknown(host, caller, problem or "too many are new at once")
                self._unknown_until[(caller.device_id, caller.reach), host] = until
                continue
            device_id = await register_source(session, host, protocol, utc_now(), department)
            await host_claims.add(session, host, device_id, protocol)
            made.add(keys[host])
        return refused


async def _claimed(
    session: AsyncSession, hosts: Sequence[str], caller: Caller
) -> dict[str, host_claims.Claimed]:
    """What the names mean to the caller."""
    if caller.device_id is not None:
        return await host_claims.own_or_neighbours(session, hosts, caller.device_id)
    return await host_claims.first_among(session, hosts, caller.reach)


def _lacks_primary(claimed: host_claims.Claimed, caller: Caller) -> bool:
    """Whether the caller's samples are to say which of the device's names is the primary one."""
    return claimed.primary_name is None and caller.device_id in {None, claimed.device_id}


async def _give_primary(
    session: AsyncSession, known: Mapping[str, host_claims.Claimed], caller: Caller
) -> None:
    for host, claimed in known.items():
        if _lacks_primary(claimed, caller):
            await host_claims.make_primary(session, host, claimed.device_id)


def _compiled(rules: Iterable[SenderRule]) -> list[HostRule]:
    compiled = []
    for rule in rules:
        if not rule.enabled:
            continue
        try:
            compiled.append(HostRule.compile(rule.id, rule.protocol, rule.labels, rule.pattern))
        except PatternError as error:
            log.warning("a sender rule is left out", rule=str(rule.id), reason=str(error))
    return compiled


def unknown_sentence(host: str, caller: Caller) -> str:
    """What is said of a host that is no device, and likewise of one that is a device out of the caller's reach."""
    text = f"unknown host {host[:80]!r}"
    if caller.device_id is not None or caller.may(Permission.DEVICES_CREATE):
        return f"{text}; this credential may not write for it"
    return f"{text}; add it under Integrations, or use a token with {Permission.DEVICES_CREATE}"


def _unknown(host: str, caller: Caller, why: str = "") -> KnownHost:
    sentence = unknown_sentence(host, caller)
    if why and caller.may(Permission.DEVICES_CREATE):
        sentence = f"{sentence}; {why}"
    return KnownHost(None, reason=Reason.UNKNOWN_HOST, problem=sentence)
