"""Senders of frames that keep a ledger of what was acknowledged, and send again what was not."""

import threading
import time
from dataclasses import dataclass, field
from uuid import UUID

import httpx
import psycopg

FRAMES_PER_REQUEST = 3
RETRY_SECONDS = 0.02
Key = tuple[UUID, int]


@dataclass
class Sender:
    """One connection that reports for one device, as fast as it is answered."""

    url: str
    device_id: str
    device_key: str
    # The channels: senders share some, and race to register them.
    channels: tuple[str, ...]
    acknowledged: dict[Key, float] = field(default_factory=dict)
    requests_sent_again: int = 0
    duplicates: int = 0
    unexpected: list[str] = field(default_factory=list)
    _stop: threading.Event = field(default_factory=threading.Event)
    _thread: threading.Thread | None = None

    def start(self) -> None:
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def stop(self) -> None:
        """End; a request that is not acknowledged by now never will be."""
        self._stop.set()
        assert self._thread is not None
        self._thread.join()

    def _run(self) -> None:
        ts_ms = int(time.time() * 1000)
        number = 0
        headers = {"Authorization": f"Bearer {self.device_key}"}
        with httpx.Client(base_url=self.url, headers=headers, timeout=20, trust_env=False) as client:
            while not self._stop.is_set():
                frames = {}
                for _ in range(FRAMES_PER_REQUEST):
                    number += 1
                    ts_ms = max(ts_ms + 1, int(time.time() * 1000))
                    frames[ts_ms] = float(number)
                self._deliver(client, frames)

    def _deliver(self, client: httpx.Client, frames: dict[int, float]) -> None:
        values = [(ts_ms, dict.fromkeys(self.channels, value)) for ts_ms, value in frames.items()]
        body = {"frames": [{"ts": ts_ms / 1000, "values": found} for ts_ms, found in values]}
        while not self._stop.is_set():
            try:
                answer = client.post("/api/v1/telemetry", json=body)
            except httpx.HTTPError:
                answer = None
            if answer is not None and answer.status_code == 200:
                counts = answer.json()
                assert counts["accepted"] + counts["duplicates"] == len(frames), counts
                self.duplicates += counts["duplicates"]
                for ts_ms, value in frames.items():
                    self.acknowledged[UUID(self.device_id), ts_ms * 1000] = value
                return
            if answer is not None and answer.status_code not in {429, 503}:
                self.unexpected.append(f"{answer.status_code} {answer.text}")
            self.requests_sent_again += 1
            self._stop.wait(RETRY_SECONDS)


def stored_frames(url: str) -> dict[Key, list[float]]:
    """All frames in the database: the values by device and time (microseconds), once per row."""
    found: dict[Key, list[float]] = {}
    with psycopg.connect(url) as connection:
        rows = connection.execute("""
            SELECT device_id, (extract(epoch FROM ts) * 1000000)::bigint, values[position]
            FROM frames JOIN layout_channels USING (layout_id) JOIN channels ON channels.id = channel_id
            WHERE key = 'cpu_usage_percent'
        """)
        for device_id, ts_us, value in rows:
            found.setdefault((device_id, ts_us), []).append(value)
    return found
