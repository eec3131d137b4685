"""A real Prometheus on a loopback port, filled by remote write."""

import contextlib
import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import httpx
import pyarrow as pa

from fleetkeeper.telemetry.promql.source import SourceSeries

BATCH_MICROS = 600_000_000


def find_prometheus() -> str | None:
    """The program, from FLEETKEEPER_PEERS (a directory with extracted packages) or PATH."""
    peers = os.environ.get("FLEETKEEPER_PEERS")
    if peers:
        for place in (
            Path(peers) / "usr/bin/prometheus",
            Path(peers) / "bin/prometheus",
            Path(peers) / "prometheus",
        ):
            if place.is_file():
                return str(place)
    return shutil.which("prometheus")


@contextlib.contextmanager
def prometheus(program: str, home: Path, series: Sequence[SourceSeries]) -> Iterator[str]:
    """Run Prometheus with exactly these samples; gives its address."""
    home.mkdir(parents=True, exist_ok=True)
    (home / "prometheus.yml").write_text("global: {}\n")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    address = f"http://127.0.0.1:{port}"
    with (home / "log").open("wb") as log:
        process = subprocess.Popen(
            [
                program,
                f"--config.file={home / 'prometheus.yml'}",
                f"--storage.tsdb.path={home / 'data'}",
                "--storage.tsdb.retention.time=100y",
                f"--web.listen-address=127.0.0.1:{port}",
                "--web.enable-remote-write-receiver",
                "--log.level=warn",
            ],
            stdout=log,
            stderr=log,
        )
    try:
        _wait_until_ready(address, process, home / "log")
        _write(address, series)
        yield address
    finally:
        process.terminate()
        try:
            process.wait(timeout=60)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _wait_until_ready(address: str, process: subprocess.Popen[bytes], log: Path) -> None:
    give_up = time.monotonic() + 60
    while True:
        with contextlib.suppress(httpx.TransportError):
            if httpx.get(f"{address}/-/ready", timeout=30).status_code == 200:
                return
        if process.poll() is not None or time.monotonic() > give_up:
            raise RuntimeError(f"Prometheus did not start: {log.read_text()[-2000:]}")
        # A process that starts offers nothing to wait on.
        time.sleep(0.05)


def _write(address: str, series: Sequence[SourceSeries]) -> None:
    first = min(int(item.times[0]) for item in series if len(item.times))
    last = max(int(item.times[-1]) for item in series if len(item.times))
    codec = pa.Codec("snappy")
    with httpx.Client(base_url=address, timeout=30) as client:
        # Prometheus takes no sample that is much older than its newest one, so all series advance together.
        for start in range(first, last + 1, BATCH_MICROS):
            body = codec.compress(_request(series, start, start + BATCH_MICROS), asbytes=True)
            answer = client.post(
                "/api/v1/write",
                content=body,
                headers={
                    "Content-Encoding": "snappy",
                    "Content-Type": "application/x-protobuf",
                    "X-Prometheus-Remote-Write-Version": "0.1.0",
                },
            )
            if answer.status_code >= 300:
                raise RuntimeError(f"Prometheus refused samples: {answer.text}")


def _request(series: Sequence[SourceSeries], start: int, end: int) -> bytes:
    """A WriteRequest of remote write 1.0."""
    parts = []
    for item in series:
        low, high = item.times.searchsorted([start, end])
        if low == high:
            continue
        body = b"".join(
            _field(1, _field(1, name.encode()) + _field(2, value.encode())) for name, value in item.labels
        )
        for moment, value in zip(item.times[low:high], item.values[low:high], strict=True):
            body += _field(2, b"\x09" + value.tobytes() + b"\x10" + _varint(int(moment) // 1000))
        parts.append(_field(1, body))
    return b"".join(parts)


def _field(number: int, content: bytes) -> bytes:
    return _varint(number << 3 | 2) + _varint(len(content)) + content


def _varint(number: int) -> bytes:
    out = bytearray()
    while number > 127:
        out.append(number & 127 | 128)
        number >>= 7
    out.append(number)
    return bytes(out)
