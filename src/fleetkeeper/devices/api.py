"""`/api/v1/devices`."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Request, Response
from sqlalchemy.ext.asyncio import AsyncSession
from starlette.responses import JSONResponse, StreamingResponse

from fleetkeeper.annotations.fields.exporting import with_fields
from fleetkeeper.annotations.fields.service import fields_for
from fleetkeeper.approvals.schemas import ApprovalRead
from fleetkeeper.audit.exports import export_list
from fleetkeeper.database.exports import RESPONSES, FileFields, FileFormat
from fleetkeeper.database.request_session import AppSettings, Session
from fleetkeeper.devices import deleting, service
from fleetkeeper.devices.access import DevicesDelete, DevicesRead, DevicesWrite
from fleetkeeper.devices.annotating import TABLE
from fleetkeeper.devices.bulk import change_devices
from fleetkeeper.devices.queries import LISTING as DEVICES_LISTING
from fleetkeeper.devices.schemas import (
    DeviceBulkDelete,
    DeviceBulkUpdate,
    DevicePage,
    DeviceRead,
    DeviceSummary,
    DeviceUpdate,
)
from fleetkeeper.error_handlers import problem_responses
from fleetkeeper.kit.bulk import BulkResult
from fleetkeeper.kit.clock import utc_now
from fleetkeeper.kit.etags import ExpectedVersion, tagged
from fleetkeeper.kit.list_query import ListParameters, listed_by
from fleetkeeper.kit.pagination import with_links

router = APIRouter(prefix="/devices", tags=["devices"])
DevicesQuery = Annotated[ListParameters, listed_by(DEVICES_LISTING)]


@router.get("", responses=problem_responses(401, 403, 422))
async def list_devices(
    request: Request, actor: DevicesRead, session: Session, settings: AppSettings, asked: DevicesQuery
) -> DevicePage:
    """List devices. Filters: any field, with `__in`, `__gte`, `__contains`, …; and `status=stale`, `tag=slug`.

    Custom fields are filters and orderings named `cf_` and their name, such as `cf_warranty_until__lte=2026-12-31`.
    """
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
    """Delete many devices with their telemetry at once. Each has its own result; with `dry_run` nothing changes.

    Those that an approval rule is about are `held`: one request waits for each department.
    """
    stale_before = utc_now() - await service.silence_allowed(session, settings)
    reason = getattr(request.state, "change_reason", "")
    return await deleting.ask_for_deletions(
        session,
        actor,
        wanted,
        reason,
        dry_run=wanted.dry_run,
        stale_before=stale_before,
        expected=wanted.expected,
    )


@router.get("/{device_id}", responses=problem_responses(401, 403, 404, 422))
async def get_device(device_id: UUID, actor: DevicesRead, session: Session, response: Response) -> DeviceRead:
    """Get one device."""
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
    """Change a device's name, type, lifecycle, location or department."""
    return tagged(
        response, await service.update_device(session, actor, device_id, changes, expected_version=version)
    )


@router.delete(
    "/{device_id}",
    status_code=204,
    responses=problem_responses(401, 403, 404, 409, 422) | {202: {"model": ApprovalRead}},
)
async def delete_device(
    request: Request, device_id: UUID, actor: DevicesDelete, session: Session
) -> Response:
    """Delete a device with its telemetry, and revoke its keys.

    Where an approval rule applies, the answer is 202 with the approval request, and nothing is deleted yet.
    """
    reason = getattr(request.state, "change_reason", "")
    held = await deleting.ask_for_deletion(session, actor, device_id, reason)
    if held is None:
        return Response(status_code=204)
    return JSONResponse(held.model_dump(mode="json"), 202)
