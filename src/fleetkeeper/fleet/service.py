"""Enrollment, and the agents' channel."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from fleetkeeper.config.service import read_config
from fleetkeeper.database.status_history import note_move
from fleetkeeper.devices import host_claims
from fleetkeeper.devices import service as devices
from fleetkeeper.devices.components.recording import record_components
from fleetkeeper.devices.containers import SOURCE, record_containers
from fleetkeeper.devices.identity.evidence import normalise_evidence
from fleetkeeper.devices.identity.proposing import propose_for
from fleetkeeper.devices.keys import issue_key, revoke_keys
from fleetkeeper.devices.models import Device
from fleetkeeper.devices.queries import has_namesake
from fleetkeeper.devices.sources.agents import record_inventory, store_evidence
from fleetkeeper.errors import (
    FieldError,
    ForbiddenError,
    InvalidInputError,
    NotFoundError,
    UnauthenticatedError,
)
from fleetkeeper.fleet import queries
from fleetkeeper.fleet.device_types import device_type_of
from fleetkeeper.fleet.enrolling_again import enroll_again
from fleetkeeper.fleet.models import Agent, EnrollmentToken
from fleetkeeper.fleet.parts import containers_of, parts_of
from fleetkeeper.fleet.schemas import (
    AgentPage,
    AgentRead,
    DeviceEnrollment,
    EnrollmentTokenCreate,
    EnrollmentTokenCreated,
    EnrollmentTokenPage,
    EnrollmentTokenRead,
)
from fleetkeeper.fleet.status import ENROLLMENT_TOKENS, EnrollmentTokenState, state_of
from fleetkeeper.identity.actor import Actor
from fleetkeeper.identity.authority import within
from fleetkeeper.identity.limits import Limits
from fleetkeeper.identity.models import Department
from fleetkeeper.identity.permissions import Permission
from fleetkeeper.kit.clock import utc_now
from fleetkeeper.kit.secrets import hash_secret, make_secret
from fleetkeeper_protocol.messages import AgentConfig, Inventory, InventoryReport

TOKEN_PREFIX = "fke"  # noqa: S105 - the visible prefix, not a secret


async def create_enrollment_token(
    session: AsyncSession,
    actor: Actor,
    wanted: EnrollmentTokenCreate,
    now: datetime,
    *,
    device_id: UUID | None = None,
) -> EnrollmentTokenCreated:
    """Make an enrollment token; its secret stands in the answer and nowhere else.

    With `device_id` it enrolls that device again.

    One that an API token makes ends with that token, and holds in its networks only. Raises InvalidInputError.
    """
    if not await _may_enrol_into(session, actor, wanted.department_id):
        message = "is a department that you may enroll devices into"
        raise InvalidInputError("The token was not created.", fields=[FieldError("department_id", message)])
    limits = _limits(actor, wanted, now)
    secret = make_secret(TOKEN_PREFIX)
    token = EnrollmentToken(
        name=wanted.name,
        secret_hash=hash_secret(secret),
        max_uses=wanted.max_uses,
        uses=0,
        created_by=actor.user_id,
        department_id=wanted.department_id,
        device_id=device_id,
        allowed_networks=[str(network) for network in limits.allowed_networks]
        if limits.allowed_networks is not None
        else None,
        created_at=now,
        expires_at=limits.expires_at,
    )
    session.add(token)
    await session.flush()
    return EnrollmentTokenCreated(**_token_read(token, now).model_dump(), token=secret)


async def create_token_for_device(
    session: AsyncSession, actor: Actor, device_id: UUID, wanted: DeviceEnrollment, now: datetime
) -> EnrollmentTokenCreated:
    """Make a token that one machine enrolls with, once, as a device that exists.

    Raises as `check_permission` does: who uses it takes over what the device is.
    """
    device = await devices.check_permission(session, actor, Permission.DEVICES_WRITE, device_id)
    devices.check_may(actor, Permission.ENROLLMENT_WRITE, device.department_id)
    token = EnrollmentTokenCreate(
        name=f"{device.name[:80]} again",
        department_id=device.department_id,
        **wanted.model_dump(exclude_unset=True),
    )
    return await create_enrollment_token(session, actor, token, now, device_id=device_id)


def _limits(actor: Actor, wanted: EnrollmentTokenCreate, now: datetime) -> Limits:
    expires_at = now + timedelta(seconds=wanted.ttl_seconds)
    latest = actor.limits.expires_at
    if latest is not None and "ttl_seconds" not in wanted.model_fields_set:
        expires_at = min(expires_at, latest)
    try:
        return within(
            actor,
            Limits(permissions=(), allowed_networks=wanted.allowed_networks, expires_at=expires_at),
        )
    except InvalidInputError as error:
        named = [
            FieldError("ttl_seconds", "Must not end later than the token that you use")
            if one.field == "expires_at"
            else one
            for one in error.fields
        ]
        raise InvalidInputError("The token was not created.", fields=named) from None


async def list_enrollment_tokens(
    session: AsyncSession, actor: Actor, parameters: Sequence[tuple[str, str]]
) -> EnrollmentTokenPage:
    """One page of enrollment tokens for departments that the actor may enroll devices into, or see how others do."""
    page = await queries.TOKENS.page(session, queries.tokens_visible_to(actor), parameters)
    now = utc_now()
    results = [_token_read(row[0], now) for row in page.rows]
    return EnrollmentTokenPage(count=page.count, next=page.next, previous=page.previous, results=results)


async def revoke_enrollment_token(session: AsyncSession, actor: Actor, token_id: UUID, now: datetime) -> None:
    """Refuse a token from now on.

    Raises NotFoundError, ForbiddenError for one that the actor may only see, ConflictError where it is over already.
    """
    found = queries.tokens_visible_to(actor).where(EnrollmentToken.id == token_id)
    token = await session.scalar(found.with_for_update())
    if token is None:
        raise NotFoundError("There is no such enrollment token.")
    if not actor.may_in(Permission.ENROLLMENT_WRITE, token.department_id):
        raise ForbiddenError(f"This needs the permission {Permission.ENROLLMENT_WRITE} in its department.")
    await note_move(session, ENROLLMENT_TOKENS, token, state_of(token, now), EnrollmentTokenState.REVOKED)
    token.revoked_at = now
    await session.flush()


def _token_read(token: EnrollmentToken, now: datetime) -> EnrollmentTokenRead:
    values = {name: getattr(token, name) for name in EnrollmentTokenRead.model_fields if name != "state"}
    return EnrollmentTokenRead(**values, state=state_of(token, now))


async def _may_enrol_into(session: AsyncSession, actor: Actor, department_id: UUID | None) -> bool:
    if not actor.may_in(Permission.ENROLLMENT_WRITE, department_id):
        return False
    return department_id is None or await session.get(Department, department_id) is not None


async def enroll(
    session: AsyncSession,
    token: str,
    hostname: str,
    identities: dict[str, str],
    now: datetime,
    address: str = "",
) -> tuple[UUID, str]:
    """Make a device and its key for a machine with a good token, or a new key for the token's own device.

    Only such a token makes a machine a device that exists: hardware identities are copied with every clone and can be
    guessed, so none of them may claim a history. Its names become its own where nobody in the department has them yet.
    Raises UnauthenticatedError.
    """
    used = await queries.use_token(session, hash_secret(token), now, address)
    if used is None:
        raise UnauthenticatedError(
            "The enrollment token is unknown, used up, expired, revoked or not for this address. Create a new one."
        )
    token_id, department_id, own = used
    evidence = normalise_evidence(identities | {"hostname": hostname})
    if own is not None:
        return own, await enroll_again(session, own, department_id, token_id, evidence, now)
    device_id = await devices.register_device(session, hostname, evidence, now, department_id)
    await store_evidence(session, device_id, evidence, now)
    names = [value for kind, value in evidence if kind in {"hostname", "fqdn"}]
    await host_claims.add_if_free(session, names, device_id)
    session.add(Agent(device_id=device_id, enrolled_at=now, enrolled_with=token_id, last_contact=now))
    key = await issue_key(session, device_id)
    await propose_for(session, device_id)
    return device_id, key


async def note_for(session: AsyncSession, device_id: UUID) -> str:
    """What who enrolls a machine should know of its new device; empty where there is nothing."""
    device = await session.get(Device, device_id)
    if device is None or not await has_namesake(session, device_id):
        return ""
    return (
        f"Another device in the same department is named {device.name}. "
        "If it is this machine, merge the two in the tab Sources of either; otherwise rename one of them."
    )


async def agent_config(session: AsyncSession) -> AgentConfig:
    """What agents are told."""
    values = await read_config(session)
    return AgentConfig(
        interval_seconds=values.sampling.interval_seconds,
        process_interval_seconds=values.sampling.process_interval_seconds,
        inventory_interval_seconds=values.sampling.inventory_interval_seconds,
        features=values.features.model_dump(),
    )


async def record_report(
    session: AsyncSession, device_id: UUID, report: InventoryReport, now: datetime
) -> None:
    """Store an agent's inventory and the state of its collectors. What did not change since is not written."""
    inventory = report.inventory
    identities = {
        "machine_id": inventory.machine_id or "",
        "smbios_uuid": inventory.smbios_uuid or "",
        "serial": inventory.serial_number or "",
        "fqdn": inventory.fqdn or "",
        "hostname": inventory.hostname,
        "mac": ",".join(item.mac_address for item in inventory.interfaces),
    }
    attributes = _device_attributes(inventory)
    if await queries.is_first_report(session, device_id):
        # Later a person may know better, and what they said stays.
        attributes["device_type"] = device_type_of(inventory)
    device = await record_inventory(session, device_id, attributes, normalise_evidence(identities), now)
    await record_components(session, device_id, SOURCE, parts_of(inventory), now)
    containers = containers_of(inventory)
    if containers is not None:
        await record_containers(session, device, containers, now)
    collectors = [
        {"name": item.name, "status": item.status, "reason": item.reason} for item in report.collectors
    ]
    await queries.store_agent(session, device_id, inventory.agent_version, collectors, now)


