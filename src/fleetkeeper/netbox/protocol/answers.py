"""Answers in the shape that clients of NetBox read: what was asked for, and what went wrong."""

from collections.abc import Mapping
from typing import Any

import msgspec
import structlog
from fastapi import Request
from fastapi.exceptions import RequestValidationError
from starlette.responses import Response

from fleetkeeper.error_handlers import expected_error
from fleetkeeper.errors import FleetkeeperError
from fleetkeeper.netbox.protocol.kind import BulkError

log = structlog.get_logger(__name__)
# Of NetBox, whose API this is like.
VERSION = "4.4"
# What NetBox calls the fields of services.
_NAMES = {
    "location_id": "location",
    "department_id": "tenant",
    "serial_number": "serial",
    "parent_id": "parent",
    "interface_name": "name",
    "interface_type": "type",
    "device_id": "device",
    "interface_id": "assigned_object_id",
    "speed_mbps": "speed",
    "lifecycle": "status",
    "is_primary": "primary_ip4",
    "kind": "type",
    "cpu_count": "vcpus",
    "memory_mb": "memory",
    "os_name": "platform",
}


def answer(content: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """An answer, with the version that clients look for."""
    own = {"API-Version": VERSION, **(headers or {})}
    return Response(msgspec.json.encode(content), status, own, media_type="application/json")


def refusal(error: FleetkeeperError) -> tuple[int, Any]:
    """The status and the body of an error's answer."""
    if isinstance(error, BulkError):
        status, body = refusal(error.error)
        return status, [*({} for _ in range(error.position)), body] if status == 400 else body
    if error.fields and error.status in {400, 409, 422}:
        told: dict[str, list[str]] = {}
        for one in error.fields:
            name = _spelled_out(_NAMES.get(one.field, one.field))
            told.setdefault(name, []).append(_sentence(_spelled_out(one.message)))
        return 400, told
    if error.status == 401:
        return 403, {"detail": f"Authentication credentials were not provided or are wrong. {error.detail}"}
    return (400 if error.status == 422 else error.status), {"detail": _spelled_out(error.detail)}


def error_response(request: Request, error: Exception) -> Response:
    """Any error as an answer; a defect is logged with its trace and answered without one."""
    if isinstance(error, RequestValidationError):
        return answer({"detail": "JSON parse error: send a valid JSON body."}, 400)
    known = expected_error(error)
    if known is None:
        log.error("request failed", path=request.url.path, exc_info=error)
        known = FleetkeeperError("Internal error. The server's log has the details under the request ID.")
    elif known.status >= 500:
        log.warning("request refused", path=request.url.path, reason=str(error))
    headers = {}
    if known.retry_after_seconds is not None:
        headers["Retry-After"] = str(known.retry_after_seconds)
    status, body = refusal(known)
    return answer(body, status, headers)


def _spelled_out(text: str) -> str:
    """A text that may quote what was sent, without halves of surrogate pairs, which no answer can hold."""
    return text.encode(errors="backslashreplace").decode()


def _sentence(text: str) -> str:
    return text if text.endswith((".", "!", "?")) else f"{text}."
