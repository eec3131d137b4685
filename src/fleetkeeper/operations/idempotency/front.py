"""Stands between the body's front and the framework, for requests with an `Idempotency-Key`."""

import asyncio
import hashlib
import re
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

import msgspec
import structlog
from sqlalchemy.exc import SQLAlchemyError
from starlette.requests import Request
from starlette.responses import Response

from fleetkeeper.database.claims import CLAIM, Claim
from fleetkeeper.database.engine import Database
from fleetkeeper.errors import ConflictError, FieldError, InvalidInputError
from fleetkeeper.kit.body_front import CALLER, RIGHTS
from fleetkeeper.kit.sealing import Sealer, SealingError
from fleetkeeper.kit.services import Services
from fleetkeeper.operations.idempotency import queries
from fleetkeeper.operations.idempotency.queries import Known

log = structlog.get_logger(__name__)

HEADER = "Idempotency-Key"
REPLAYED = b"idempotency-replayed"
MAX_STORED_BYTES = 256 * 1024
# The one who was first has committed and is about to keep its answer.
LOOKS, LOOKS_AFTER, LOOK_SECONDS = 100, 20, 0.1
_KEY = re.compile(r"[\x21-\x7e]{1,255}")
_CONTEXT = b"idempotency_keys "


class _Answer(msgspec.Struct, frozen=True):
    headers: list[tuple[bytes, bytes]]
    body: bytes
    # Of whoever asked, as a digest; answers of before this was kept have none.
    rights: bytes = b""


