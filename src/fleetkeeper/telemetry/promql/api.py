"""`/prometheus/api/v1/…`: the HTTP API of Prometheus, as Grafana and other clients ask it."""

from collections.abc import Awaitable, Callable, Coroutine, Sequence
from typing import Annotated, Any

import msgspec
from fastapi import APIRouter, Depends, Request, Response
from fastapi.routing import APIRoute
from starlette.exceptions import HTTPException

from fleetkeeper.database.engine import Database
from fleetkeeper.database.request_session import context_of
from fleetkeeper.error_handlers import expected_error, problem_responses
from fleetkeeper.errors import UnavailableError
from fleetkeeper.kit.request_body import CallerGoneError
from fleetkeeper.kit.services import services_of
from fleetkeeper.kit.while_connected import while_connected
from fleetkeeper.telemetry.access import TelemetryRead
from fleetkeeper.telemetry.promql import service
from fleetkeeper.telemetry.promql.errors import BadDataError, PromqlError, QueryCancelledError
from fleetkeeper.telemetry.promql.parameters import Parameters
from fleetkeeper.telemetry.promql.schemas import PrometheusAnswer, answers, described
from fleetkeeper.telemetry.promql.service import Caller, Promql, Rendered

_encoder = msgspec.json.Encoder()
FORM = "application/x-www-form-urlencoded"
MAX_FORM_FIELDS = 1000


def _refusal(kind: str, message: str, status: int, place: tuple[int, int] | None = None) -> Response:
    body: dict[str, Any] = {"status": "error", "errorType": kind, "error": message}
    if place is not None:
        body["place"] = place
    return Response(_encoder.encode(body), status, media_type="application/json")


class PrometheusRoute(APIRoute):
    """A route that answers errors of queries in Prometheus' shape. Who may not ask gets the product's own answer."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """The route's handler, with those errors caught."""
        handler = super().get_route_handler()

        async def handle(request: Request) -> Response:
            try:
                return await handler(request)
            except PromqlError as error:
                place = error.place if isinstance(error, BadDataError) else None
                return _refusal(error.kind, str(error), error.status, place)
            except HTTPException as error:
                if error.status_code == 400:
                    return _refusal("bad_data", "error parsing form values", 400)
                raise
            except Exception as error:
                known = expected_error(error)
                if isinstance(known, UnavailableError):
                    return _refusal("unavailable", known.detail, 503)
                raise

        return handle


router = APIRouter(
    prefix="/prometheus/api/v1",
    tags=["prometheus"],
    route_class=PrometheusRoute,
    responses={**problem_responses(401, 403, 429), **answers()},
)


async def read_caller(request: Request, actor: TelemetryRead) -> Caller:
    """Who asks, with parameters from the address and the form."""
    values = {name: request.query_params.getlist(name) for name in request.query_params}
    if request.method == "POST":
        kind = request.headers.get("content-type", FORM).partition(";")[0].strip().lower()
        if kind != FORM:
            raise BadDataError(f"parameters come as {FORM}")
        form = await request.form(max_files=0, max_fields=MAX_FORM_FIELDS)
        for name in form:
            values[name] = [item for item in form.getlist(name) if isinstance(item, str)] + values.get(
                name, []
            )
    database = services_of(request).get(Database)
    return Caller(
        services_of(request).get(Promql),
        lambda: database.session(context_of(request), plans_once=True),
        actor,
        Parameters(values),
    )


Asking = Annotated[Caller, Depends(read_caller)]


def _success(data: object) -> Response:
    return _written(_encoder.encode(data))


async def _asked(request: Request, work: Awaitable[Rendered]) -> Response:
    try:
        found = await while_connected(request.receive, work)
    except CallerGoneError:
        raise QueryCancelledError("query was canceled in expression evaluation") from None
    return _written(found.data, found.warnings)


def _written(data: bytes | memoryview, warnings: Sequence[str] = ()) -> Response:
    told = b',"warnings":%s' % _encoder.encode(warnings) if warnings else b""
    return Response(b'{"status":"success","data":%s%s}' % (data, told), media_type="application/json")


_QUERY = ("query", "time", "timeout")
_RANGE = ("query", "start", "end", "step", "timeout")
_MATCH = ("match[]", "start", "end", "limit")


@router.get("/query", response_model=PrometheusAnswer, openapi_extra=described(*_QUERY))
@router.post("/query", response_model=PrometheusAnswer, openapi_extra=described(*_QUERY, form=True))
async def query(request: Request, caller: Asking) -> Response:
    """Evaluate an expression at one moment."""
    return await _asked(request, service.query(caller))


@router.get("/query_range", response_model=PrometheusAnswer, openapi_extra=described(*_RANGE))
@router.post("/query_range", response_model=PrometheusAnswer, openapi_extra=described(*_RANGE, form=True))
async def query_range(request: Request, caller: Asking) -> Response:
    """Evaluate an expression at each step of a range of time."""
    return await _asked(request, service.query_range(caller))


@router.get("/series", response_model=PrometheusAnswer, openapi_extra=described(*_MATCH))
@router.post("/series", response_model=PrometheusAnswer, openapi_extra=described(*_MATCH, form=True))
async def series(caller: Asking) -> Response:
    """List series by selectors."""
    return _success(await service.series(caller))


@router.get("/labels", response_model=PrometheusAnswer, openapi_extra=described(*_MATCH))
@router.post("/labels", response_model=PrometheusAnswer, openapi_extra=described(*_MATCH, form=True))
async def labels(caller: Asking) -> Response:
    """List names of labels."""
    return _success(await service.labels(caller))


@router.get("/label/{name}/values", response_model=PrometheusAnswer, openapi_extra=described(*_MATCH))
async def label_values(name: str, caller: Asking) -> Response:
    """List the values of a label."""
    return _success(await service.values(caller, name))


@router.get("/metadata", response_model=PrometheusAnswer, openapi_extra=described("metric", "limit"))
async def metadata(caller: Asking) -> Response:
    """Describe metrics."""
    return _success(await service.metadata(caller))


@router.get("/format_query", response_model=PrometheusAnswer, openapi_extra=described("query"))
@router.post("/format_query", response_model=PrometheusAnswer, openapi_extra=described("query", form=True))
async def format_query(caller: Asking) -> Response:
    """Lay an expression out."""
    return _success(await service.format_query(caller))


@router.get(
    "/query_exemplars", response_model=PrometheusAnswer, openapi_extra=described("query", "start", "end")
)
@router.post(
    "/query_exemplars",
    response_model=PrometheusAnswer,
    openapi_extra=described("query", "start", "end", form=True),
)
async def query_exemplars(caller: Asking) -> Response:
    """Answer that there are no exemplars."""
    return _success(await service.exemplars(caller))


@router.get("/status/buildinfo", response_model=PrometheusAnswer)
async def build_info(_: TelemetryRead) -> Response:
    """Say whose language this is."""
    return _success(service.build_info())
