"""`/api/v1/devices`."""

from uuid import UUID

from fastapi import APIRouter, Request, Response

from fleetkeeper.database.request_session import Session
from fleetkeeper.devices import service
from fleetkeeper.devices.access import DevicesDelete, DevicesRead, DevicesWrite
from fleetkeeper.devices.schemas import DevicePage, DeviceRead, DeviceUpdate
from fleetkeeper.error_handlers import problem_responses
from fleetkeeper.kit.clock import utc_now
from fleetkeeper.kit.etags import ExpectedVersion, etag_of
from fleetkeeper.kit.pagination import with_links

router = APIRouter(prefix="/devices", tags=["devices"])


@router.get("", responses=problem_responses(401, 403, 422))
async def list_devices(
    request: Request,
    actor: DevicesRead,
    session: Session,
    q: str = "",
    ordering: str = "name",
    limit: int = 50,
    cursor: str = "",
) -> DevicePage:
    """List devices. Filters: any field, with `__in`, `__gte`, `__contains`, …; `status=stale` for late ones."""
    del (
        q,
        ordering,
        limit,
        cursor,
    )  # named for the documentation; the listing reads the query string as it came
    parameters, stale_before = request.query_params.multi_items(), None
    if ("status", "stale") in parameters:
        stale_before = utc_now() - await service.silence_allowed(session, request.app.state.settings)
    page = await service.list_devices(session, actor, parameters, stale_before=stale_before)
    return with_links(page, request.url.path)


@router.get("/{device_id}", responses=problem_responses(401, 403, 404, 422))
async def get_device(device_id: UUID, actor: DevicesRead, session: Session, response: Response) -> DeviceRead:
    """Get one device."""
    device = await service.get_device(session, actor, device_id)
    response.headers["ETag"] = etag_of(device.version)
    return device


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
    device = await service.update_device(session, actor, device_id, changes, expected_version=version)
    response.headers["ETag"] = etag_of(device.version)
    return device


@router.delete("/{device_id}", status_code=204, responses=problem_responses(401, 403, 404, 422))
async def delete_device(device_id: UUID, actor: DevicesDelete, session: Session) -> None:
    """Forget a device and revoke its keys."""
    await service.delete_device(session, actor, device_id)
