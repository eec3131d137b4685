"""Enrolling the devices of a fleet that have no key yet."""

import asyncio
from collections.abc import Callable
from typing import Final

import msgspec

from fleetkeeper.simulation.delivery import Clock, Message, deliver
from fleetkeeper.simulation.fleet import Fleet
from fleetkeeper.simulation.http import Address, Connection
from fleetkeeper.simulation.reports import enroll_request
from fleetkeeper.simulation.state import DeviceKey, FleetState
from fleetkeeper.simulation.tally import Tally
from fleetkeeper_protocol.messages import EnrollResponse

_JSON: Final = {"Content-Type": "application/json"}
_SAVE_EVERY: Final = 250


class SimulationError(Exception):
    """The simulation cannot go on; the message says why and what to do."""


FIRST_ANSWER_SECONDS: Final = 10.0


async def check_answers(address: Address, shown: str) -> None:
    """See whether anybody listens there, before anything is made for it. Raises SimulationError."""
    try:
        async with asyncio.timeout(FIRST_ANSWER_SECONDS):
            _, writer = await asyncio.open_connection(address.host, address.port)
        writer.close()
        await writer.wait_closed()
    except (OSError, TimeoutError) as error:
        raise SimulationError(
            f"Nothing answers at {shown} ({type(error).__name__}). Start Fleetkeeper with `fleetkeeper up`, or name "
            "another server with --server."
        ) from None


class _TokenAnswer(msgspec.Struct):
    token: str


async def request_enrolment_token(address: Address, api_token: str, uses: int, clock: Clock) -> str:
    """Ask the server for an enrollment token for `uses` devices.

    Raises SimulationError when it gives none.
    """
    connection = Connection(address)
    body = msgspec.json.encode({"name": "simulation", "max_uses": uses})
    headers = _JSON | {"Authorization": f"Bearer {api_token}"}
    try:
        answer = await deliver(
            connection, Message("/api/v1/enrollment-tokens", headers, body), clock, Tally()
        )
    finally:
        connection.close()
    if answer is None:
        raise SimulationError("The server does not answer; is it running at the address given by --server?")
    if not 200 <= answer.status < 300:
        raise SimulationError(f"The server gave no enrollment token: HTTP {answer.status} {answer.problem()}")
    return msgspec.json.decode(answer.body, type=_TokenAnswer).token


async def enrol(
    fleet: Fleet,
    state: FleetState,
    address: Address,
    token: str,
    clock: Clock,
    *,
    connections: int = 8,
    on_progress: Callable[[int], None] = lambda _: None,
) -> Tally:
    """Enroll the devices without a key, over a few connections, and keep their keys in the state file.

    Raises SimulationError when the server refuses a device.
    """
    tally = Tally()
    missing = iter(state.missing(fleet))
    unsaved = 0

    async def work() -> None:
        nonlocal unsaved
        connection = Connection(address)
        try:
            for index in missing:
                request = enroll_request(fleet.device(index), token)
                message = Message("/api/v1/enroll", _JSON, msgspec.json.encode(request))
                answer = await deliver(connection, message, clock, tally)
                if answer is None:
                    raise SimulationError("The server does not answer; what was enrolled so far is kept.")
                if not 200 <= answer.status < 300:
                    reason = f"HTTP {answer.status} {answer.problem()}"
                    raise SimulationError(f"The server did not enroll {request.hostname}: {reason}")
                given = msgspec.json.decode(answer.body, type=EnrollResponse)
                state.remember(index, DeviceKey(given.device_id, given.device_key))
                tally.accepted += 1
                unsaved += 1
                if unsaved >= _SAVE_EVERY:
                    unsaved = 0
                    state.save()
                on_progress(1)
        finally:
            connection.close()

    tasks = [asyncio.create_task(work()) for _ in range(connections)]
    try:
        await asyncio.gather(*tasks)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        state.save()
    return tally
