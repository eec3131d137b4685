"""Stands before the web framework: finds out who calls, and reads the body, before a route begins."""

from collections import deque
from collections.abc import Awaitable, Callable, Hashable, Sequence
from dataclasses import dataclass
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import compile_path

from fleetkeeper.kit.addresses import customer_of
from fleetkeeper.kit.body_spool import SPOOLED_BODY, BodySpool
from fleetkeeper.kit.http_shell import sender_of
from fleetkeeper.kit.places import Place, Places
from fleetkeeper.kit.request_body import CallerGoneError, Pace, announced_length, read_parts

# Where a request's state has who calls, once the front has found out.
CALLER = "caller"
# And what they may do, as a text that changes when that does.
RIGHTS = "rights"


@dataclass(frozen=True)
class Door:
    """What the front must know of a route that takes a body."""

    path: str
    methods: frozenset[str]
    max_bytes: int
    # Who calls, as what counts their requests; raises the route's own error. None where anybody may call.
    find_caller: Callable[[Request], Awaitable[Hashable]] | None = None
    # How the route says that something went wrong.
    answer: Callable[[Request, Exception], Awaitable[Response]] | None = None
    # Whether the body goes to a file instead of memory.
    is_spooled: bool = False


class Doors:
    """Finds the door of a request."""

    def __init__(self, doors: Sequence[Door]) -> None:
        self._exact: dict[tuple[str, str], Door] = {}
        self._patterns = []
        for door in doors:
            if "{" in door.path:
                self._patterns.append((compile_path(door.path)[0], door))
            else:
                for method in door.methods:
                    self._exact.setdefault((method, door.path), door)

    def find(self, method: str, path: str) -> Door | None:
        """The door; None where no route takes a body."""
        exact = self._exact.get((method, path))
        if exact is not None:
            return exact
        for pattern, door in self._patterns:
            if method in door.methods and pattern.match(path):
                return door
        return None


class BodyFront:
    """An ASGI middleware. A request reaches the application with its whole body, or not at all."""

    def __init__(
        self,
        app: Any,
        *,
        find_doors: Callable[[], Doors],
        answer: Callable[[Request, Exception], Awaitable[Response]],
        callers: Places,
        strangers: Places,
        pace: Pace,
        spool: BodySpool | None = None,
    ) -> None:
        self.app = app
        self._spool = spool
        self._find_doors = find_doors
        self._doors: Doors | None = None
        self._answer = answer
        self._callers = callers
        self._strangers = strangers
        self._pace = pace

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Read a body that a route is there for; what goes nowhere, or only asks, passes."""
        announced = announced_length(scope["headers"]) if scope["type"] == "http" else 0
        is_known_ahead = announced != 0 or scope.get("method") == "POST"
        door = self._door_of(scope) if is_known_ahead else None
        if door is None:
            await self.app(scope, receive, send)
            return
        request = Request(scope)
        try:
            if door.find_caller is None:
                place = self._strangers.take(customer_of(sender_of(scope)))
            else:
                caller = await door.find_caller(request)
                scope["state"][CALLER] = caller
                places = self._spool.places if door.is_spooled and self._spool else self._callers
                place = places.take(caller)
        except Exception as error:  # noqa: BLE001 - every error becomes an answer
            await (await (door.answer or self._answer)(request, error))(scope, receive, send)
            return
        with place:
            try:
                parts = await self._read(door, scope, receive, place)
            except CallerGoneError:
                return
            except Exception as error:  # noqa: BLE001 - as above
                response = await (door.answer or self._answer)(request, error)
            else:
                try:
                    await self.app(scope, _Replay(parts, receive), send)
                finally:
                    spooled = scope["state"].get(SPOOLED_BODY)
                    if spooled is not None:
                        spooled.discard()
                return
        await response(scope, receive, send)

    async def _read(self, door: Door, scope: Any, receive: Any, place: Place) -> list[bytes]:
        """A body's parts; of one that went to a file its hash, which says as well whether two are the same."""
        if not door.is_spooled or self._spool is None:
            return await read_parts(scope, receive, door.max_bytes, place, self._pace)
        spooled = await self._spool.read(scope, receive, door.max_bytes, place, self._pace)
        scope["state"][SPOOLED_BODY] = spooled
        return [spooled.sha256.encode()]

    def _door_of(self, scope: Any) -> Door | None:
        if self._doors is None:
            self._doors = self._find_doors()
        return self._doors.find(scope["method"], scope["path"])


class _Replay:
    """Gives a body that was read, part by part, and then what the connection gives."""

    __slots__ = ("_parts", "_receive")

    def __init__(self, parts: Sequence[bytes], receive: Any) -> None:
        self._parts = deque(parts)
        self._receive = receive

    async def __call__(self) -> Any:
        if not self._parts:
            return await self._receive()
        body = self._parts.popleft()
        return {"type": "http.request", "body": body, "more_body": bool(self._parts)}


async def body_parts(request: Request) -> list[bytes]:
    """A body in the parts in which the front has read it: nothing waits for the network, and nothing is copied."""
    parts, is_over = [], False
    while not is_over:
        message = await request.receive()
        parts.append(message.get("body", b""))
        is_over = not message.get("more_body")
    return parts
