"""The connection to the server: one HTTP client, and what each of its answers means for the caller."""

import gzip
import ipaddress
import logging
from enum import Enum, auto
from typing import NamedTuple
from urllib.parse import urlsplit

import httpx
import msgspec

from fleetkeeper_agent.backoff import parse_retry_after
from fleetkeeper_agent.clock import Clock
from fleetkeeper_agent.hostile_text import clean
from fleetkeeper_agent.version import USER_AGENT

LOG = logging.getLogger(__name__)

TIMEOUT = httpx.Timeout(15.0, connect=5.0)
LONGEST_ANSWER_BYTES = 1024 * 1024
CONFIG_HEADER = "Fleetkeeper-Config"
# An answer that is about the body and not about who sends it where: a smaller or another body may pass.
_BODY_AT_FAULT = frozenset((400, 409, 411, 413, 414, 415, 422, 431))


class Verdict(Enum):
    """What an answer means."""

    ACCEPTED = auto()
    UNCHANGED = auto()  # 304
    RETRY = auto()  # the server is away, busy, or asks for patience
    UNAUTHORIZED = auto()  # the key is revoked; the reports themselves are fine
    BODY_REFUSED = auto()  # this body will never pass
    REFUSED = auto()  # the server will have nothing of this kind, whatever the body


class Answer(NamedTuple):
    """One answer, or the lack of one."""

    verdict: Verdict
    status: int = 0
    reason: str = ""
    retry_after: float | None = None
    body: bytes = b""
    etag: str = ""
    config_tag: str = ""


class _Problem(msgspec.Struct):
    """What of a problem (RFC 9457) is the same each time, unlike the identifier of the request."""

    title: str = ""
    detail: str = ""


def is_loopback(url: str) -> bool:
    """Whether the server is on this machine."""
    host = urlsplit(url).hostname or ""
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def is_key(text: str) -> bool:
    """Whether a server's answer can stand in a header as a key."""
    return bool(text) and text.isascii() and text.isprintable() and " " not in text and len(text) <= 500


def plain_tag(header: str | None) -> str:
    """An entity tag without quotes and without the mark of weakness, to compare by."""
    return (header or "").strip().removeprefix("W/").strip('"')[:300]


def verdict_of(status: int) -> Verdict:
    """What a status code means. A redirect is not followed and counts as a server that is away."""
    if 200 <= status < 300:
        return Verdict.ACCEPTED
    if status == 304:
        return Verdict.UNCHANGED
    if status in {401, 403}:
        return Verdict.UNAUTHORIZED
    if status < 400 or status in {408, 429} or status >= 500:
        return Verdict.RETRY
    return Verdict.BODY_REFUSED if status in _BODY_AT_FAULT else Verdict.REFUSED


class Channel:
    """Speaks to one server with one key. Never raises for what the network or the server does."""

    def __init__(
        self,
        server: str,
        clock: Clock,
        device_key: str | None = None,
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        self._server = server.rstrip("/")
        self._clock = clock
        headers = {"User-Agent": USER_AGENT, "Accept": "application/json"}
        if device_key is not None:
            headers["Authorization"] = f"Bearer {device_key}"
        # What the server said last to the key in use: whether it knows it.
        self.is_key_known: bool | None = None
        self._client = httpx.Client(
            headers=headers,
            timeout=TIMEOUT,
            transport=transport,
            # The key and the reports must not follow a redirect to another host.
            follow_redirects=False,
            # No proxy stands between an agent and a server on the same machine.
            trust_env=not is_loopback(server),
            limits=httpx.Limits(max_connections=2, max_keepalive_connections=1, keepalive_expiry=120.0),
        )

    def post(self, path: str, body: bytes) -> Answer:
        """Send a report: JSON, compressed."""
        headers = {"Content-Type": "application/json", "Content-Encoding": "gzip"}
        return self._ask("POST", path, headers, gzip.compress(body, compresslevel=6, mtime=0))

    def post_plain(self, path: str, body: bytes) -> Answer:
        """Send JSON as it is, to a route that is no door for reports."""
        return self._ask("POST", path, {"Content-Type": "application/json"}, body)

    def get(self, path: str, etag: str = "") -> Answer:
        """Ask for something, unless it is still what the tag names."""
        return self._ask("GET", path, {"If-None-Match": f'"{etag}"'} if etag else {}, None)

    def use_key(self, key: str) -> None:
        """Send another key from now on. By the thread that sends."""
        self._client.headers["Authorization"] = f"Bearer {key}"
        self.is_key_known = None

    def close(self) -> None:
        """Close the connection."""
        self._client.close()

    def _ask(self, method: str, path: str, headers: dict[str, str], content: bytes | None) -> Answer:
        try:
            with self._client.stream(
                method, self._server + path, headers=headers, content=content
            ) as response:
                return self._read(response)
        except (
            httpx.HTTPError,
            httpx.InvalidURL,
            httpx.StreamError,
            OSError,
            RuntimeError,
            ValueError,
        ) as error:
            # The last two: the client was closed under a request, or the answer is no HTTP.
            return Answer(Verdict.RETRY, reason=clean(f"{type(error).__name__}: {error}", 500))

    def _read(self, response: httpx.Response) -> Answer:
        parts: list[bytes] = []
        size = 0
        for part in response.iter_bytes(65536):
            parts.append(part)
            size += len(part)
            if size > LONGEST_ANSWER_BYTES:
                return Answer(Verdict.RETRY, response.status_code, "the answer is longer than any should be")
        body = b"".join(parts)
        verdict = verdict_of(response.status_code)
        if verdict in {Verdict.ACCEPTED, Verdict.UNCHANGED}:
            self.is_key_known = True
        elif response.status_code == 401:
            self.is_key_known = False
        return Answer(
            verdict=verdict,
            status=response.status_code,
            reason="" if verdict is Verdict.ACCEPTED else _reason(response, body),
            retry_after=parse_retry_after(response.headers.get("Retry-After"), self._clock.wall()),
            body=body,
            etag=plain_tag(response.headers.get("ETag")),
            config_tag=plain_tag(response.headers.get(CONFIG_HEADER)),
        )


def _reason(response: httpx.Response, body: bytes) -> str:
    if response.is_redirect:
        return clean(
            f"redirects to {response.headers.get('Location', '')}, which the agent does not follow", 500
        )
    try:
        problem = msgspec.json.decode(body, type=_Problem)
        said = f"{problem.title} {problem.detail}"
    except msgspec.DecodeError:
        said = body[:400].decode("utf-8", "replace")
    return clean(f"{response.status_code} {response.reason_phrase}: {said}", 500)
