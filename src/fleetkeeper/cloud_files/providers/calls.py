"""Calls of web services with a token: a new one where it is refused, and what too much or too early means."""

import asyncio
import json
import time
from collections.abc import AsyncGenerator, Callable, Coroutine, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode, urlsplit

from fleetkeeper.cloud_files.providers.protocol import FileGoneError, StoreError
from fleetkeeper.database.engine import warn_if_held
from fleetkeeper.kit.clock import utc_now
from fleetkeeper.kit.outgoing import Answer, OutgoingError, Patience, Reach, calling, exchange
from fleetkeeper.notifications.sending.webhook import retry_after

# Listings and descriptions of files; content is read as it comes.
MAX_ANSWER_BYTES = 2 * 1024 * 1024
# A part of 10 MiB at 40 KiB a second; the service may think for a while after the last one.
PATIENCE = Patience(idle_seconds=60.0, deadline_seconds=300.0)
_DOWNLOAD = Patience(idle_seconds=60.0, deadline_seconds=3600.0)
# A token is taken for older than it is by so much.
_EARLY_SECONDS = 60.0
_MOST_TOKENS = 200
BUSY = frozenset({408, 429, 500, 502, 503, 504, 509})
WHAT = "A cloud store"


@dataclass(frozen=True)
class Token:
    """What a sign-in gave, and until when it is good (monotonic seconds)."""

    value: str
    good_until: float


# By who signs in where: all stores of a process share them, and those who sign in now.
_tokens: dict[tuple[str, ...], Token] = {}
_signing_in: dict[tuple[str, ...], "asyncio.Future[Token]"] = {}


class Calls:
    """Calls of one account. `sign_in` gets a new token; `account` is what it belongs to."""

    def __init__(
        self, reach: Reach, account: tuple[str, ...], sign_in: Callable[[], Coroutine[Any, Any, Token]]
    ) -> None:
        self._reach = reach
        self._account = account
        self._sign_in = sign_in

    async def ask(
        self,
        method: str,
        address: str,
        content: bytes = b"",
        headers: Mapping[str, str] | None = None,
        *,
        is_signed: bool = True,
    ) -> Answer:
        """One exchange; a token that is refused is renewed once. Raises StoreError where nobody can answer now."""
        token = await self._token() if is_signed else None
        answer = await self._send(method, address, content, headers or {}, token)
        if answer.status == 401 and token is not None:
            self._forget(token)
            answer = await self._send(method, address, content, headers or {}, await self._token())
            if answer.status == 401:
                raise StoreError("The service refuses the credentials of the store.")
        if is_busy(answer):
            raise busy(answer)
        return answer

    async def ask_json(self, method: str, address: str, body: Mapping[str, Any] | None = None) -> Answer:
        """The same with a JSON object as the body."""
        content = b"" if body is None else json.dumps(body).encode()
        headers = {} if body is None else {"Content-Type": "application/json"}
        return await self.ask(method, address, content, headers)

    async def content(self, address: str, *, is_signed: bool) -> AsyncGenerator[bytes, None]:
        """The body of the answer to a GET, as it comes. Raises FileGoneError, StoreError."""
        warn_if_held(WHAT)
        token = await self._token() if is_signed else None
        headers = _signed(token)
        try:
            async with calling("GET", address, b"", headers, self._reach, _DOWNLOAD) as response:
                if response.status_code in {404, 410}:
                    raise FileGoneError("The file is not in its store any more.")
                if response.status_code == 401 and token is not None:
                    self._forget(token)
                if response.status_code != 200:
                    raise StoreError(f"The download was refused with status {response.status_code}.")
                async for part in response.aiter_raw(256 * 1024):
                    yield part
        except OutgoingError as error:
            raise StoreError(str(error)) from None

    async def _token(self) -> Token:
        """One that is good; of many who need a new one, the first signs in for all. Raises StoreError."""
        token = _tokens.get(self._account)
        if token is not None and token.good_until > time.monotonic():
            return token
        signing = _signing_in.get(self._account)
        if signing is None:
            signing = _signing_in[self._account] = asyncio.ensure_future(self._sign_in())
            signing.add_done_callback(lambda _: _signing_in.pop(self._account, None))
        token = await asyncio.shield(signing)
        if len(_tokens) >= _MOST_TOKENS:
            _tokens.clear()
        _tokens[self._account] = token
        return token

    def _forget(self, token: Token) -> None:
        """Sign in anew with the next request, unless somebody has."""
        if _tokens.get(self._account) is token:
            del _tokens[self._account]

    async def _send(
        self, method: str, address: str, content: bytes, headers: Mapping[str, str], token: Token | None
    ) -> Answer:
        return await send(method, address, content, {**headers, **_signed(token)}, self._reach)


