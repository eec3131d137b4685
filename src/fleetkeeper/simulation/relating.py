"""Enters the devices that connect a fleet, and how its devices are connected, over the API."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from typing import Final, TypeVar

import msgspec

from fleetkeeper.simulation.delivery import Clock, Message, count_answer, deliver
from fleetkeeper.simulation.fleet import Fleet
from fleetkeeper.simulation.http import Address, Answer, Connection
from fleetkeeper.simulation.state import FleetState
from fleetkeeper.simulation.tally import Tally
from fleetkeeper.simulation.topology import Entered, Relation, plan_topology

# Of a larger fleet the first are connected: each relationship is a request, and nobody looks at a million.
MOST_DEVICES: Final = 5000
_DEVICES: Final = "/api/v1/devices"
_RELATIONSHIPS: Final = "/api/v1/device-relationships"
_CONFLICT: Final = 409
_Thing = TypeVar("_Thing")


class _Made(msgspec.Struct):
    id: str


class Relating:
    """Sends what is not there yet; what cannot be entered is counted and left."""

    def __init__(
        self, fleet: Fleet, state: FleetState, address: Address, api_token: str, clock: Clock
    ) -> None:
        self._state = state
        self._address = address
        self._headers = {"Content-Type": "application/json", "Authorization": f"Bearer {api_token}"}
        self._clock = clock
        self._count = min(fleet.count, MOST_DEVICES)
        self._plan = plan_topology(fleet.device(index) for index in range(self._count))
        self._missing = [one for one in self._plan.relations if one.newest >= state.related]
        self.tally = Tally()

    @property
    def total(self) -> int:
        """How many relationships are to be made."""
        return len(self._missing)

    async def run(self, *, connections: int = 8, on_progress: Callable[[int], None] = lambda _: None) -> None:
        """Enter devices and then their relationships, and remember both."""
        new = [one for one in self._plan.entered.values() if self._state.entered(one.name) is None]
        try:
            await self._work_off(new, self._enter, connections)
            await self._work_off(self._missing, self._relate, connections, on_progress)
            if not self.tally.failures:
                self._state.related = max(self._state.related, self._count)
        finally:
            self._state.save()

    async def _work_off(
        self,
        things: Iterable[_Thing],
        send: Callable[[Connection, _Thing], Awaitable[None]],
        connections: int,
        on_progress: Callable[[int], None] = lambda _: None,
    ) -> None:
        waiting = iter(things)

        async def work() -> None:
            connection = Connection(self._address)
            try:
                for thing in waiting:
                    await send(connection, thing)
                    on_progress(1)
            finally:
                connection.close()

        async with asyncio.TaskGroup() as group:
            for _ in range(connections):
                group.create_task(work())

    async def _enter(self, connection: Connection, entered: Entered) -> None:
        answer = await self._post(connection, _DEVICES, msgspec.json.encode(entered))
        if answer is not None:
            made = msgspec.json.decode(answer.body, type=_Made)
            self._state.remember_entered(entered.name, made.id)

    async def _relate(self, connection: Connection, relation: Relation) -> None:
        parent, child = self._id_of(relation.parent), self._id_of(relation.child)
        if parent is None or child is None:
            return
        body = {"parent_device_id": parent, "child_device_id": child, "relationship_type": relation.kind}
        await self._post(connection, _RELATIONSHIPS, msgspec.json.encode(body))

    async def _post(self, connection: Connection, path: str, body: bytes) -> Answer | None:
        """What the server answered, if it made something."""
        message = Message(path, self._headers, body)
        answer = await deliver(connection, message, self._clock, self.tally)
        if answer is None:
            return None
        # An earlier run that was interrupted may have made it.
        if answer.status == _CONFLICT:
            self.tally.duplicates += 1
            return None
        count_answer(answer, message, self.tally)
        if not 200 <= answer.status < 300:
            return None
        self.tally.accepted += 1
        return answer

    def _id_of(self, end: int | str) -> str | None:
        if isinstance(end, str):
            return self._state.entered(end)
        key = self._state.key(end)
        return key.device_id if key else None
