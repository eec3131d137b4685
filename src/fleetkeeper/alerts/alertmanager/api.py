"""`/alertmanager`: the HTTP API of Alertmanager, for Prometheus, amtool and Grafana."""

import time
from datetime import UTC, datetime
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Request, Response
from fastapi.exceptions import RequestValidationError
from pydantic import Field
from starlette.responses import JSONResponse, PlainTextResponse

from fleetkeeper.alerts.access import AlertsRead, AlertsRespond
from fleetkeeper.alerts.alertmanager import listing, posting, silencing
from fleetkeeper.alerts.alertmanager.listing import Wanted
from fleetkeeper.alerts.alertmanager.schemas import (
    GettableAlert,
    GettableGroup,
    GettableSilence,
    PostableAlerts,
    PostableSilence,
    ReceiverName,
    SilenceId,
    Status,
)
from fleetkeeper.alerts.prometheus.service import rfc3339
from fleetkeeper.alerts.silences.schemas import SilenceState
from fleetkeeper.alerts.silences.service import silences
from fleetkeeper.database.request_session import Session
from fleetkeeper.error_handlers import expected_error, problem_responses

VERSION = "0.25.0"
MAX_ALERTS_BYTES = 8 * 1024 * 1024
_STARTED = datetime.fromtimestamp(time.time(), UTC)
# As many, and as long, as an address can hold.
Filter = Annotated[str, Field(max_length=200)]
Filters = Annotated[list[Filter] | None, Query(alias="filter", max_length=15, description="Matchers")]


def _status(error: Exception, known: int) -> int:
    """As Alertmanager has it: 422 is for an ID that is none, and all else that is wrong is 400."""
    if isinstance(error, RequestValidationError) and any(one["loc"][0] == "path" for one in error.errors()):
        return 422
    return 404 if known == 404 else 400


def error_response(request: Request, error: Exception) -> Response | None:
    """What is wrong as Alertmanager says it, by a text as JSON; None for refusals of access and defects.

    It answers outside of the route, so that nothing is kept of what was refused.
    """
    del request
    known = expected_error(error)
    if known is None or known.status not in {400, 404, 409, 422}:
        return None
    fields = "; ".join(f"{one.field}: {one.message}" for one in known.fields)
    return JSONResponse(f"{known.detail} {fields}".strip(), _status(error, known.status))


def _texts(*statuses: int) -> dict[int | str, dict[str, Any]]:
    content = {"application/json": {"schema": {"type": "string"}}}
    return {status: {"description": "What is wrong", "content": content} for status in statuses}


health = APIRouter(prefix="/alertmanager/-", tags=["alertmanager"])
BASE = "/alertmanager/api/v2"
router = APIRouter(
    prefix=BASE,
    tags=["alertmanager"],
    responses={**problem_responses(401, 403, 429), **_texts(400, 422)},
)


@health.get("/healthy", response_class=PlainTextResponse)
async def answer_healthy() -> PlainTextResponse:
    """Say that the server is up."""
    return PlainTextResponse("OK")


@health.get("/ready", response_class=PlainTextResponse)
async def answer_ready() -> PlainTextResponse:
    """Say that the server takes requests."""
    return PlainTextResponse("OK")


def _asked(
    filters: Filters = None,
    receiver: Annotated[str, Query(max_length=200, description="Pattern of receivers")] = "",
    *,
    active: bool = True,
    silenced: bool = True,
    inhibited: bool = True,
    unprocessed: bool = True,
) -> Wanted:
    return Wanted(filters or (), receiver, active, silenced, inhibited, unprocessed)


Asked = Annotated[Wanted, Depends(_asked)]


@router.get("/alerts")
async def list_alerts(actor: AlertsRead, session: Session, asked: Asked) -> list[GettableAlert]:
    """List open alerts."""
    return await listing.list_alerts(session, actor, asked)


@router.post("/alerts", response_class=Response)
async def post_alerts(actor: AlertsRespond, session: Session, alerts: PostableAlerts) -> Response:
    """Post alerts; each set of labels fires until its end, or until it is not posted again."""
    problems = await posting.post_alerts(session, actor, alerts)
    return JSONResponse("; ".join(problems[:100]), 400) if problems else Response(status_code=200)


@router.get("/alerts/groups")
async def list_groups(actor: AlertsRead, session: Session, asked: Asked) -> list[GettableGroup]:
    """List open alerts in the groups that people are notified of together."""
    return await listing.list_groups(session, actor, asked)


@router.get("/silences")
async def list_silences(
    actor: AlertsRead,
    session: Session,
    filters: Filters = None,
    *,
    active: bool = True,
    pending: bool = True,
    expired: bool = True,
) -> list[GettableSilence]:
    """List silences."""
    given = {SilenceState.ACTIVE: active, SilenceState.PENDING: pending, SilenceState.EXPIRED: expired}
    states = frozenset(state for state, is_wanted in given.items() if is_wanted)
    return await silencing.list_silences(session, actor, filters or (), states)


@router.post("/silences")
async def post_silence(actor: AlertsRespond, session: Session, wanted: PostableSilence) -> SilenceId:
    """Create a silence, or change the one with the ID."""
    return SilenceId(silenceID=str(await silencing.post_silence(session, actor, wanted)))


@router.get("/silence/{key}", responses=_texts(404))
async def get_silence(key: UUID, actor: AlertsRead, session: Session) -> GettableSilence:
    """Get one silence."""
    return await silencing.get_silence(session, actor, key)


@router.delete("/silence/{key}", response_class=Response, responses=_texts(404))
async def expire_silence(key: UUID, actor: AlertsRespond, session: Session) -> Response:
    """End a silence now."""
    await silences.expire(session, actor, key)
    return Response(status_code=200)


@router.get("/receivers")
async def list_receivers(_: AlertsRead, session: Session) -> list[ReceiverName]:
    """List receivers."""
    return await listing.list_receivers(session)


@router.get("/status")
async def get_status(_: AlertsRead) -> Status:
    """Say whose API this is."""
    empty = dict.fromkeys(("revision", "branch", "buildUser", "buildDate", "goVersion"), "")
    return Status(
        cluster={"status": "disabled", "name": "", "peers": []},
        version_info={"version": VERSION, **empty},
        config={"original": ""},
        uptime=rfc3339(_STARTED),
    )
