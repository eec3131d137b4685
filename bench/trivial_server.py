"""The least that a server can do with a request, to find the load generator's own ceiling.

`python -m bench.trivial_server PORT`
"""

import asyncio
import sys

import uvloop

from bench.load import LOOPBACK

_ANSWER = b"HTTP/1.1 204 No Content\r\nContent-Length: 0\r\n\r\n"


class _Trivial(asyncio.Protocol):
    """Counts the bytes of a request's body and answers 204."""

    def __init__(self) -> None:
        self._left = 0
        self._head = b""
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport  # type: ignore[assignment]

    def data_received(self, data: bytes) -> None:
        assert self._transport is not None
        if not self._left:
            data = self._head + data
            end = data.find(b"\r\n\r\n")
            if end < 0:
                self._head = data
                return
            self._head = b""
            at = data.find(b"Content-Length:")
            length = int(data[at + 15 : data.find(b"\r", at)]) if 0 <= at < end else 0
            self._left = length - (len(data) - end - 4)
        else:
            self._left -= len(data)
        if not self._left:
            self._transport.write(_ANSWER)


async def _serve(port: int) -> None:
    server = await asyncio.get_running_loop().create_server(_Trivial, LOOPBACK, port)
    await server.serve_forever()


if __name__ == "__main__":
    uvloop.run(_serve(int(sys.argv[1])))
