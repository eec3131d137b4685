"""A WebSocket protocol for uvicorn whose connections are bounded as those of requests are."""

from typing import Any

from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol

from fleetkeeper.kit.addresses import customer_of, plain_address
from fleetkeeper.kit.connections import Connections

# Messages are acknowledgements; what devices have more to say, they say by requests.
MAX_MESSAGE_BYTES = 64 * 1024
# A peer that answers no ping for so long is gone.
PING_SECONDS = 20.0


class BoundedWebSocket(WebSocketsSansIOProtocol):
    """Uvicorn's own protocol, which gives way when its client takes nothing."""

    def __init__(self, *arguments: Any, bounds: Connections, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self._bounds = bounds
        self.host = self.address = ""

    def connection_made(self, transport: Any) -> None:
        """Take over a connection that asked to be a WebSocket."""
        super().connection_made(transport)
        self.host = plain_address(self.client[0]) if self.client else ""
        self.address = customer_of(self.host)

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the connection."""
        self._bounds.flowing(self)
        super().connection_lost(exc)

    def pause_writing(self) -> None:
        """Wait for a client that takes nothing, for as long as there is room and time."""
        super().pause_writing()
        self._bounds.stalled(self)

    def resume_writing(self) -> None:
        """Go on."""
        super().resume_writing()
        self._bounds.flowing(self)

    def is_idle(self) -> bool:
        """A WebSocket is open for what will come."""
        return False

    def unsent_bytes(self) -> int:
        """How much waits for the client."""
        return int(self.transport.get_write_buffer_size())

    def give_way(self) -> None:
        """Close at once."""
        self._bounds.flowing(self)
        self.transport.abort()

    def end_late(self, *, has_begun: bool) -> None:
        """Close at once; a WebSocket owes no head."""
        del has_begun
        self.give_way()
