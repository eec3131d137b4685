"""`/api/v1/telemetry/sender-rules` and `/api/v1/telemetry/hosts`."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Request

from fleetkeeper.database.request_session import Session
from fleetkeeper.devices.access import DevicesRead, DevicesWrite
from fleetkeeper.error_handlers import problem_responses
from fleetkeeper.identity.access import ConfigRead, ConfigWrite
from fleetkeeper.identity.exporting import add_export
from fleetkeeper.identity.permissions import Permission
from fleetkeeper.kit.list_query import ListParameters, listed_by
from fleetkeeper.kit.pagination import with_links
from fleetkeeper.telemetry.senders import service
from fleetkeeper.telemetry.senders.queries import HOSTS as HOSTS_LISTING
from fleetkeeper.telemetry.senders.queries import RULES as RULES_LISTING
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

router = APIRouter(prefix="/telemetry", tags=["senders"])
HostsQuery = Annotated[ListParameters, listed_by(HOSTS_LISTING)]
RulesQuery = Annotated[ListParameters, listed_by(RULES_LISTING)]

WhichDevice = Annotated[
    UUID | None, Query(description="Which device's host is meant, where several that you may see have it")
]


@router.get("/sender-rules", responses=problem_responses(401, 403, 422))
async def list_rules(
    request: Request, actor: ConfigRead, session: Session, asked: RulesQuery
) -> SenderRulePage:
    """List the rules by which samples find their device, in the order in which they are tried."""
    del actor
    page = await service.list_rules(session, asked)
    return with_links(page, request.url.path)


@router.post("/sender-rules", status_code=201, responses=problem_responses(400, 401, 403, 409, 422))
async def create_rule(wanted: SenderRuleCreate, actor: ConfigWrite, session: Session) -> SenderRuleRead:
    """Make a rule."""
    del actor
    return await service.create_rule(session, wanted)


@router.post("/sender-rules/try", responses=problem_responses(400, 401, 403, 422))
async def try_rules(trial: Trial, actor: ConfigRead, session: Session) -> TrialRead:
    """Say which device a sample with these labels would belong to. Nothing is stored."""
    return await service.try_rules(session, actor, trial)


@router.get("/sender-rules/{rule_id}", responses=problem_responses(401, 403, 404, 422))
async def get_rule(rule_id: UUID, actor: ConfigRead, session: Session) -> SenderRuleRead:
    """Get one rule."""
    del actor
    return await service.get_rule(session, rule_id)


@router.patch("/sender-rules/{rule_id}", responses=problem_responses(400, 401, 403, 404, 422))
async def update_rule(
    rule_id: UUID, changes: SenderRuleUpdate, actor: ConfigWrite, session: Session
) -> SenderRuleRead:
    """Change, move, enable or disable a rule."""
    del actor
    return await service.update_rule(session, rule_id, changes)


@router.delete("/sender-rules/{rule_id}", status_code=204, responses=problem_responses(401, 403, 404, 422))
async def delete_rule(rule_id: UUID, actor: ConfigWrite, session: Session) -> None:
    """Delete a rule."""
    del actor
    await service.delete_rule(session, rule_id)


@router.get("/hosts", responses=problem_responses(401, 403, 422))
async def list_hosts(request: Request, actor: DevicesRead, session: Session, asked: HostsQuery) -> HostPage:
    """List the names by which senders know devices."""
    page = await service.list_hosts(session, actor, asked)
    return with_links(page, request.url.path)


@router.post("/hosts", status_code=201, responses=problem_responses(400, 401, 403, 404, 409, 422))
async def add_host(wanted: HostCreate, actor: DevicesWrite, session: Session) -> HostRead:
    """Say in advance which device a host is, within the department of the device."""
    return await service.add_host(session, actor, wanted)


# A host may be called anything, so that the file cannot be below the list's address.
add_export(
    router,
    "hosts of integrations",
    Permission.DEVICES_READ,
    HostRead,
    "telemetry_hosts",
    service.list_hosts,
    path="/hosts-export",
)


@router.get("/hosts/{host:path}", responses=problem_responses(401, 403, 404, 409, 422))
async def get_host(
    host: str, actor: DevicesRead, session: Session, device_id: WhichDevice = None
) -> HostRead:
    """Get one host."""
    return await service.get_host(session, actor, host, device_id)


@router.patch("/hosts/{host:path}", responses=problem_responses(400, 401, 403, 404, 409, 422))
async def move_host(
    host: str, changes: HostUpdate, actor: DevicesWrite, session: Session, device_id: WhichDevice = None
) -> HostRead:
    """Let a host be another device from now on; what is stored stays with the one that it was."""
    return await service.move_host(session, actor, host, changes, device_id)


@router.delete("/hosts/{host:path}", status_code=204, responses=problem_responses(401, 403, 404, 409, 422))
async def forget_host(
    host: str, actor: DevicesWrite, session: Session, device_id: WhichDevice = None
) -> None:
    """Forget which device a host is; its next samples look for it anew."""
    await service.forget_host(session, actor, host, device_id)
