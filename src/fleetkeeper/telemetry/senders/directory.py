"""Which device each host is, for one web process: rules and names as far as they are remembered here."""

import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from uuid import UUID

import structlog
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncSession

from fleetkeeper.database.context import TransactionContext, product_context
from fleetkeeper.database.engine import Database
from fleetkeeper.devices.service import register_source
from fleetkeeper.identity.permissions import Permission
from fleetkeeper.kit.clock import utc_now
from fleetkeeper.kit.periodic import Periodic
from fleetkeeper.telemetry.senders import queries
from fleetkeeper.telemetry.senders.callers import Caller
from fleetkeeper.telemetry.senders.host_rules import HostRule, PatternError, problem_of_host
from fleetkeeper.telemetry.senders.models import SenderRule

log = structlog.get_logger(__name__)

REFRESH_SECONDS = 2.0
MAX_HOSTS = 200_000
# A host that is no device is looked up again after this time.
UNKNOWN_SECONDS = 5.0
# New devices that one request may make; the rest comes with the next ones.
MAX_NEW_DEVICES = 1000


@dataclass(frozen=True, slots=True)
class KnownHost:
    """A host that is a device; or why it is none."""

    device_id: UUID | None
    is_primary: bool = False
    reason: str = ""
    problem: str = ""


@dataclass
class Directory:
    """Rules and hosts. `generation` grows when anything that was derived from them is out of date."""

    database: Database
    rules: Sequence[HostRule] = ()
    generation: int = 0
    _version: int = -1
    _hosts: dict[str, KnownHost] = field(default_factory=dict)
    _unknown_until: dict[str, float] = field(default_factory=dict)
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
        """Each host's device, looked up where it is not remembered, and made where the caller may make devices."""
        if self._version < 0:
            await self.refresh()
        now = time.monotonic()
        found, missing = {}, []
        may_create = caller.may(Permission.DEVICES_CREATE)
        for host in hosts:
            known = self._hosts.get(host)
            if known is not None:
                found[host] = known
            elif not may_create and self._unknown_until.get(host, 0) > now:
                found[host] = _unknown(host, caller)
            else:
                missing.append(host)
        if missing:
            found |= await self._look_up(sorted(missing), caller, protocol)
        return found

    async def _look_up(self, hosts: Sequence[str], caller: Caller, protocol: str) -> dict[str, KnownHost]:
        good = [host for host in hosts if not problem_of_host(host)]
        found = {
            host: KnownHost(None, reason="bad_host", problem=problem_of_host(host))
            for host in hosts
            if problem_of_host(host)
        }
        generation = self.generation
        # Names are one list for the whole fleet; who may write for a device is checked apart.
        context = TransactionContext(whole_fleet=True, audit=caller.audit)
        async with self.database.session(context) as session:
            known = await queries.known_hosts(session, good)
            new = [host for host in good if host not in known]
            if new:
                await queries.hold_hosts(session)
                known |= await queries.known_hosts(session, new)
                new = [host for host in new if host not in known]
                refused = await self._add(session, new, caller, protocol)
                known |= await queries.known_hosts(session, [host for host in new if host not in refused])
                found |= refused
        if len(self._hosts) + len(known) > MAX_HOSTS or len(self._unknown_until) > MAX_HOSTS:
            self._hosts.clear()
            self._unknown_until.clear()
        for host, (device_id, is_primary) in known.items():
            found[host] = KnownHost(device_id, is_primary)
            if generation == self.generation:
                self._hosts[host] = found[host]
        return found

    async def _add(
        self, session: AsyncSession, hosts: Sequence[str], caller: Caller, protocol: str
    ) -> dict[str, KnownHost]:
        """Remember hosts that are devices by their names, and make devices of others; returns those that are none."""
        refused: dict[str, KnownHost] = {}
        named = await queries.devices_named(session, hosts)
        reachable = await caller.reachable(
            session, {device for devices in named.values() for device in devices}
        )
        added: list[tuple[str, UUID]] = []
        unknown = []
        for host in hosts:
            devices = named.get(host, [])
            if len(devices) > 1:
                refused[host] = _ambiguous(host, len(devices))
            elif not devices:
                unknown.append(host)
            elif devices[0] in reachable:
                added.append((host, devices[0]))
            else:
                refused[host] = _unknown(host, caller)
        department, problem = await caller.department_for_new(session)
        until = time.monotonic() + UNKNOWN_SECONDS
        for number, host in enumerate(unknown):
            if problem or number >= MAX_NEW_DEVICES:
                refused[host] = _unknown(host, caller, problem or "too many are new at once")
                self._unknown_until[host] = until
            else:
                device_id = await register_source(session, host, protocol, utc_now(), department)
                added.append((host, device_id))
        await queries.add_hosts(session, added, protocol)
        return refused


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
    text = f"there is no device {host[:80]!r} that this credential may write for"
    if caller.device_id is not None or caller.may(Permission.DEVICES_CREATE):
        return text
    return f"{text}, and it has no permission {Permission.DEVICES_CREATE} to make one"


def _unknown(host: str, caller: Caller, why: str = "") -> KnownHost:
    sentence = unknown_sentence(host, caller)
    if why and caller.may(Permission.DEVICES_CREATE):
        sentence = f"{sentence}; {why}"
    return KnownHost(None, reason="unknown_host", problem=sentence)


def _ambiguous(host: str, number: int) -> KnownHost:
    return KnownHost(
        None,
        reason="ambiguous_host",
        problem=f"{number} devices have the name {host[:80]!r}; say under Senders which one it is",
    )
