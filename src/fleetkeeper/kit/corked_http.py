"""An HTTP protocol for uvicorn that sends an answer's head and body in one system call instead of two."""

import asyncio
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol


class CorkedTransport:
    """A transport that keeps the head of an answer back until its body comes, at most until the loop's next turn."""

    __slots__ = ("_held", "_loop", "_transport")

    def __init__(self, transport: Any, loop: asyncio.AbstractEventLoop) -> None:
        self._transport = transport
        self._loop = loop
        self._held: bytes | None = None

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)

    @property
    def uncorked(self) -> Any:
        """The loop's own transport."""
        return self._transport

    def write(self, data: bytes) -> None:
        """Write, or hold an answer's head back."""
        if self._held is not None:
            data, self._held = self._held + data, None
        elif data.startswith(b"HTTP/1.1 "):
            self._held = data
            self._loop.call_soon(self._flush)
            return
        self._transport.write(data)

    def close(self) -> None:
        """Write what is held, then close."""
        self._flush()
        self._transport.close()

    def _flush(self) -> None:
        if self._held is not None:
            held, self._held = self._held, None
            if not self._transport.is_closing():
                self._transport.write(held)


class CorkedProtocol(HttpToolsProtocol):
    """Uvicorn's own protocol on such a transport."""

    def make_transport(self, transport: Any) -> CorkedTransport:
        """The transport around the loop's own."""
        return CorkedTransport(transport, self.loop)

    def connection_made(self, transport: Any) -> None:
        """Take a connection."""
        super().connection_made(self.make_transport(transport))  # type: ignore[arg-type]