def _signed(token: Token | None) -> dict[str, str]:
    return {} if token is None else {"Authorization": f"Bearer {token.value}"}


async def send(method: str, address: str, content: bytes, headers: Mapping[str, str], reach: Reach) -> Answer:
    """One exchange, of any status. Raises StoreError."""
    warn_if_held(WHAT)
    try:
        return await exchange(method, address, content, headers, reach, PATIENCE, MAX_ANSWER_BYTES)
    except OutgoingError as error:
        raise StoreError(str(error)) from None


async def token_of(address: str, form: Mapping[str, str], reach: Reach) -> Token:
    """Exchange a grant for a token (RFC 6749). Raises StoreError."""
    headers = {"Content-Type": "application/x-www-form-urlencoded", "Accept": "application/json"}
    answer = await send("POST", address, urlencode(form).encode(), headers, reach)
    if is_busy(answer):
        raise busy(answer)
    said = object_in(answer)
    value, seconds = said.get("access_token"), said.get("expires_in")
    if answer.status != 200 or not isinstance(value, str) or not value.isascii() or not value.isprintable():
        raise StoreError(f"The sign-in was refused{_code_of(said.get('error'))}.")
    good_for = float(seconds) if isinstance(seconds, int | float) and 0 < seconds < 86_400 else 300.0
    return Token(value, time.monotonic() + max(good_for - _EARLY_SECONDS, 1.0))


def is_busy(answer: Answer) -> bool:
    """Whether the service says to come again later."""
    return answer.status in BUSY or (answer.status == 403 and reason_of(answer) in _RATE_REASONS)


def busy(answer: Answer) -> StoreError:
    """What that means."""
    wait = retry_after(answer.headers.get("retry-after", ""), utc_now())
    return StoreError(f"The service asks to wait (status {answer.status}).", retry_after_seconds=wait)


_RATE_REASONS = frozenset({"rateLimitExceeded", "userRateLimitExceeded", "sharingRateLimitExceeded"})


def reason_of(answer: Answer) -> str:
    """The word by which Google's services say why, or Microsoft's: `rateLimitExceeded`, `nameAlreadyExists`."""
    error = object_in(answer).get("error")
    if not isinstance(error, dict):
        return ""
    errors = error.get("errors")
    first = errors[0] if isinstance(errors, list) and errors and isinstance(errors[0], dict) else {}
    found = first.get("reason") or error.get("code") or ""
    return found if isinstance(found, str) else ""


def refusal(answer: Answer, what: str) -> StoreError:
    """The service did not do something, and says so."""
    return StoreError(f"{what} was refused with status {answer.status}{_code_of(reason_of(answer))}.")


def object_in(answer: Answer) -> dict[str, Any]:
    """The JSON object of an answer; an empty one where it has none."""
    try:
        read = json.loads(answer.content)
    except (ValueError, RecursionError):
        return {}
    return read if isinstance(read, dict) else {}


def address_in(value: object, base: str) -> str:
    """An address that a service gave, which is no less protected than the service's own. Raises StoreError."""
    if not isinstance(value, str) or len(value) > 8000:
        raise StoreError("The service gave no address for the upload or download.")
    if urlsplit(base).scheme == "https" and urlsplit(value).scheme != "https":
        raise StoreError("The service gave an address without https.")
    return value


def is_same_origin(address: str, base: str) -> bool:
    """Whether an address is of the service itself, so that it may see the token."""
    one, other = urlsplit(address), urlsplit(base)
    return (one.scheme, one.netloc) == (other.scheme, other.netloc)


def _code_of(value: object) -> str:
    text = value if isinstance(value, str) else ""
    shown = "".join(mark for mark in text if mark.isalnum() or mark in "_-")[:60]
    return f" ({shown})" if shown else ""
