"""Brings reports to the server: live frames first, then the rest, then the backlog of the spool."""

import logging
import threading
from collections import deque
from collections.abc import Callable, Sequence
from uuid import uuid4

import msgspec

from fleetkeeper_agent.backoff import Backoff
from fleetkeeper_agent.channel import Answer, Channel, Verdict
from fleetkeeper_agent.clock import Clock
from fleetkeeper_agent.collectors.agent_self import DeliveryFigures
from fleetkeeper_agent.configuration import Configuration
from fleetkeeper_agent.hostile_text import clean
from fleetkeeper_agent.spool import FRAME, PROCESSES, Entry, Spool
from fleetkeeper_protocol.messages import (
    Frame,
    InventoryReport,
    ProcessSnapshot,
    SessionReport,
    TelemetryAccepted,
)

LOG = logging.getLogger(__name__)

TELEMETRY_PATH = "/api/v1/telemetry"
PROCESSES_PATH = "/api/v1/telemetry/processes"
SESSIONS_PATH = "/api/v1/telemetry/sessions"
INVENTORY_PATH = "/api/v1/agent/inventory"

# Frames that wait in memory while a request is under way; at 5 s that is a minute, then they go to disk.
MOST_LIVE_FRAMES = 12
# Ten minutes of frames at 5 s in one request.
MOST_REPLAYED_FRAMES = 120
MOST_REPLAYED_SNAPSHOTS = 20
# One batch of backlog a second, a hundred times as fast as new frames come in, spares a server that just came
# back.
REPLAY_PAUSE_SECONDS = 1.0
UNAUTHORIZED_RETRY_SECONDS = 300.0
IDLE_SECONDS = 60.0
BROKEN_ANSWER = "the server refused it"


class _RawBatch(msgspec.Struct, omit_defaults=True):
    """TelemetryBatch with frames that are JSON already."""

    frames: list[msgspec.Raw]
    batch_id: str


class _RawProcessReport(msgspec.Struct):
    """ProcessReport with snapshots that are JSON already."""

    snapshots: list[msgspec.Raw]


