"""What goes between a web process and its workers: a header, and numbers as they lie in memory behind it."""

import pickle
import socket
import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from fleetkeeper.telemetry.promql.labels import Labels
from fleetkeeper.telemetry.promql.source import SourceSeries

_LENGTHS = struct.Struct("<QQ")
# Fewer than the kernel takes at once.
_BUFFERS_AT_ONCE = 512


@dataclass(frozen=True)
class Job:
    """A query for a worker: the text, its moments, and what it may use."""

    text: str
    start: int
    interval: int
    count: int
    end: int
    is_range: bool
    seconds: float
    max_samples: int
    lookback: int
    subquery_step: int
    # Whether the answer is wanted as the API's JSON.
    rendered: bool
    # Of each selection the labels of its series, and how many samples they have.
    selections: tuple[tuple[tuple[Labels, ...], tuple[int, ...]], ...] = ()


@dataclass(frozen=True)
class Reply:
    """What became of a job. The numbers of an answer's series follow, or its JSON."""

    outcome: Literal["answer", "json", "error", "failure"]
    # An answer's kind; what an error is called.
    kind: Any = ""
    text: str = ""
    time: int = 0
    labels: tuple[Labels, ...] = ()
    counts: tuple[int, ...] = ()


class ConnectionLostError(Exception):
    """The other side is gone."""


def packed(series: Sequence[SourceSeries]) -> tuple[tuple[Labels, ...], tuple[int, ...]]:
    """What a header says of series."""
    return tuple(item.labels for item in series), tuple(len(item.times) for item in series)


def numbers_of(series: Sequence[SourceSeries]) -> Iterator[memoryview]:
    """The numbers of series, as they are sent."""
    for _, times, values in series:
        if len(times):
            yield np.ascontiguousarray(times).data.cast("B")
            yield np.ascontiguousarray(values).data.cast("B")


def unpacked(
    payload: memoryview, at: int, labels: Sequence[Labels], counts: Sequence[int]
) -> tuple[list[SourceSeries], int]:
    """Series out of what was received, and where the next ones begin. Nothing is copied."""
    found = []
    for item, count in zip(labels, counts, strict=True):
        if not count:
            # numpy makes no array out of nothing.
            found.append(SourceSeries(item, np.empty(0, np.int64), np.empty(0)))
            continue
        times = np.frombuffer(payload, np.int64, count, at)
        values = np.frombuffer(payload, np.float64, count, at + 8 * count)
        found.append(SourceSeries(item, times, values))
        at += 16 * count
    return found, at


def send(connection: socket.socket, header: Any, buffers: Sequence[memoryview] = ()) -> None:
    """Send a header and what follows. Raises ConnectionLostError."""
    head = pickle.dumps(header, protocol=5)
    lengths = _LENGTHS.pack(len(head), sum(len(item) for item in buffers))
    try:
        connection.sendall(lengths + head)
        for start in range(0, len(buffers), _BUFFERS_AT_ONCE):
            _send_all(connection, list(buffers[start : start + _BUFFERS_AT_ONCE]))
    except OSError:
        raise ConnectionLostError from None


def _send_all(connection: socket.socket, buffers: list[memoryview]) -> None:
    while buffers:
        sent = connection.sendmsg(buffers)
        while buffers and sent >= len(buffers[0]):
            sent -= len(buffers.pop(0))
        if sent:
            buffers[0] = buffers[0][sent:]


def receive(connection: socket.socket) -> tuple[Any, memoryview]:
    """A header and what follows. Raises ConnectionLostError."""
    lengths = _LENGTHS.unpack(_read(connection, _LENGTHS.size))
    # The other end of this pair of sockets is in a process that this one started, or that started this one.
    header = pickle.loads(_read(connection, lengths[0]))  # noqa: S301
    return header, _read(connection, lengths[1])


def _read(connection: socket.socket, length: int) -> memoryview:
    found = memoryview(bytearray(length))
    at = 0
    while at < length:
        try:
            count = connection.recv_into(found[at:])
        except OSError:
            raise ConnectionLostError from None
        if not count:
            raise ConnectionLostError
        at += count
    return found
