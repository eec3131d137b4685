"""`/api/v1/enrollment-tokens`, `/api/v1/enroll`, `/api/v1/agent/…` and `/api/v1/agents`."""

import hashlib
from typing import Annotated
from uuid import UUID

import msgspec
from fastapi import APIRouter, Request, Response

from fleetkeeper.database.context import product_context
from fleetkeeper.database.request_session import Session
from fleetkeeper.devices.access import CallingDevice, DevicesRead
from fleetkeeper.devices.keys import OVERLAP
from fleetkeeper.devices.keys import rotate_key as rotate_device_key
from fleetkeeper.error_handlers import problem_responses
from fleetkeeper.fleet import service
from fleetkeeper.fleet.access import EnrollmentRead, EnrollmentWrite
from fleetkeeper.fleet.queries import AGENTS as AGENTS_LISTING
from fleetkeeper.fleet.queries import TOKENS as ENROLLMENTTOKENS_LISTING
from fleetkeeper.fleet.queries import touch_agent
from fleetkeeper.fleet.schemas import (
    AgentPage,
    AgentRead,
    DeviceEnrollment,
    DeviceKeyRotated,
    EnrollBody,
    Enrolled,
    EnrollmentTokenCreate,
    EnrollmentTokenCreated,
    EnrollmentTokenPage,
    EnrollmentTokenRead,
)
from fleetkeeper.identity.access import client_address, origin_of
from fleetkeeper.identity.exporting import add_export
from fleetkeeper.identity.permissions import Permission
from fleetkeeper.kit.clock import utc_now
from fleetkeeper.kit.list_query import ListParameters, listed_by
from fleetkeeper.kit.pagination import with_links
from fleetkeeper.kit.request_body import read_message
from fleetkeeper_protocol.messages import MOST_REPORT_BYTES, InventoryReport

router = APIRouter(tags=["fleet"])
AgentsQuery = Annotated[ListParameters, listed_by(AGENTS_LISTING)]
EnrollmentTokensQuery = Annotated[ListParameters, listed_by(ENROLLMENTTOKENS_LISTING)]

_report_decoder = msgspec.json.Decoder(InventoryReport)


@router.post("/enrollment-tokens", status_code=201, responses=problem_responses(400, 401, 403, 422))
async def create_enrollment_token(
    wanted: EnrollmentTokenCreate, actor: EnrollmentWrite, session: Session
) -> EnrollmentTokenCreated:
    """Make an enrollment token. Its secret is in this answer only."""
    return await service.create_enrollment_token(session, actor, wanted, utc_now())


@router.post(
    "/devices/{device_id}/enrollment-tokens",
    status_code=201,
    responses=problem_responses(400, 401, 403, 404, 422),
)
async def create_token_for_device(
    device_id: UUID, wanted: DeviceEnrollment, actor: EnrollmentWrite, session: Session
) -> EnrollmentTokenCreated:
    """Make a token by which a machine that was installed again stays this device. Its keys end when it is used."""
    return await service.create_token_for_device(session, actor, device_id, wanted, utc_now())


@router.get("/enrollment-tokens", responses=problem_responses(401, 403, 422))
async def list_enrollment_tokens(
    request: Request, actor: EnrollmentRead, session: Session, asked: EnrollmentTokensQuery
) -> EnrollmentTokenPage:
    """List enrollment tokens."""
    page = await service.list_enrollment_tokens(session, actor, asked)
    return with_links(page, request.url.path)


add_export(
    router,
    "enrollment tokens",
    Permission.ENROLLMENT_READ,
    EnrollmentTokenRead,
    "enrollment_tokens",
    service.list_enrollment_tokens,
    path="/enrollment-tokens/export",
)


@router.delete(
    "/enrollment-tokens/{token_id}", status_code=204, responses=problem_responses(401, 403, 404, 422)
)
async def revoke_enrollment_token(token_id: UUID, actor: EnrollmentWrite, session: Session) -> None:
    """Revoke an enrollment token. Devices that enrolled with it stay."""
    await service.revoke_enrollment_token(session, actor, token_id, utc_now())


@router.post("/enroll", status_code=201, responses=problem_responses(400, 401, 422))
async def enroll(request: Request, body: EnrollBody, session: Session) -> Enrolled:
    """Enroll a machine with a token."""
    # Nobody is signed in: the token, which the service checks first, is what lets a device be made.
    request.state.transaction_context = product_context("device", body.hostname, **origin_of(request))
    device_id, key = await service.enroll(
        session, body.token, body.hostname, body.identities, utc_now(), client_address(request)
    )
    note = await service.note_for(session, device_id)
    return Enrolled(device_id=device_id, device_key=key, note=note)


@router.get("/agents", responses=problem_responses(401, 403, 422))
async def list_agents(
    request: Request, actor: DevicesRead, session: Session, asked: AgentsQuery
) -> AgentPage:
    """List agents."""
    page = await service.list_agents(session, actor, asked)
    return with_links(page, request.url.path)


add_export(
    router, "agents", Permission.DEVICES_READ, AgentRead, "agents", service.list_agents, path="/agents/export"
)


@router.delete("/agents/{device_id}/keys", status_code=204, responses=problem_responses(401, 403, 404, 422))
async def revoke_agent(device_id: UUID, actor: EnrollmentWrite, session: Session) -> None:
    """Revoke a device's keys. Its agent must enroll again."""
    await service.revoke_agent(session, actor, device_id)


@router.get("/agent/config", responses={304: {"description": "Not modified"}, **problem_responses(401)})
async def agent_config(request: Request, device: CallingDevice, session: Session) -> Response:
    """What the calling agent shall do, with an ETag."""
    content = msgspec.json.encode(await service.agent_config(session))
    etag = f'"{hashlib.sha256(content).hexdigest()[:16]}"'
    await touch_agent(session, device.device_id, utc_now())
    if request.headers.get("if-none-match") == etag:
        return Response(status_code=304, headers={"ETag": etag})
    return Response(content, media_type="application/json", headers={"ETag": etag})


@router.post("/agent/key", status_code=201, responses=problem_responses(401, 403))
async def rotate_key(device: CallingDevice, session: Session) -> DeviceKeyRotated:
    """Get a new key for the calling device. The old one works until the new one is used, so none is lost in between."""
    key = await rotate_device_key(session, device)
    return DeviceKeyRotated(device_key=key, old_key_valid_seconds=int(OVERLAP.total_seconds()))


@router.post("/agent/inventory", status_code=204, responses=problem_responses(400, 401, 413, 422))
async def record_inventory(request: Request, device: CallingDevice, session: Session) -> None:
    """Take an agent's inventory and the state of its collectors."""
    body = await request.body()
    encoding = request.headers.get("content-encoding", "")
    report = read_message(body, encoding, _report_decoder, MOST_REPORT_BYTES)
    await service.record_report(session, device.device_id, report, utc_now())
