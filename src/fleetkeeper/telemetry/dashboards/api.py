"""`/api/v1/dashboards`."""

from typing import Annotated

import msgspec
from fastapi import APIRouter, Path, Request, Response

from fleetkeeper.database.request_session import Session
from fleetkeeper.error_handlers import problem_responses
from fleetkeeper.identity.exporting import add_export
from fleetkeeper.identity.permissions import Permission
from fleetkeeper.kit.etags import ExpectedVersion, tagged
from fleetkeeper.kit.list_query import ListParameters, listed_by
from fleetkeeper.kit.pagination import with_links
from fleetkeeper.telemetry.access import TelemetryRead
from fleetkeeper.telemetry.dashboards import service
from fleetkeeper.telemetry.dashboards.access import Asking, DashboardsWrite
from fleetkeeper.telemetry.dashboards.answering import answer
from fleetkeeper.telemetry.dashboards.checking import read_definition
from fleetkeeper.telemetry.dashboards.queries import LISTING as DASHBOARDS_LISTING
from fleetkeeper.telemetry.dashboards.schemas import (
    BuiltInDashboards,
    Checked,
    CheckedBody,
    DashboardCreate,
    DashboardDocument,
    DashboardDuplicate,
    DashboardImport,
    DashboardPage,
    DashboardRead,
    DashboardSummary,
    DashboardWrite,
    DefaultFor,
    PanelAnswerRead,
    PanelQuestion,
)

router = APIRouter(prefix="/dashboards", tags=["dashboards"])
DashboardsQuery = Annotated[ListParameters, listed_by(DASHBOARDS_LISTING)]

Key = Annotated[str, Path(description="Its id, or its slug", max_length=80)]
_encoder = msgspec.json.Encoder()


@router.get("", responses=problem_responses(401, 403, 422))
async def list_dashboards(
    request: Request, actor: TelemetryRead, session: Session, asked: DashboardsQuery
) -> DashboardPage:
    """List your dashboards and those for everyone. The product's own ones are under `/dashboards/built-in`."""
    page = await service.list_dashboards(session, actor, asked)
    return with_links(page, request.url.path)


@router.post("", status_code=201, responses=problem_responses(400, 401, 403, 409, 422))
async def create_dashboard(
    wanted: DashboardCreate, actor: DashboardsWrite, session: Session, response: Response
) -> DashboardRead:
    """Make a dashboard."""
    return tagged(response, await service.create_dashboard(session, actor, wanted))


@router.get("/built-in", responses=problem_responses(401, 403))
async def list_built_in(actor: TelemetryRead) -> BuiltInDashboards:
    """List the dashboards that the product brings: of the fleet, and of each type of devices."""
    del actor
    return BuiltInDashboards(results=service.built_in_dashboards())


add_export(
    router,
    "dashboards",
    Permission.TELEMETRY_READ,
    DashboardSummary,
    "dashboards",
    service.list_dashboards,
)


@router.get("/default/{kind}", responses=problem_responses(401, 403, 422))
async def get_default(kind: DefaultFor, actor: TelemetryRead, session: Session) -> DashboardRead:
    """Get the dashboard of the fleet or of a type of devices: the chosen one, or the product's own."""
    return await service.default_dashboard(session, actor, kind)


@router.post("/import", status_code=201, responses=problem_responses(400, 401, 403, 404, 409, 422))
async def import_dashboard(
    wanted: DashboardImport, actor: DashboardsWrite, session: Session
) -> DashboardRead:
    """Make a dashboard out of what export gave, or replace the one with the same slug."""
    return await service.import_dashboard(session, actor, wanted)


@router.post("/check", responses=problem_responses(400, 401, 403, 422))
async def check_definition(wanted: CheckedBody, actor: TelemetryRead) -> Checked:
    """Say what is wrong with a definition, each fault at its place; nothing is stored."""
    del actor
    return Checked(definition=read_definition(wanted.definition).model_dump(mode="json"))


@router.post("/query", response_model=PanelAnswerRead, responses=problem_responses(400, 401, 403, 422, 503))
async def query_panel(question: PanelQuestion, asker: Asking) -> Response:
    """Answer the queries of a panel with the values of its variables, about the devices that the caller may see."""
    return Response(_encoder.encode(await answer(asker, question)), media_type="application/json")


@router.get("/{key}", responses=problem_responses(401, 403, 404, 422))
async def get_dashboard(
    key: Key, actor: TelemetryRead, session: Session, response: Response
) -> DashboardRead:
    """Get one dashboard."""
    return tagged(response, await service.get_dashboard(session, actor, key))


@router.put("/{key}", responses=problem_responses(400, 401, 403, 404, 409, 412, 422))
async def replace_dashboard(
    key: Key,
    wanted: DashboardWrite,
    actor: DashboardsWrite,
    session: Session,
    response: Response,
    version: ExpectedVersion,
) -> DashboardRead:
    """Change a dashboard. With If-Match, only when nobody else has changed it in between."""
    return tagged(
        response, await service.replace_dashboard(session, actor, key, wanted, expected_version=version)
    )


@router.delete("/{key}", status_code=204, responses=problem_responses(401, 403, 404, 422))
async def delete_dashboard(key: Key, actor: DashboardsWrite, session: Session) -> None:
    """Delete a dashboard. One for everyone is gone for everyone."""
    await service.delete_dashboard(session, actor, key)


@router.get("/{key}/export", responses=problem_responses(401, 403, 404, 422))
async def export_dashboard(key: Key, actor: TelemetryRead, session: Session) -> DashboardDocument:
    """Get a dashboard as a file that import takes."""
    return await service.export_dashboard(session, actor, key)


@router.post("/{key}/duplicate", status_code=201, responses=problem_responses(400, 401, 403, 404, 409, 422))
async def duplicate_dashboard(
    key: Key, wanted: DashboardDuplicate, actor: DashboardsWrite, session: Session
) -> DashboardRead:
    """Make a private copy."""
    return await service.duplicate_dashboard(session, actor, key, wanted.name)
