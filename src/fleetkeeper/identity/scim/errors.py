"""Errors as SCIM has them (RFC 7644, section 3.12)."""

import structlog
from pydantic import ValidationError
from scim2_models import Error, SCIMException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from fleetkeeper.error_handlers import expected_error

log = structlog.get_logger(__name__)

MEDIA_TYPE = "application/scim+json"


def scim_error(error: Error) -> Response:
    """An error document."""
    status = error.status or 500
    headers = {"WWW-Authenticate": "Bearer"} if status == 401 else None
    return JSONResponse(error.model_dump(), status, headers, media_type=MEDIA_TYPE)


def told(error: Exception) -> str:
    """What a refusal says."""
    if isinstance(error, SCIMException):
        return str(error.to_error().detail or error)
    if isinstance(error, ValidationError):
        return str(Error.from_validation_errors(error)[0].detail)
    known = expected_error(error)
    return "" if known is None else known.detail


def scim_error_response(request: Request, error: Exception) -> Response:
    """Any error of a SCIM route; a defect is logged with its trace and answered without one."""
    if isinstance(error, SCIMException):
        return scim_error(error.to_error())
    if isinstance(error, ValidationError):
        return scim_error(Error.from_validation_errors(error)[0])
    known = expected_error(error)
    if known is None:
        log.error("SCIM request failed", path=request.url.path, exc_info=error)
        return scim_error(
            Error(
                status=500,
                detail="Internal error. The server's log has the details under the request ID.",
            )
        )
    return scim_error(Error(status=known.status, detail=known.detail))
