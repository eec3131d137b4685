"""An HTTP protocol for uvicorn whose connections are bounded: the heads of requests, their time, and their number."""

from typing import Any

from fleetkeeper.kit.addresses import customer_of, plain_address
from fleetkeeper.kit.connections import Connections
from fleetkeeper.kit.corked_http import CorkedProtocol, CorkedTransport
from fleetkeeper.kit.request_body import BODY_IS_HERE

# Requests that one connection may send ahead of the answers.
MAX_PIPELINED = 16
MAX_HEADERS = 256
# How long a connection that will be closed is read on, so that the answer is not lost on its way, and how much.
LINGER_SECONDS = 1.0
LINGER_BYTES = 1024 * 1024


class HeadRefusedError(Exception):
    """Stops the parser."""


class _LingeringTransport(CorkedTransport):
    """A transport that is closed once the client has had time to read the answer, where it may still be sending."""

    __slots__ = ("protocol",)

    protocol: "BoundedProtocol"

    def close(self) -> None:
        """Close, now or a little later."""
        if not self.protocol.linger():
            super().close()


class _Ignored(list[Any]):
    """Takes trailers, which nobody reads."""

    def append(self, item: Any) -> None:
        """Keep nothing."""


_IGNORED = _Ignored()


class BoundedProtocol(CorkedProtocol):
    """Uvicorn's own protocol, whose parser has no bounds of its own, with such bounds."""

    def __init__(self, *arguments: Any, connections: Connections, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self._bounds = connections
        self.host = self.address = ""
        self._owes_head = True
        # A head's own, from its first byte to its last.
        self.headers = _IGNORED
        self._is_in_body = False
        self._lingers = False
        # Whether the head asked for a WebSocket, whose protocol has the connection then.
        self._is_upgraded = False
        # Bytes of the head before this read, in this read, and since the body had some.
        self._head_bytes = 0
        self._read_bytes = 0
        self._barren_bytes = 0
        self._discarded_bytes = 0
        self._refusal = (400, "Invalid HTTP request received.")

    def make_transport(self, transport: Any) -> CorkedTransport:
        """The transport around the loop's own."""
        made = _LingeringTransport(transport, self.loop)
        made.protocol = self
        return made

    def connection_made(self, transport: Any) -> None:
        """Take a connection."""
        super().connection_made(transport)
        self.host = plain_address(self.client[0]) if self.client else ""
        self.address = customer_of(self.host)
        self._bounds.opened(self, self.connections)

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the connection."""
        self._bounds.settled(self)
        self._bounds.flowing(self)
        # What is closed needs not linger.
        self._lingers = True
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Read on, as far as there are bounds for."""
        if self._lingers:
            self._discarded_bytes += len(data)
            if self._discarded_bytes > LINGER_BYTES:
                self._close_now()
            return
        self._read_bytes = len(data)
        before = len(self.cycle.body) if self._is_in_body else None
        super().data_received(data)
        if self._is_upgraded:
            return
        if self.headers is not _IGNORED:
            self._note_unfinished_head()
        elif self._is_in_body:
            self._note_unfinished_body(before)
        elif self.cycle is None or self.cycle.response_complete:
            # Blank lines between requests, which go on for as long as the sender likes otherwise.
            self._owe_head()

    def on_headers_complete(self) -> None:
        """Let the request begin, if its head is not too large."""
        most = self._bounds.max_head_bytes
        if len(self.headers) > MAX_HEADERS or (
            self._head_bytes + self._read_bytes > most and self._exact_head_bytes() > most
        ):
            self._refuse(431, "The request's headers are too large.")
        if len(self.pipeline) >= MAX_PIPELINED:
            self._refuse(429, "Wait for answers before you send more requests.")
        if self._owes_head:
            self._owes_head = False
            self._bounds.settled(self)
        if self.parser.should_upgrade() and self._should_upgrade():
            if self.cycle is not None and not self.cycle.response_complete:
                self._refuse(400, "Wait for the answer before you ask for a WebSocket.")
            self._is_upgraded = True
        super().on_headers_complete()
        if self._is_upgraded:
            return
        self.headers = _IGNORED
        self._is_in_body = True
        self._head_bytes = self._barren_bytes = 0

    def on_message_complete(self) -> None:
        """End a request's body."""
        if self._is_upgraded:
            return
        self._is_in_body = False
        self.scope[BODY_IS_HERE] = True  # type: ignore[literal-required]
        super().on_message_complete()

    def on_response_complete(self) -> None:
        """Go on with the next request, or give up the connection whose request nobody will read to its end."""
        if not self.linger():
            super().on_response_complete()

    def handle_websocket_upgrade(self) -> None:
        """Hand a connection over to the protocol of WebSockets, with the transport as it was before any answer."""
        self._bounds.settled(self)
        self._bounds.flowing(self)
        self.transport = self.transport.uncorked  # type: ignore[attr-defined]
        super().handle_websocket_upgrade()

    def send_400_response(self, msg: str) -> None:
        """Say why the parser stopped."""
        status, text = self._refusal
        if status != 400:
            self._say(status, text)
        else:
            super().send_400_response(msg)

    def is_idle(self) -> bool:
        """Whether all that was asked for is answered."""
        return self.timeout_keep_alive_task is not None

    def pause_writing(self) -> None:
        """Wait for a client that takes nothing of its answer, for as long as there is room and time."""
        super().pause_writing()
        self._bounds.stalled(self)

    def resume_writing(self) -> None:
        """Go on."""
        super().resume_writing()
        self._bounds.flowing(self)

    def unsent_bytes(self) -> int:
        """How much of answers waits for the client."""
        return int(self.transport.get_write_buffer_size())

    def give_way(self) -> None:
        """Close a connection that others need more, whatever it has not taken yet."""
        self._bounds.settled(self)
        self._bounds.flowing(self)
        self._lingers = True
        self.transport.abort()

    def end_late(self, *, has_begun: bool) -> None:
        """Close a connection that owes a head, with a word if a part of one has come."""
        self._bounds.settled(self)
        if has_begun:
            self._say(408, "The request did not come in time.")
        self._close_now()

    def linger(self) -> bool:
        """Read on for a moment where a request's body still comes, and close; false where none does."""
        if self._lingers:
            return not self.transport.is_closing()
        if (
            not (self._is_in_body or self.headers is not _IGNORED)
            or self.pipeline
            or not self.transport
            or self.transport.is_closing()
        ):
            return False
        self._lingers = True
        self._bounds.settled(self)
        self._unset_keepalive_if_required()
        self.flow.resume_reading()
        self.loop.call_later(LINGER_SECONDS, self._close_now)
        return True

    def _close_now(self) -> None:
        self._lingers = True
        CorkedTransport.close(self.transport)  # type: ignore[arg-type]

    def _say(self, status: int, text: str) -> None:
        """Answer a request that no application sees, and close."""
        body = text.encode() + b"\n"
        head = (
            f"HTTP/1.1 {status} {_PHRASES[status]}\r\ncontent-type: text/plain; charset=utf-8\r\n"
            f"content-length: {len(body)}\r\nconnection: close\r\n\r\n"
        )
        self.transport.write(head.encode() + body)
        self.transport.close()

    def _refuse(self, status: int, text: str) -> None:
        self._refusal = (status, text)
        raise HeadRefusedError(text)

    def _note_unfinished_head(self) -> None:
        self._head_bytes += self._read_bytes
        if self._lingers:
            return
        if self._head_bytes > self._bounds.max_head_bytes or len(self.headers) > MAX_HEADERS:
            self._say(431, "The request's headers are too large.")
        else:
            self._owe_head()

    def _owe_head(self) -> None:
        self._owes_head = True
        self._bounds.unfinished(self)

    def _note_unfinished_body(self, before: int | None) -> None:
        if before is None:
            # Nothing more is read before somebody wants it.
            self.flow.pause_reading()
        elif len(self.cycle.body) <= before:
            # Trailers, which the parser keeps.
            self._barren_bytes += self._read_bytes
            if self._barren_bytes > self._bounds.max_head_bytes:
                self._close_now()

    def _exact_head_bytes(self) -> int:
        return len(self.url) + sum(len(name) + len(value) + 4 for name, value in self.headers)


_PHRASES = {
    408: "Request Timeout",
    429: "Too Many Requests",
    431: "Request Header Fields Too Large",
}
