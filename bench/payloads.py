"""Requests with the same data for each system: 100 values a frame, from the simulated fleet's model."""

import time
from collections.abc import Callable, Iterator, Sequence

import msgspec
import numpy as np

from bench.load import Plan, Request
from fleetkeeper.simulation.catalog import KINDS
from fleetkeeper.simulation.fleet import Fleet
from fleetkeeper.simulation.kinds import KindName
from fleetkeeper_protocol.metrics import parse_channel

SEED = 20_260_101
VALUES = 100
STEP_MS = 100
"""Time between two frames of a device: a run's frames must not reach the present."""
SINGLE_AGE_SECONDS = 900
BATCH_AGE_SECONDS = 450
NATIVE_FRAMES = 20
"""Frames of a request with several."""
_FIRST_FRAME_AT = 1_795_132_800.0
_JSON_STAMP = "0000000000.000"
_INFLUX_STAMP = "0000000000000000000"
_WEB = next(kind for kind in KINDS if kind.name is KindName.WEB)
CHANNELS: tuple[str, ...] = _WEB.channels[:VALUES]


def device_names(devices: int) -> list[str]:
    """Host names of the devices that send."""
    return [f"bench-{number:05d}" for number in range(devices)]


def frame_values(devices: int, frames: int, interval_seconds: float = 10.0) -> np.ndarray:
    """Values of shape (devices, frames, VALUES): machines of one kind on a Wednesday."""
    model = Fleet(SEED, devices, (_WEB,)).models[0]
    times = _FIRST_FRAME_AT + interval_seconds * np.arange(frames)
    rows = []
    for position in range(devices):
        measured = model.measure(np.full(frames, position), times).values
        if len(measured) < frames:  # the device was off for a while; its last frame stands for those
            measured = np.vstack([measured, np.repeat(measured[-1:], frames - len(measured), axis=0)])
        rows.append(measured[:, :VALUES])
    return np.array(rows)


def influx_field(channel: str) -> str:
    """Return a channel's name as an Influx field: labels appended, no character that needs an escape."""
    name, labels = parse_channel(channel)
    return "_".join([name, *(value.strip("/").replace("/", "_") or "root" for value in labels.values())])


def http_request(path: str, headers: Sequence[str], body: bytes) -> bytes:
    """Return a POST as it goes over the wire."""
    lines = [f"POST {path} HTTP/1.1", "Host: 127.0.0.1", *headers, f"Content-Length: {len(body)}", "", ""]
    return "\r\n".join(lines).encode() + body


def _offsets(data: bytes, stamp: bytes) -> tuple[int, ...]:
    return tuple(_find_all(data, stamp))


def _find_all(data: bytes, stamp: bytes) -> Iterator[int]:
    at = data.find(stamp)
    while at >= 0:
        yield at
        at = data.find(stamp, at + len(stamp))


def influx_number(value: float) -> str:
    """Return a value as a float field of line protocol, in the fewest characters."""
    return str(int(value)) if value == int(value) else repr(value)


def _build(
    values: np.ndarray, frames_per_request: int, encode: Callable[[int, list[list[float]]], bytes], stamp: str
) -> list[Request]:
    devices, frames, _ = values.shape
    requests = []
    for first in range(0, frames - frames_per_request + 1, frames_per_request):
        for device in range(devices):
            data = encode(device, values[device, first : first + frames_per_request].tolist())
            offsets = _offsets(data, stamp.encode())
            assert len(offsets) == frames_per_request, "a value looks like the placeholder of the timestamp"
            requests.append(Request(bytearray(data), offsets))
    return requests


def fleetkeeper_plan(
    values: np.ndarray,
    frames_per_request: int,
    keys: Sequence[str],
    path: str = "/api/v1/telemetry",
) -> Plan:
    """Fleetkeeper's native JSON, each device with its key."""

    def encode(device: int, rows: list[list[float]]) -> bytes:
        frames = [
            b'{"ts":%s,"values":%s}'
            % (_JSON_STAMP.encode(), msgspec.json.encode(dict(zip(CHANNELS, row, strict=True))))
            for row in rows
        ]
        headers = [f"Authorization: Bearer {keys[device]}", "Content-Type: application/json"]
        return http_request(path, headers, b'{"frames":[%s]}' % b",".join(frames))

    return Plan(
        name="Fleetkeeper",
        requests=_build(values, frames_per_request, encode, _JSON_STAMP),
        devices=len(values),
        frames_per_request=frames_per_request,
        values_per_frame=VALUES,
        nanoseconds=False,
        expect=b'"accepted":%d' % frames_per_request,
        start_ms=recent_start_ms(frames_per_request),
        step_ms=STEP_MS,
    )


def influx_plan(name: str, values: np.ndarray, frames_per_request: int, path: str) -> Plan:
    """Influx line protocol: one line per frame with 100 fields, the form that costs these servers least."""
    fields = [influx_field(channel) for channel in CHANNELS]
    hosts = device_names(len(values))

    def encode(device: int, rows: list[list[float]]) -> bytes:
        lines = [
            f"fleet,host={hosts[device]} "
            + ",".join(f"{field}={influx_number(value)}" for field, value in zip(fields, row, strict=True))
            + f" {_INFLUX_STAMP}"
            for row in rows
        ]
        return http_request(path, [], "\n".join(lines).encode())

    return Plan(
        name=name,
        requests=_build(values, frames_per_request, encode, _INFLUX_STAMP),
        devices=len(values),
        frames_per_request=frames_per_request,
        values_per_frame=VALUES,
        nanoseconds=True,
        expect=b"",
        start_ms=recent_start_ms(frames_per_request),
        step_ms=STEP_MS,
    )


def recent_start_ms(frames_per_request: int) -> int:
    """Return the first frame's time: some minutes ago, as from agents that catch up after a short break.

    Requests with one frame and with several get ranges of time that do not touch.
    """
    return (int(time.time()) - (BATCH_AGE_SECONDS if frames_per_request > 1 else SINGLE_AGE_SECONDS)) * 1000
