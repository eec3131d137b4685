"""The door of exports."""

from collections.abc import AsyncIterator
from typing import Annotated, Literal

from fastapi import APIRouter, Query, Request
from starlette.responses import StreamingResponse

from fleetkeeper.database.request_session import AppDatabase, Session, context_of
from fleetkeeper.error_handlers import problem_responses
from fleetkeeper.kit.moments import From, To
from fleetkeeper.telemetry.access import TelemetryRead
from fleetkeeper.telemetry.exporting.formats import FORMATS
from fleetkeeper.telemetry.exporting.service import begin_export
from fleetkeeper.telemetry.parameters import MaybeDeviceIds

router = APIRouter(prefix="/telemetry", tags=["telemetry"])


@router.get(
    "/export",
    response_class=StreamingResponse,
    responses={
        200: {"content": {kind: {} for kind in FORMATS.values()}},
        **problem_responses(400, 401, 403, 422),
    },
)
async def export(
    request: Request,
    actor: TelemetryRead,
    session: Session,
    database: AppDatabase,
    start: From,
    end: To,
    metric: Annotated[list[str] | None, Query(description="Metrics or channels; default: all")] = None,
    device: MaybeDeviceIds = None,
    file_format: Annotated[Literal["csv", "parquet", "arrow"], Query(alias="format")] = "csv",
) -> StreamingResponse:
    """Download samples as they are, from whatever tier. The audit log keeps who took them."""
    chosen = await begin_export(
        session,
        actor,
        metrics=list(dict.fromkeys(metric or ())),
        devices=device or [],
        start=start,
        end=end,
        file_format=file_format,
    )
    context = context_of(request)

    async def content() -> AsyncIterator[bytes]:
        async for data, _ in chosen.file(lambda: database.session(context)):
            yield data

    return StreamingResponse(
        content(),
        media_type=FORMATS[file_format],
        headers={
            "Content-Disposition": f'attachment; filename="telemetry.{file_format}"',
            "Cache-Control": "no-store",
        },
    )
