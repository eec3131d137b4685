"""`/api/v1/requests/connect`: a WebSocket by which a device has its responses as soon as they are there."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from typing import Annotated, Any, Literal
from uuid import UUID

import structlog
from fastapi import APIRouter, Depends, WebSocket, WebSocketDisconnect
from pydantic import BaseModel, ValidationError
from sqlalchemy.exc import SQLAlchemyError

from fleetkeeper.database.context import TransactionContext, product_context
from fleetkeeper.database.engine import Database
from fleetkeeper.device_requests.connections import close_connection, note_life, open_connection
from fleetkeeper.device_requests.responses import service
from fleetkeeper.device_requests.responses.waiting import RequestWatch
from fleetkeeper.devices.access import ConnectingDevice
from fleetkeeper.devices.keys import DeviceCaller, is_good_key
from fleetkeeper.error_handlers import problem_response
from fleetkeeper.errors import FleetkeeperError, OverloadedError
from fleetkeeper.identity.access import client_address, origin_of
from fleetkeeper.kit.places import Places
from fleetkeeper.kit.services import shared

log = structlog.get_logger(__name__)

PATH = "/requests/connect"
# How often a quiet connection says that it is there, and whether its key still counts.
LIFE_SECONDS = 30.0
MAX_SOCKETS = 5000
# A device that connects again may be here before its old connection is known to be gone.
MAX_SOCKETS_OF_DEVICE = 2
# Close codes of applications begin at 4000: as HTTP's 401, and the one that says "try again later".
KEY_ENDED, TRY_LATER = 4401, 1013
router = APIRouter(tags=["requests"])
Watching = Annotated[RequestWatch, Depends(shared(RequestWatch))]
Data = Annotated[Database, Depends(shared(Database))]
_places = Places(MAX_SOCKETS, MAX_SOCKETS_OF_DEVICE, what="connections")


class Acknowledgement(BaseModel):
    """What a device says: that it has the response to a request."""

    type: Literal["ack"]
    request_id: UUID


@router.websocket(PATH)
async def connect(socket: WebSocket, device: ConnectingDevice, database: Data, watch: Watching) -> None:
    """Send a device its responses as they become ready, and take its acknowledgements."""
    try:
        place = _places.take(device.device_id)
    except OverloadedError as error:
        await socket.send_denial_response(problem_response(error, socket.state.request_id))
        return
    with place:
        await socket.accept()
        context = product_context("device", device.name, device=str(device.device_id), **origin_of(socket))
        delivery = _Delivery(socket, database, context, watch, device)
        with contextlib.suppress(WebSocketDisconnect):
            await delivery.serve(client_address(socket))


class _Delivery:
    """One device that is connected; a session is held for each look only."""

    def __init__(
        self,
        socket: WebSocket,
        database: Database,
        context: TransactionContext,
        watch: RequestWatch,
        device: DeviceCaller,
    ) -> None:
        self._socket = socket
        self._database = database
        self._context = context
        self._watch = watch
        self._device = device
        # Requests whose responses are on their way, and an end to waiting for room among them.
        self._sent: set[UUID] = set()
        self._has_room = asyncio.Event()

    async def serve(self, address: str) -> None:
        """Send and hear until either end closes. Raises WebSocketDisconnect."""
        async with self._connection(address) as connection:
            sending = asyncio.create_task(self._send(connection))
            hearing = asyncio.create_task(self._hear())
            try:
                done, _ = await asyncio.wait((sending, hearing), return_when=asyncio.FIRST_COMPLETED)
                for task in done:
                    task.result()
            except (SQLAlchemyError, OSError) as error:
                log.warning("a connected device waits for the database", reason=str(error).splitlines()[:1])
                await self._socket.close(TRY_LATER, "Try again later")
            finally:
                sending.cancel()
                hearing.cancel()
                await asyncio.gather(sending, hearing, return_exceptions=True)

    @contextlib.asynccontextmanager
    async def _connection(self, address: str) -> AsyncIterator[UUID]:
        async with self._database.session(self._context) as session:
            connection = await open_connection(session, self._device.device_id, "websocket", address)
        try:
            yield connection
        finally:
            # Where the database cannot be told, a job ends connections without a sign of life.
            with contextlib.suppress(SQLAlchemyError, OSError):
                async with self._database.session(self._context) as session:
                    await close_connection(session, connection)

    async def _send(self, connection: UUID) -> None:
        while True:
            room = service.MOST_UNDELIVERED - len(self._sent)
            async with self._database.session(self._context) as session:
                if not await is_good_key(session, self._device.key_id):
                    break
                await note_life(session, connection)
                found = await service.list_undelivered(
                    session, self._device.device_id, max(room, 0), self._sent
                )
            for one in found:
                self._sent.add(one.request_id)
                await self._socket.send_json({"type": "response", "response": one.model_dump(mode="json")})
            if len(self._sent) < service.MOST_UNDELIVERED:
                await self._watch.wait_for_device(self._device.device_id, self._sent, LIFE_SECONDS)
            else:
                self._has_room.clear()
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(LIFE_SECONDS):
                        await self._has_room.wait()
        await self._socket.close(KEY_ENDED, "The device's key was revoked")

    async def _hear(self) -> None:
        while True:
            message = await self._socket.receive_text()
            try:
                said = Acknowledgement.model_validate_json(message)
            except ValidationError:
                await self._tell_error('Send {"type": "ack", "request_id": "…"}.')
                continue
            try:
                async with self._database.session(self._context) as session:
                    await service.acknowledge(session, self._device.device_id, said.request_id)
            except FleetkeeperError as error:
                await self._tell_error(error.detail, request_id=str(said.request_id))
                continue
            self._sent.discard(said.request_id)
            self._has_room.set()
            await self._socket.send_json({"type": "acknowledged", "request_id": str(said.request_id)})

    async def _tell_error(self, detail: str, **more: Any) -> None:
        await self._socket.send_json({"type": "error", "detail": detail} | more)