def _device_attributes(inventory: Inventory) -> dict[str, Any]:
    return {
        "hostname": inventory.hostname[:255],
        "fqdn": inventory.fqdn,
        "domain": inventory.domain,
        "os_name": inventory.os_name,
        "os_version": inventory.os_version,
        "os_build": inventory.os_build,
        "kernel": inventory.kernel,
        "architecture": inventory.architecture,
        "manufacturer": inventory.manufacturer,
        "model": inventory.model,
        "serial_number": inventory.serial_number,
        "virtualization": inventory.virtualization,
        "cpu_model": inventory.cpu_model,
        "cpu_cores": inventory.cpu_cores,
        "cpu_threads": inventory.cpu_threads,
        "memory_total_bytes": inventory.memory_total_bytes,
        "gpu_models": inventory.gpu_models,
        "boot_time": datetime.fromtimestamp(inventory.boot_time, UTC) if inventory.boot_time else None,
        "capabilities": inventory.capabilities,
        "interfaces": [
            {
                "name": item.name,
                "mac_address": item.mac_address,
                "ip_addresses": item.ip_addresses,
                "speed_mbps": item.speed_mbps,
                "is_up": item.is_up,
            }
            for item in inventory.interfaces
        ],
    }


async def list_agents(
    session: AsyncSession, actor: Actor, parameters: Sequence[tuple[str, str]]
) -> AgentPage:
    """One page of agents on devices that the actor may see."""
    page = await queries.AGENTS.page(session, queries.agents_visible_to(actor), parameters)
    results = [_agent_read(*row[:3]) for row in page.rows]
    return AgentPage(count=page.count, next=page.next, previous=page.previous, results=results)


async def get_agent(session: AsyncSession, actor: Actor, device_id: UUID) -> AgentRead | None:
    """The agent of a device; None when it has none, or none that the actor may see."""
    row = (
        await session.execute(queries.agents_visible_to(actor).where(Agent.device_id == device_id))
    ).one_or_none()
    return _agent_read(*row[:3]) if row else None


async def revoke_agent(session: AsyncSession, actor: Actor, device_id: UUID) -> None:
    """Revoke a device's keys: its agent is refused until it enrolls again. Raises NotFoundError."""
    await devices.check_permission(session, actor, Permission.ENROLLMENT_WRITE, device_id)
    await revoke_keys(session, device_id)


def _agent_read(agent: Agent, device: Any, has_key: bool) -> AgentRead:
    return AgentRead(
        device_id=agent.device_id,
        device_name=device.name,
        status=device.status,
        version=agent.version,
        enrolled_at=agent.enrolled_at,
        last_contact=max(filter(None, (agent.last_contact, device.last_seen)), default=None),
        collectors=agent.collectors,
        is_revoked=not has_key,
    )
