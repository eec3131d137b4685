"""What every HTTP answer has: a request id, security headers, and a Host that is on the list."""

import re
from collections.abc import Sequence
from typing import Any
from uuid import uuid4

import structlog
from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import JSONResponse

_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,100}")
CONTENT_SECURITY_POLICY = (
    "default-src 'self'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "font-src 'self'; object-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'self'"
)
SECURITY_HEADERS = {
    "Content-Security-Policy": CONTENT_SECURITY_POLICY,
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}
ONE_YEAR_SECONDS = 31_536_000


def host_name(header: str) -> str:
    """The name in a Host header, in lower case, without its port."""
    return re.sub(r":\d*$", "", header.strip().lower())


def is_request_id(text: str) -> bool:
    """Whether a caller's request id is one that logs and headers can hold."""
    return _REQUEST_ID.fullmatch(text) is not None


class HttpShell:
    """An ASGI application around another."""

    def __init__(self, app: Any, *, allowed_hosts: Sequence[str], https: bool) -> None:
        self.app = app
        self._hosts = frozenset(host.lower() for host in allowed_hosts)
        self._any_host = "*" in self._hosts
        self._https = https

    def is_served_host(self, header: str) -> bool:
        """Whether a Host header names this product, which a page with a rebound DNS name would not know."""
        return self._any_host or host_name(header) in self._hosts

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Check the Host, name the request, add the headers."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        sent = Headers(scope=scope)
        host, request_id = sent.get("host", ""), sent.get("x-request-id", "")
        if not is_request_id(request_id):
            request_id = uuid4().hex
        scope.setdefault("state", {})["request_id"] = request_id
        structlog.contextvars.bind_contextvars(request_id=request_id)

        async def send_with_headers(message: Any) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in SECURITY_HEADERS.items():
                    headers.setdefault(name, value)
                headers["X-Request-ID"] = request_id
                if self._https:
                    headers["Strict-Transport-Security"] = f"max-age={ONE_YEAR_SECONDS}"
                if "cache-control" not in headers:
                    headers["Cache-Control"] = "no-store"
            await send(message)

        if not self.is_served_host(host):
            problem = {
                "type": "about:blank",
                "title": "Bad request",
                "status": 400,
                "detail": "This host name is not served here; add it to FLEETKEEPER_WEB__ALLOWED_HOSTS.",
                "request_id": request_id,
                "errors": [{"field": "Host", "message": "is not on the list of allowed hosts"}],
            }
            refusal = JSONResponse(problem, 400, media_type="application/problem+json")
            await refusal(scope, receive, send_with_headers)
            return
        await self.app(scope, receive, send_with_headers)