class Delivery:
    """One step at a time, in the caller's thread. `submit` and `save` may be called from any thread."""

    def __init__(self, channel: Channel, spool: Spool, configuration: Configuration, clock: Clock) -> None:
        self._channel = channel
        self._spool = spool
        self._configuration = configuration
        self._clock = clock
        self._lock = threading.Lock()
        self._live: deque[tuple[float, bytes]] = deque()
        self._in_flight: list[tuple[float, bytes]] = []
        self._snapshots: deque[tuple[float, bytes]] = deque()
        self._latest: dict[str, bytes] = {}
        self._backoff = Backoff(clock.uniform)
        self._away = False
        self._retry_at = 0.0
        self._replay_at = 0.0
        self._may_replay = True
        self._replay_frames = MOST_REPLAYED_FRAMES
        self.link = "not connected yet"
        self.last_accepted_at: float | None = None
        self.frames_sent = 0
        self.wake = threading.Event()

    def submit(self, frame: Frame) -> None:
        """Take a new frame in: for the wire, or for the spool while the server is away."""
        entry = (frame.ts, msgspec.json.encode(frame))
        overflow: list[tuple[float, bytes]] = []
        with self._lock:
            if self._away:
                overflow.append(entry)
            else:
                self._live.append(entry)
                while len(self._live) > MOST_LIVE_FRAMES:
                    overflow.append(self._live.popleft())
        self._spool.add(FRAME, overflow)
        self.wake.set()

    def submit_processes(self, snapshot: ProcessSnapshot) -> None:
        """Take a process snapshot in. They are history, so they wait in the spool as frames do."""
        with self._lock:
            self._snapshots.append((snapshot.ts, msgspec.json.encode(snapshot)))
            overflow = list(self._snapshots) if self._away or len(self._snapshots) > MOST_LIVE_FRAMES else []
            if overflow:
                self._snapshots.clear()
        self._spool.add(PROCESSES, overflow)
        self.wake.set()

    def submit_sessions(self, report: SessionReport) -> None:
        """Take the sessions in. Only the latest count, so they are kept in memory until they arrive."""
        self._submit_latest(SESSIONS_PATH, msgspec.json.encode(report))

    def submit_inventory(self, report: InventoryReport) -> None:
        """Take the inventory in. Only the latest counts."""
        self._submit_latest(INVENTORY_PATH, msgspec.json.encode(report))

    def figures(self) -> DeliveryFigures:
        """What the agent reports about its own delivery."""
        dropped = rejected = 0
        for loss in self._spool.losses():
            if loss.kind == FRAME:
                if loss.reason.startswith(BROKEN_ANSWER):
                    rejected += loss.number
                else:
                    dropped += loss.number
        return DeliveryFigures(self._spool.waiting(FRAME), dropped, rejected)

    def step(self) -> float:
        """Do the most urgent thing; return after how many seconds there is more, unless `wake` is set."""
        now = self._clock.monotonic()
        if self._away:
            return self._probe() if now >= self._retry_at else self._retry_at - now
        may_replay = self._may_replay and now >= self._replay_at
        for is_due, work in (
            (bool(self._live), self._send_live),
            (self._configuration.is_due(now), self._fetch_configuration),
            (bool(self._latest), self._send_latest),
            (bool(self._snapshots), self._send_snapshots),
            (may_replay and self._spool.waiting(PROCESSES) > 0, self._replay_processes),
            (may_replay and self._spool.waiting(FRAME) > 0, self._replay),
        ):
            if is_due:
                return work()
        pauses = [IDLE_SECONDS, self._configuration.seconds_until_due(now)]
        if self._may_replay and self._spool.waiting(FRAME) + self._spool.waiting(PROCESSES):
            pauses.append(self._replay_at - now)
        return min(pauses)

    def flush_live(self, stop: Callable[[], bool]) -> None:
        """Send what is fresh, at the end; stop as soon as it does not work."""
        while self._live and not self._away and not stop():
            self._send_live()

    def save(self) -> None:
        """Put all that is not known to have arrived into the spool; a doubled frame does no harm."""
        with self._lock:
            rest = [*self._in_flight, *self._live]
            snapshots = list(self._snapshots)
            self._live.clear()
            self._snapshots.clear()
            self._in_flight = []
            self._away = True
        self._spool.add(FRAME, rest)
        self._spool.add(PROCESSES, snapshots)

    def _submit_latest(self, path: str, body: bytes) -> None:
        with self._lock:
            self._latest[path] = body
        self.wake.set()

    def _send_live(self) -> float:
        with self._lock:
            self._in_flight = list(self._live)
            self._live.clear()
            frames = self._in_flight
        if not frames:
            return 0.0
        answer = self._post_frames([body for _, body in frames])
        with self._lock:
            saved_elsewhere = not self._in_flight
            self._in_flight = []
        if saved_elsewhere:
            return 0.0
        stamps = [ts for ts, _ in frames]
        if answer.verdict is Verdict.ACCEPTED:
            self._accepted(answer, stamps)
        elif answer.verdict is Verdict.REFUSED or (
            answer.verdict is Verdict.BODY_REFUSED and len(frames) == 1
        ):
            self._spool.count_loss(FRAME, _refusal(answer), stamps)
            self._note_refusal(answer)
        else:
            self._spool.add(FRAME, frames)
            if answer.verdict is Verdict.BODY_REFUSED:
                self._replay_frames = 1
        return self._after(answer)

    def _probe(self) -> float:
        newest = self._spool.newest(FRAME, 1)
        if not newest:
            return self._fetch_configuration()
        return self._deliver_entries(newest)

    def _replay(self) -> float:
        entries = self._spool.newest(FRAME, self._replay_frames)
        pause = self._clock.uniform(0.5, 1.5) * REPLAY_PAUSE_SECONDS
        self._replay_at = self._clock.monotonic() + pause
        return self._deliver_entries(entries) if entries else 0.0

    def _deliver_entries(self, entries: list[Entry]) -> float:
        answer = self._post_frames([entry.body for entry in entries])
        if answer.verdict is Verdict.ACCEPTED:
            self._spool.remove(FRAME, entries)
            self._accepted(answer, [entry.ts for entry in entries])
            self._replay_frames = min(MOST_REPLAYED_FRAMES, self._replay_frames * 2)
        elif answer.verdict is Verdict.BODY_REFUSED and len(entries) > 1:
            # One of them is at fault; halving finds it.
            self._replay_frames = max(1, len(entries) // 2)
            self._replay_at = self._clock.monotonic()
        elif answer.verdict in {Verdict.BODY_REFUSED, Verdict.REFUSED}:
            self._spool.remove(FRAME, entries[-1:], _refusal(answer))
            self._note_refusal(answer)
        return self._after(answer)

    def _replay_processes(self) -> float:
        entries = self._spool.newest(PROCESSES, MOST_REPLAYED_SNAPSHOTS)
        self._replay_at = self._clock.monotonic() + REPLAY_PAUSE_SECONDS / 10
        if not entries:
            return 0.0
        answer = self._post_snapshots([entry.body for entry in entries])
        if answer.verdict is Verdict.ACCEPTED:
            self._spool.remove(PROCESSES, entries)
        elif answer.verdict in {Verdict.BODY_REFUSED, Verdict.REFUSED}:
            self._spool.remove(PROCESSES, entries, _refusal(answer))
        return self._after(answer)

    def _send_snapshots(self) -> float:
        with self._lock:
            snapshots = list(self._snapshots)
        answer = self._post_snapshots([body for _, body in snapshots])
        with self._lock:
            # Those that were saved in the meantime are in the spool already.
            sent = [self._snapshots.popleft() for _ in range(min(len(snapshots), len(self._snapshots)))]
        if answer.verdict in {Verdict.RETRY, Verdict.UNAUTHORIZED}:
            self._spool.add(PROCESSES, sent)
        elif answer.verdict is not Verdict.ACCEPTED:
            self._spool.count_loss(PROCESSES, _refusal(answer), [ts for ts, _ in sent])
        return self._after(answer)

    def _post_snapshots(self, bodies: Sequence[bytes]) -> Answer:
        report = _RawProcessReport([msgspec.Raw(body) for body in bodies])
        return self._channel.post(PROCESSES_PATH, msgspec.json.encode(report))

    def _send_latest(self) -> float:
        with self._lock:
            path, body = next(iter(self._latest.items()))
        answer = self._channel.post(path, body)
        if answer.verdict in {Verdict.ACCEPTED, Verdict.BODY_REFUSED, Verdict.REFUSED}:
            if answer.verdict is not Verdict.ACCEPTED:
                LOG.warning("the server refuses the report to %s: %s", path, answer.reason)
            with self._lock:
                if self._latest.get(path) is body:
                    del self._latest[path]
        return self._after(answer)

    def _fetch_configuration(self) -> float:
        answer = self._configuration.fetch(self._channel, self._clock.monotonic())
        return self._after(answer)

    def _post_frames(self, bodies: Sequence[bytes]) -> Answer:
        batch = _RawBatch(frames=[msgspec.Raw(body) for body in bodies], batch_id=str(uuid4()))
        return self._channel.post(TELEMETRY_PATH, msgspec.json.encode(batch))

    def _accepted(self, answer: Answer, stamps: Sequence[float]) -> None:
        self.last_accepted_at = self._clock.wall()
        self._may_replay = True
        rejected: dict[int, str] = {}
        try:
            details = msgspec.json.decode(answer.body, type=TelemetryAccepted)
        except msgspec.DecodeError:
            LOG.debug("the server accepts frames, with an answer that is none of ours")
        else:
            rejected = {item.index: f"{item.field}: {item.error}" for item in details.rejected}
        lost = [(stamps[index], why) for index, why in rejected.items() if 0 <= index < len(stamps)]
        for ts, why in lost:
            self._spool.count_loss(FRAME, clean(f"{BROKEN_ANSWER}: {why}", 200), [ts])
        self.frames_sent += len(stamps) - len(lost)

    def _after(self, answer: Answer) -> float:
        self._configuration.notice(answer.config_tag)
        if answer.verdict is Verdict.UNAUTHORIZED:
            self._lose_link(
                f"the server does not accept this device's key any more ({answer.reason}); enroll it again. "
                "Frames wait in the spool until then",
                self._clock.uniform(0.8, 1.2) * UNAUTHORIZED_RETRY_SECONDS,
            )
            return 0.0
        if answer.verdict is Verdict.RETRY:
            self._lose_link(answer.reason, self._backoff.next_delay(answer.retry_after))
            return 0.0
        self._backoff.reset()
        with self._lock:
            self._away = False
        if answer.verdict in {Verdict.ACCEPTED, Verdict.UNCHANGED} and self._may_replay:
            self._note_link("connected")
        return 0.0

    def _lose_link(self, reason: str, delay: float) -> None:
        self._note_link(reason)
        self._retry_at = self._clock.monotonic() + delay
        with self._lock:
            self._away = True
            waiting, snapshots = list(self._live), list(self._snapshots)
            self._live.clear()
            self._snapshots.clear()
        self._spool.add(FRAME, waiting)
        self._spool.add(PROCESSES, snapshots)

    def _note_refusal(self, answer: Answer) -> None:
        # The backlog waits until the server takes new frames again, so that it is not thrown away as well.
        if answer.verdict is Verdict.REFUSED:
            self._may_replay = False
        self._note_link(f"the server refuses frames: {answer.reason}")

    def _note_link(self, text: str) -> None:
        if text != self.link:
            LOG.log(logging.INFO if text == "connected" else logging.WARNING, "link: %s", text)
        self.link = text


def _refusal(answer: Answer) -> str:
    # Without the server's text, which may differ each time: losses are counted by reason.
    return f"{BROKEN_ANSWER} ({answer.status})"
