"""What every HTTP answer has: a request id, security headers, and a Host that is on the list."""

import hashlib
import math
import re
import time
from collections import OrderedDict
from collections.abc import Callable, Sequence
from typing import Any
from uuid import uuid4

import structlog
from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import cookie_parser
from starlette.responses import JSONResponse

from fleetkeeper.errors import OverloadedError
from fleetkeeper.kit.addresses import customer_of
from fleetkeeper.kit.handed_on import GOOD_CREDENTIAL
from fleetkeeper.kit.rate_limit import RateLimit
from fleetkeeper.kit.request_body import announced_length
from fleetkeeper.kit.shares import Shares

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
# Of an address's requests: so many count as one failed authentication, and as one request of a rare kind.
FAILED_AUTHENTICATION_EVENTS = 40
RARE_EVENTS = 100
MAX_GOOD_CREDENTIALS = 50_000
MAX_CREDENTIAL_LENGTH = 4096


def sender_of(scope: Any) -> str:
    """The address that a request came from; of a trusted proxy's requests, the one that the proxy names."""
    client = scope.get("client")
    return client[0] if client else ""


class RequestLimits:
    """How often a credential and an address may ask, and how often an address may guess."""

    def __init__(
        self,
        per_token: int,
        per_address: int,
        *,
        uncounted_prefix: str,
        uncounted_paths: Sequence[str],
        sender_paths: Sequence[str] = (),
        rare_paths: Sequence[str] = (),
    ) -> None:
        self._tokens = RateLimit(per_token)
        self._addresses = RateLimit(per_address)
        self._failures = RateLimit(max(1, per_address // FAILED_AUTHENTICATION_EVENTS))
        self._rare = RateLimit(max(1, per_address // RARE_EVENTS))
        self._uncounted = f"bearer {uncounted_prefix}_".lower()
        self._uncounted_paths = tuple(uncounted_paths)
        self._sender_paths = tuple(sender_paths)
        self._rare_paths = tuple(rare_paths)
        # Credentials that were good when last looked up, the one that was used last at the end.
        self._good: OrderedDict[str, None] = OrderedDict()

    def wait_seconds(self, address: str, authorization: str, path: str, credential: str = "") -> int:
        """Seconds that the caller must wait; 0 lets the request pass.

        A whole fleet may share one address, so agents count by their keys alone. Anybody can write what looks like a
        key, so that is so at agents' own doors only. Senders write as fast as they must, and their doors have limits of
        their own. Where somebody guesses credentials, those behind the same address whose own are good go on.
        """
        now = time.monotonic()
        wait = 0.0 if credential in self._good else self._failures.wait(_key(address), now)
        if path.startswith(self._sender_paths):
            return math.ceil(wait)
        if path.startswith(self._rare_paths):
            wait = max(wait, self._rare.take(_key(address), now))
        if authorization:
            digest = hashlib.blake2b(authorization.encode(), digest_size=16).digest()
            wait = max(wait, self._tokens.take(digest, now))
        is_agent = authorization[:50].lower().startswith(self._uncounted) and path.startswith(
            self._uncounted_paths
        )
        if not is_agent:
            wait = max(wait, self._addresses.take(_key(address), now))
        return math.ceil(wait)

    def guess_wait_seconds(self, address: str) -> int:
        """Seconds before a credential from there that is not known to be good is looked up."""
        return math.ceil(self._failures.wait(_key(address), time.monotonic()))

    def note_failed_authentication(self, address: str, credential: str = "") -> None:
        """Count a guess."""
        self._failures.take(_key(address), time.monotonic())
        self._good.pop(credential, None)

    def note_good(self, credential: str) -> None:
        """Remember a credential that a guard has let through."""
        if credential and len(credential) <= MAX_CREDENTIAL_LENGTH:
            self._good[credential] = None
            self._good.move_to_end(credential)
            if len(self._good) > MAX_GOOD_CREDENTIALS:
                self._good.popitem(last=False)


def _key(address: str) -> bytes:
    return (customer_of(address) or "unknown").encode()


def host_name(header: str) -> str:
    """The name in a Host header, in lower case, without its port."""
    return re.sub(r":\d*$", "", header.strip().lower())


def is_request_id(text: str) -> bool:
    """Whether a caller's request id is one that logs and headers can hold."""
    return _REQUEST_ID.fullmatch(text) is not None


def credential_of(authorization: str, cookie: str, session_cookie: str) -> str:
    """What a caller shows, written one way: what else stands in the headers makes nobody another caller."""
    if authorization:
        scheme, _, secret = authorization.strip().partition(" ")
        return f"{scheme.lower()} {secret.strip()}"
    return cookie_parser(cookie).get(session_cookie, "")


class HttpShell:
    """An ASGI application around another."""

    def __init__(
        self,
        app: Any,
        *,
        allowed_hosts: Sequence[str],
        https: bool,
        limits: RequestLimits,
        shares: Shares,
        session_cookie: str,
        unshared_paths: Sequence[str] = (),
        before_sending: Callable[[], None] = lambda: None,
    ) -> None:
        self.app = app
        self._shares = shares
        self._session_cookie = session_cookie
        self._unshared_paths = tuple(unshared_paths)
        # Called before each part of an answer, whose reader may be slow.
        self._before_sending = before_sending
        self._limits = limits
        self._hosts = frozenset(host.lower() for host in allowed_hosts)
        self._any_host = "*" in self._hosts
        self._https = https

    def is_served_host(self, header: str) -> bool:
        """Whether a Host header names this product, which a page with a rebound DNS name would not know."""
        return self._any_host or host_name(header) in self._hosts

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Check the Host, name the request, add the headers."""
        if scope["type"] == "websocket":
            await self._connect(scope, receive, send)
            return
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        sent = Headers(scope=scope)
        request_id = sent.get("x-request-id", "")
        if not is_request_id(request_id):
            request_id = uuid4().hex
        scope.setdefault("state", {})["request_id"] = request_id
        structlog.contextvars.bind_contextvars(request_id=request_id)
        credential = credential_of(
            sent.get("authorization", ""), sent.get("cookie", ""), self._session_cookie
        )
        is_read = announced_length(scope["headers"]) == 0

        async def receive_noting() -> Any:
            nonlocal is_read
            message = await receive()
            is_read = not message.get("more_body", False)
            return message

        async def send_with_headers(message: Any) -> None:
            self._before_sending()
            if message["type"] == "http.response.start":
                self._note_credential(message["status"], scope, credential)
                headers = self._add_headers(message, request_id)
                if not is_read:
                    # The rest of the body is not waited for, so the connection cannot be used again.
                    headers["Connection"] = "close"
            await send(message)

        refusal = self._refusal(scope, sent, request_id, credential)
        if refusal is not None or not credential or scope["path"].startswith(self._unshared_paths):
            await (refusal or self.app)(scope, receive_noting, send_with_headers)
            return
        try:
            share = await self._shares.take(credential)
        except OverloadedError as error:
            refusal = _too_many(error.detail, error.retry_after_seconds or 1, request_id)
            await refusal(scope, receive_noting, send_with_headers)
            return
        with share:
            await self.app(scope, receive_noting, send_with_headers)

    async def _connect(self, scope: Any, receive: Any, send: Any) -> None:
        """Let a WebSocket begin that passes what every request passes."""
        sent = Headers(scope=scope)
        request_id = uuid4().hex
        scope.setdefault("state", {})["request_id"] = request_id
        structlog.contextvars.bind_contextvars(request_id=request_id)
        credential = credential_of(
            sent.get("authorization", ""), sent.get("cookie", ""), self._session_cookie
        )

        async def send_noting(message: Any) -> None:
            self._before_sending()
            if message["type"] == "websocket.http.response.start":
                self._note_credential(message["status"], scope, credential)
                self._add_headers(message, request_id)
            elif message["type"] == "websocket.accept":
                self._limits.note_good(credential)
            await send(message)

        refusal = self._refusal(scope, sent, request_id, credential)
        await (refusal or self.app)(scope, receive, send_noting)

    def _note_credential(self, status: int, scope: Any, credential: str) -> None:
        if status == 401:
            self._limits.note_failed_authentication(sender_of(scope), credential)
        elif GOOD_CREDENTIAL in scope["state"]:
            self._limits.note_good(credential)

    def _add_headers(self, message: Any, request_id: str) -> MutableHeaders:
        headers = MutableHeaders(scope=message)
        for name, value in SECURITY_HEADERS.items():
            headers.setdefault(name, value)
        headers["X-Request-ID"] = request_id
        if self._https:
            headers["Strict-Transport-Security"] = f"max-age={ONE_YEAR_SECONDS}"
        if "cache-control" not in headers:
            headers["Cache-Control"] = "no-store"
        return headers

    def _refusal(self, scope: Any, sent: Headers, request_id: str, credential: str) -> JSONResponse | None:
        """The answer to a request that goes no further; None for one that does."""
        if not self.is_served_host(sent.get("host", "")):
            return _problem(
                400,
                "Bad request",
                "This host name is not served here; add it to FLEETKEEPER_WEB__ALLOWED_HOSTS.",
                request_id,
                [{"field": "Host", "message": "is not on the list of allowed hosts"}],
            )
        wait = self._limits.wait_seconds(
            sender_of(scope), sent.get("authorization", ""), scope["path"], credential
        )
        if not wait:
            return None
        return _too_many(f"Too many requests; try again in {wait} seconds.", wait, request_id)


def _too_many(detail: str, wait_seconds: int, request_id: str) -> JSONResponse:
    refusal = _problem(429, "Too many requests", detail, request_id)
    refusal.headers["Retry-After"] = str(wait_seconds)
    return refusal


def _problem(
    status: int, title: str, detail: str, request_id: str, errors: Sequence[dict[str, str]] = ()
) -> JSONResponse:
    body = {
        "type": "about:blank",
        "title": title,
        "status": status,
        "detail": detail,
        "request_id": request_id,
        "errors": list(errors),
    }
    return JSONResponse(body, status, media_type="application/problem+json")
