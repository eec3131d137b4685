"""Playing a fleet: its past in batches, then its present, each device at its own moment of the interval."""

import asyncio
import itertools
import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Final

import msgspec
import numpy as np

from fleetkeeper.simulation.delivery import TELEMETRY_PATH, Clock, Message, Outbox
from fleetkeeper.simulation.encoding import Compression, FrameEncoder, batch_body, compressor
from fleetkeeper.simulation.fleet import Fleet, Frames, KindModel
from fleetkeeper.simulation.http import Address
from fleetkeeper.simulation.inventories import inventory_report
from fleetkeeper.simulation.reports import process_report, session_report
from fleetkeeper.simulation.state import FleetState
from fleetkeeper.simulation.tally import Tally

_ROWS_AT_ONCE: Final = 4096
_SPOOL_SECONDS: Final = 600.0
"""How long a live frame is worth sending; real agents spool to disk for longer."""
_NEAR_SECONDS: Final = 0.005


@dataclass(frozen=True)
class Tempo:
    """How fast and how much at once."""

    interval_seconds: float = 10.0
    slow_interval_seconds: float = 60.0
    """Between two reports of processes, and of sessions, of one device."""
    frames_per_request: int = 60
    connections: int = 16


class Player:
    """Sends what the devices of a fleet measure; the devices must be enrolled."""

    def __init__(
        self,
        fleet: Fleet,
        state: FleetState,
        address: Address,
        clock: Clock,
        *,
        tempo: Tempo | None = None,
        compression: Compression = Compression.ZSTD,
    ) -> None:
        self._fleet = fleet
        self._address = address
        self._clock = clock
        self._tempo = tempo or Tempo()
        self._compress, coding = compressor(compression)
        self._encoders = {model.kind.name: FrameEncoder(model.kind.channels) for model in fleet.models}
        self._keys = [state.key(index) for index in range(fleet.count)]
        self._headers: list[dict[str, str]] = [
            {"Authorization": f"Bearer {key.device_key if key else ''}", "Content-Type": "application/json"}
            | coding
            for key in self._keys
        ]
        self._devices = [fleet.device(index) for index in range(fleet.count)]

    def _outbox(self, tally: Tally, capacity: int) -> Outbox:
        return Outbox(
            self._address, self._clock, tally, connections=self._tempo.connections, capacity=capacity
        )

    def _telemetry(self, device: int, frames: list[bytes], samples: int, give_up_at: float | None) -> Message:
        # The id follows from the content: the same frames sent again are the same batch, others are not.
        first, last = (frame.partition(b",")[0].decode() for frame in (frames[0], frames[-1]))
        batch = uuid.uuid5(self._devices[device].agent_id, f"{first}/{last}/{len(frames)}")
        body = self._compress(batch_body(frames, str(batch)))
        return Message(TELEMETRY_PATH, self._headers[device], body, len(frames), samples, give_up_at)

    def _report(self, device: int, path: str, content: msgspec.Struct, give_up_at: float | None) -> Message:
        return Message(
            path, self._headers[device], self._compress(msgspec.json.encode(content)), give_up_at=give_up_at
        )

    async def send_inventories(self, on_progress: Callable[[int], None] = lambda _: None) -> Tally:
        """Send each device's inventory once."""
        tally = Tally()
        async with self._outbox(tally, 64).running() as outbox:
            for device in self._devices:
                report = inventory_report(self._fleet, device, self._clock.now())
                await outbox.put(self._report(device.index, "/api/v1/agent/inventory", report, None))
                on_progress(1)
        return tally

    def count_backfill(self, start: float, end: float) -> int:
        """Return how many frames a backfill has at most (devices that were off send fewer)."""
        first, last = self._rounds(start, end)
        return max(0, last - first) * self._fleet.count

    def _rounds(self, start: float, end: float) -> tuple[int, int]:
        interval = self._tempo.interval_seconds
        return int(np.ceil(start / interval)), int(np.floor(end / interval))

    async def backfill(
        self, start: float, end: float, tally: Tally, on_progress: Callable[[int], None] = lambda _: None
    ) -> None:
        """Send the frames of [start, end) (epoch seconds, whole intervals), oldest first for the whole fleet.

        A thread measures, encodes and compresses the next part while this one is being sent; the queue's
        bound holds it back when the server is slower.
        """
        loop = asyncio.get_running_loop()
        parts = self._parts(start, end)
        with ThreadPoolExecutor(1) as pool:
            async with self._outbox(tally, 2 * self._tempo.connections).running() as outbox:
                upcoming = loop.run_in_executor(pool, next, parts, None)
                while (part := await upcoming) is not None:
                    upcoming = loop.run_in_executor(pool, next, parts, None)
                    planned, messages = part
                    for message in messages:
                        await outbox.put(message)
                    on_progress(planned)

    def _parts(self, start: float, end: float) -> Iterator[tuple[int, list[Message]]]:
        """Yield messages in parts of some thousand frames, each with how many frames were planned."""
        interval, per_request = self._tempo.interval_seconds, self._tempo.frames_per_request
        first, last = self._rounds(start, end)
        for begin in range(first, last, per_request):
            rounds = np.arange(begin, min(begin + per_request, last), dtype=float)
            for model in self._fleet.models:
                per_part = max(1, _ROWS_AT_ONCE // len(rounds))
                for at in range(0, len(model.indices), per_part):
                    positions = np.arange(at, min(at + per_part, len(model.indices)))
                    yield len(positions) * len(rounds), self._batches(model, positions, rounds * interval)

    def _batches(self, model: KindModel, positions: np.ndarray, starts: np.ndarray) -> list[Message]:
        offsets = self._fleet.offsets(self._tempo.interval_seconds)[model.indices[positions]]
        times = np.round((starts[None, :] + offsets[:, None]).ravel(), 3)
        measured = model.measure(np.repeat(positions, len(starts)), times)
        if not len(measured.times):
            return []
        encoded = self._encode(measured)
        edges = np.flatnonzero(np.diff(measured.devices)) + 1
        messages = []
        for begin, end in itertools.pairwise([0, *edges.tolist(), len(encoded)]):
            samples = (end - begin) * len(model.kind.channels)
            messages.append(self._telemetry(int(measured.devices[begin]), encoded[begin:end], samples, None))
        return messages

    def _encode(self, measured: Frames) -> list[bytes]:
        stamps = np.round(measured.times + self._fleet.skew_seconds[measured.devices], 3)
        return self._encoders[measured.kind.name].frames(stamps, measured.values)

    def _live_round(self, start: float) -> list[tuple[float, int, bytes, int]]:
        """Return (true time, device, frame, samples) of one interval, in the order of time."""
        frames: list[tuple[float, int, bytes, int]] = []
        for measured in self._fleet.round_of(start, self._tempo.interval_seconds):
            samples = len(measured.kind.channels)
            frames += [
                (moment, device, frame, samples)
                for moment, device, frame in zip(
                    measured.times.tolist(), measured.devices.tolist(), self._encode(measured), strict=True
                )
            ]
        frames.sort(key=lambda frame: frame[:2])
        return frames

    async def live(
        self,
        until: float,
        tally: Tally,
        on_status: Callable[[], None] = lambda: None,
        status_seconds: float = 5.0,
    ) -> None:
        """Send frames as they fall due until `until` (epoch seconds); slow reports in between."""
        interval = self._tempo.interval_seconds
        every = max(1, round(self._tempo.slow_interval_seconds / interval))
        begin = next_status = self._clock.now()
        number = int(begin // interval)
        async with self._outbox(tally, 2 * self._fleet.count + 1000).running() as outbox:
            while number * interval < until:
                for moment, device, frame, samples in self._live_round(number * interval):
                    if moment < begin:
                        continue
                    if moment >= until:
                        break
                    wait = moment - self._clock.now()
                    if wait > _NEAR_SECONDS:
                        await self._clock.sleep(wait)
                    give_up_at = moment + _SPOOL_SECONDS
                    outbox.offer(self._telemetry(device, [frame], samples, give_up_at))
                    turn = (number + device) % every
                    if turn == 0:
                        report = process_report(self._fleet, self._devices[device], moment)
                        outbox.offer(self._report(device, "/api/v1/telemetry/processes", report, give_up_at))
                    if turn == every // 2:
                        sessions = session_report(self._fleet, self._devices[device], moment)
                        outbox.offer(self._report(device, "/api/v1/telemetry/sessions", sessions, give_up_at))
                    if self._clock.now() >= next_status:
                        next_status = self._clock.now() + status_seconds
                        on_status()
                number += 1
                await self._wait_for(min(number * interval, until))
        on_status()

    async def _wait_for(self, moment: float) -> None:
        wait = moment - self._clock.now()
        if wait > 0:
            await self._clock.sleep(wait)
