"""Turns errors into RFC 9457 problem documents. The console puts its own pages in front of these."""

from typing import Any

import structlog
from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from psycopg import OperationalError as DriverOperationalError
from psycopg.errors import LockNotAvailable
from pydantic import BaseModel, Field
from sqlalchemy.exc import DBAPIError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse

from fleetkeeper.errors import (
    BadRequestError,
    FieldError,
    FleetkeeperError,
    ForbiddenError,
    InvalidInputError,
    NotFoundError,
    TooLargeError,
    UnavailableError,
)
from fleetkeeper.kit.error_words import field_errors

log = structlog.get_logger(__name__)


class ProblemField(BaseModel):
    """One field at fault."""

    field: str
    message: str


class Problem(BaseModel):
    """The body of every error answer (`application/problem+json`)."""

    type: str = "about:blank"
    title: str
    status: int
    detail: str
    request_id: str | None = None
    errors: list[ProblemField] = Field(default_factory=list)


def problem_responses(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """The `responses` of a route that may answer with these statuses."""
    content = {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}
    titles = {
        error.status: error.title for error in FleetkeeperError.__subclasses__() if error.status in statuses
    }
    return {status: {"description": titles.get(status, "Error"), "content": content} for status in statuses}


def problem_response(error: FleetkeeperError, request_id: str | None) -> Response:
    """One error as an HTTP response."""
    problem = Problem(
        title=error.title,
        status=error.status,
        detail=error.detail,
        request_id=request_id,
        errors=[ProblemField(field=item.field, message=item.message) for item in error.fields],
    )
    headers = {}
    if error.retry_after_seconds is not None:
        headers["Retry-After"] = str(error.retry_after_seconds)
    if error.status == 401:
        headers["WWW-Authenticate"] = "Bearer"
    return JSONResponse(problem.model_dump(), error.status, headers, media_type="application/problem+json")


def expected_error(error: Exception) -> FleetkeeperError | None:
    """The product's own error for one that a library raised; None when it is a defect."""
    if isinstance(error, FleetkeeperError):
        return error
    if isinstance(error, RequestValidationError):
        fields = field_errors(error.errors())
        if any(item["type"] == "json_invalid" for item in error.errors()):
            return BadRequestError("The body is not valid JSON.", fields=fields)
        return InvalidInputError("Some fields are wrong.", fields=fields)
    if isinstance(error, HTTPException):
        return _http_error(error)
    if isinstance(error, OperationalError | PoolTimeoutError | DriverOperationalError) or (
        isinstance(error, DBAPIError) and error.connection_invalidated
    ):
        is_held = isinstance(getattr(error, "orig", error), LockNotAvailable)
        reason = "Something else is changing this" if is_held else "The database is away"
        return UnavailableError(f"{reason}; try again shortly.", retry_after_seconds=2)
    return None


def _http_error(error: HTTPException) -> FleetkeeperError:
    if error.status_code == 400:
        return BadRequestError(str(error.detail), fields=[FieldError("body", "cannot be read")])
    by_status = {403: ForbiddenError, 404: NotFoundError, 413: TooLargeError}
    known = by_status.get(error.status_code)
    if known is not None:
        return known(str(error.detail))
    result = FleetkeeperError(str(error.detail))
    # Starlette's own errors (405, 406, …) keep their status.
    result.status = error.status_code  # type: ignore[misc]
    result.title = str(error.detail)  # type: ignore[misc]
    return result


async def handle_error(request: Request, error: Exception) -> Response:
    """Answer any error; a defect is logged with its trace and answered without one."""
    request_id = getattr(request.state, "request_id", None)
    known = expected_error(error)
    if known is None:
        log.error("request failed", path=request.url.path, exc_info=error)
        known = FleetkeeperError("Internal error. The server's log has the details under the request ID.")
    elif known.status >= 500:
        log.warning("request refused", path=request.url.path, reason=str(error))
    response = problem_response(known, request_id)
    if isinstance(error, HTTPException) and error.headers:
        response.headers.update(error.headers)
    return response


def install_error_handlers(app: FastAPI) -> None:
    """Let every error of `app` pass through `handle_error`."""
    for kind in (
        FleetkeeperError,
        RequestValidationError,
        HTTPException,
        DBAPIError,
        PoolTimeoutError,
        Exception,
    ):
        app.add_exception_handler(kind, handle_error)
