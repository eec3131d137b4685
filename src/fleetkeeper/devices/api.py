"""`/api/v1/devices`."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Request, Response
from sqlalchemy.ext.asyncio import AsyncSession
from starlette.responses import JSONResponse, StreamingResponse

from fleetkeeper.annotations.fields.exporting import with_fields
from fleetkeeper.annotations.fields.service import fields_for
from fleetkeeper.approvals.schemas import ApprovalRead
from fleetkeeper.audit.exports import export_list
from fleetkeeper.database.exports import RESPONSES, FileFields, FileFormat
from fleetkeeper.database.request_session import AppSettings, Session
from fleetkeeper.devices import creating, deleting, service
from fleetkeeper.devices.access import DevicesCreate, DevicesDelete, DevicesRead, DevicesWrite
from fleetkeeper.devices.annotating import TABLE
from fleetkeeper.devices.bulk import change_devices
from fleetkeeper.devices.queries import LISTING as DEVICES_LISTING
from fleetkeeper.devices.revisions.moments import AS_OF, moment_in
from fleetkeeper.devices.revisions.service import device_as_of, list_as_of
from fleetkeeper.devices.schemas import (
    DeviceBulkDelete,
    DeviceBulkUpdate,
    DeviceClone,
    DeviceCreate,
    DevicePage,
    DeviceRead,
    DeviceSummary,
    DeviceUpdate,
)
from fleetkeeper.error_handlers import problem_responses
from fleetkeeper.identity.access import ReasonGiven, reason_given
from fleetkeeper.kit.bulk import BulkResult
from fleetkeeper.kit.clock import utc_now
from fleetkeeper.kit.etags import ExpectedVersion, tagged
from fleetkeeper.kit.list_query import ListParameters, listed_by
from fleetkeeper.kit.moments import Moment
from fleetkeeper.kit.pagination import with_links

router = APIRouter(prefix="/devices", tags=["devices"])
AsOf = Annotated[Moment | None, Query(description="The device as it was then: epoch seconds or RFC 3339")]
DevicesQuery = Annotated[ListParameters, listed_by(DEVICES_LISTING)]


@router.get("", responses=problem_responses(401, 403, 422))
async def list_devices(
    request: Request, actor: DevicesRead, session: Session, settings: AppSettings, asked: DevicesQuery
) -> DevicePage:
    """List devices. Filters: any field, with `__in`, `__gte`, `__contains`, …; and `status=stale`, `tag=slug`.

    Custom fields are filters and orderings named `cf_` and their name, such as `cf_warranty_until__lte=2026-12-31`.
    """
    moment = moment_in(asked, AS_OF)
    if moment is not None:
        return with_links(await list_as_of(session, actor, asked, moment), request.url.path)
    parameters, stale_before = asked, None
    if ("status", "stale") in parameters:
        stale_before = utc_now() - await service.silence_allowed(session, settings)
    page = await service.list_devices(session, actor, parameters, stale_before=stale_before)
    return with_links(page, request.url.path)


@router.get(
    "/export", response_class=StreamingResponse, responses={**RESPONSES, **problem_responses(401, 403, 422)}
)
async def export_devices(
    request: Request,
    actor: DevicesRead,
    session: Session,
    settings: AppSettings,
    file_format: FileFormat = "csv",
    fields: FileFields = "",
) -> StreamingResponse:
    """Download the devices that match the filters of the list. The audit log keeps who took them."""
    stale_before = utc_now() - await service.silence_allowed(session, settings)

    async def fetch(own: AsyncSession, parameters: list[tuple[str, str]]) -> DevicePage:
        return await service.list_devices(own, actor, parameters, stale_before=stale_before, is_counted=False)

    columns = with_fields(DeviceSummary, await fields_for(session, actor, TABLE))
    return await export_list(
        request, session, fetch, columns, "devices", file_format=file_format, fields=fields
    )


@router.post("/bulk", responses=problem_responses(400, 401, 403, 422))
async def update_devices(
    wanted: DeviceBulkUpdate, actor: DevicesWrite, session: Session, settings: AppSettings
) -> BulkResult:
    """Change many devices at once. Each has its own result; with `dry_run` nothing changes."""
    stale_before = utc_now() - await service.silence_allowed(session, settings)
    return await change_devices(
        session, actor, wanted, wanted.changes, dry_run=wanted.dry_run, stale_before=stale_before
    )


@router.post("/bulk-delete", responses=problem_responses(400, 401, 403, 409, 422))
async def delete_devices(
    request: Request, wanted: DeviceBulkDelete, actor: DevicesDelete, session: Session, settings: AppSettings
) -> BulkResult:
    """Delete many devices with their telemetry at once, for a reason. Each has its own result.

    With `dry_run` nothing changes, and no reason is needed. Those that an approval rule is about are `held`: one
    request waits for each department.
    """
    stale_before = utc_now() - await service.silence_allowed(session, settings)
    reason = "" if wanted.dry_run else await reason_given(request)
    return await deleting.ask_for_deletions(
        session,
        actor,
        wanted,
        reason,
        dry_run=wanted.dry_run,
        stale_before=stale_before,
        expected=wanted.expected,
    )


@router.post("", status_code=201, responses=problem_responses(400, 401, 403, 409, 422))
async def create_device(
    wanted: DeviceCreate, actor: DevicesCreate, session: Session, response: Response
) -> DeviceRead:
    """Enter a device that no agent reports, such as a switch. An agent that is installed on it later enrolls."""
    return tagged(response, await creating.create_device(session, actor, wanted, utc_now()))


@router.post("/{device_id}/clone", status_code=201, responses=problem_responses(400, 401, 403, 404, 409, 422))
async def clone_device(
    device_id: UUID, wanted: DeviceClone, actor: DevicesCreate, session: Session, response: Response
) -> DeviceRead:
    """Enter a device like another one: what people said of it is copied, what identifies it is not."""
    return tagged(response, await creating.clone_device(session, actor, device_id, wanted, utc_now()))


@router.get("/{device_id}", responses=problem_responses(401, 403, 404, 422))
async def get_device(
    device_id: UUID, actor: DevicesRead, session: Session, response: Response, as_of: AsOf = None
) -> DeviceRead:
    """Get one device, as it is or as it was."""
    if as_of is not None:
        return await device_as_of(session, actor, device_id, as_of)
    return tagged(response, await service.get_device(session, actor, device_id))


@router.patch("/{device_id}", responses=problem_responses(400, 401, 403, 404, 412, 422))
async def update_device(
    device_id: UUID,
    changes: DeviceUpdate,
    actor: DevicesWrite,
    session: Session,
    response: Response,
    version: ExpectedVersion,
) -> DeviceRead:
    """Change what people know of a device, such as its name, location, owner or department."""
    return tagged(
        response, await service.update_device(session, actor, device_id, changes, expected_version=version)
    )


@router.delete(
    "/{device_id}",
    status_code=204,
    responses=problem_responses(401, 403, 404, 409, 422) | {202: {"model": ApprovalRead}},
)
async def delete_device(
    device_id: UUID, actor: DevicesDelete, reason: ReasonGiven, session: Session
) -> Response:
    """Delete a device with its telemetry for a reason, and revoke its keys.

    Where an approval rule applies, the answer is 202 with the approval request, and nothing is deleted yet.
    """
    held = await deleting.ask_for_deletion(session, actor, device_id, reason)
    if held is None:
        return Response(status_code=204)
    return JSONResponse(held.model_dump(mode="json"), 202)