class IdempotencyFront:
    """An ASGI middleware for POST under a prefix; what it works with is shared once the process has started."""

    def __init__(
        self,
        app: Any,
        *,
        prefix: str,
        services: Services,
        answer: Callable[[Request, Exception], Awaitable[Response]],
    ) -> None:
        self.app = app
        self._prefix = prefix
        self._services = services
        self._answer = answer

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Answer as the first time, or carry out and remember."""
        if scope["type"] != "http" or scope["method"] != "POST" or not scope["path"].startswith(self._prefix):
            await self.app(scope, receive, send)
            return
        request = Request(scope)
        key = request.headers.get(HEADER)
        if key is None:
            await self.app(scope, receive, send)
            return
        try:
            response = await self._respond(request, key, receive)
        except Exception as error:  # noqa: BLE001 - every error becomes an answer
            response = await self._answer(request, error)
        await response(scope, receive, send)

    async def _respond(self, request: Request, key: str, receive: Any) -> Response:
        if not _KEY.fullmatch(key):
            raise InvalidInputError(
                "The key is wrong.",
                fields=[FieldError(HEADER, "has 1 to 255 visible ASCII characters, such as a UUID")],
            )
        messages = await _whole(receive)
        scope = request.scope
        body = [message.get("body", b"") for message in messages]
        asked = _digest(request.headers.get("content-type", "").encode(), scope["query_string"], body)
        # Where anybody may call, the credential is in the body: only the very same request gets the same answer.
        caller = scope["state"].get(CALLER)
        whose = asked if caller is None else repr(caller).encode()
        claim = Claim(_digest(whose, scope["path"].encode(), key.encode()), asked)
        database = self._services.get(Database)
        known = await self._known(database, claim)
        if known is None:
            captured = _Captured()
            scope["state"][CLAIM] = claim
            await self.app(scope, _Again(messages, receive), captured)
            if not claim.is_lost:
                await self._keep(database, claim, captured, _rights_of(scope))
                return _response(captured.status, captured.headers, bytes(captured.body))
            known = await self._wait_for(database, claim, LOOKS)
        elif known.status is None:
            # Done by now, and its answer is about to be kept, unless the process died in between.
            known = await self._wait_for(database, claim, LOOKS_AFTER)
        return self._again(known, claim, _rights_of(scope))

    async def _known(self, database: Database, claim: Claim) -> Known | None:
        async with database.session() as session:
            known = await queries.find(session, claim.digest)
            if known is None:
                await queries.forget_one(session, claim.digest)
        return known

    async def _wait_for(self, database: Database, claim: Claim, looks: int) -> Known:
        known = None
        for _ in range(looks):
            known = await self._known(database, claim)
            if known is not None and known.status is not None:
                break
            await asyncio.sleep(LOOK_SECONDS)
        return known or Known(claim.request_digest, None, None)

    def _again(self, known: Known, claim: Claim, rights: bytes) -> Response:
        if known.request_digest != claim.request_digest:
            raise InvalidInputError(
                "This key was used for another request.",
                fields=[
                    FieldError(
                        HEADER, "Must be new for each request; repeat the same request, or use a new key"
                    )
                ],
            )
        if known.status is None or known.answer is None:
            raise ConflictError(
                "This request was carried out before, and its answer is no longer stored; check what it changed."
            )
        sealer = self._services.get(Sealer)
        try:
            answer = msgspec.msgpack.decode(sealer.open(known.answer, _CONTEXT + claim.digest), type=_Answer)
        except SealingError:
            raise ConflictError(
                "This request was carried out before, and its answer cannot be read; check what it changed."
            ) from None
        if answer.rights != rights:
            raise ConflictError(
                "This request was carried out before. Your permissions have changed since: its answer is not repeated."
            )
        return _response(known.status, [*answer.headers, (REPLAYED, b"true")], answer.body)

    async def _keep(self, database: Database, claim: Claim, captured: "_Captured", rights: bytes) -> None:
        """Remember what was carried out. What was refused changed nothing, and may be tried again, put right."""
        if not 200 <= captured.status < 400:
            return
        answer = None
        if len(captured.body) <= MAX_STORED_BYTES:
            packed = msgspec.msgpack.encode(_Answer(captured.headers, bytes(captured.body), rights))
            sealer = self._services.get(Sealer)
            answer = sealer.seal(packed, _CONTEXT + claim.digest)
        try:
            async with database.session() as session:
                await queries.store(session, claim.digest, claim.request_digest, captured.status, answer)
        except (SQLAlchemyError, OSError) as error:
            # The work is done and its claim is there; only a repetition will not get the same words.
            log.warning("an answer was not kept", reason=str(error).splitlines()[0])


class _Captured:
    """Takes the application's answer, so that it can be kept before it leaves."""

    def __init__(self) -> None:
        self.status = 500
        self.headers: list[tuple[bytes, bytes]] = []
        self.body = bytearray()

    async def __call__(self, message: Any) -> None:
        """The application's `send`."""
        if message["type"] == "http.response.start":
            self.status = message["status"]
            self.headers = [(bytes(name), bytes(value)) for name, value in message["headers"]]
        elif message["type"] == "http.response.body":
            self.body += message.get("body", b"")


async def _whole(receive: Any) -> list[Any]:
    """The messages of a body, all of which were received before."""
    messages = [await receive()]
    while messages[-1].get("more_body"):
        messages.append(await receive())
    return messages


class _Again:
    """Gives messages that were received before once more, and then what comes."""

    def __init__(self, messages: Sequence[Any], receive: Any) -> None:
        self._messages = deque(messages)
        self._receive = receive

    async def __call__(self) -> Any:
        return self._messages.popleft() if self._messages else await self._receive()


def _response(status: int, headers: list[tuple[bytes, bytes]], body: bytes) -> Response:
    response = Response(body, status)
    response.raw_headers = headers
    return response


def _rights_of(scope: Any) -> bytes:
    """What the caller may do now; nothing for those whose credential is in the body."""
    rights = scope["state"].get(RIGHTS)
    return b"" if rights is None else _digest(rights.encode())


def _digest(*values: bytes | Sequence[bytes]) -> bytes:
    """Of values one after the other, each with its length; one in parts is as if it were whole."""
    digest = hashlib.sha256()
    for value in values:
        parts = [value] if isinstance(value, bytes) else value
        digest.update(sum(map(len, parts)).to_bytes(8, "big"))
        for part in parts:
            digest.update(part)
    return digest.digest()
