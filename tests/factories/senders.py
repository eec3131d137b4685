"""Bodies as senders make them, built by hand from the specifications."""

import struct
import time
from collections.abc import Iterable, Mapping, Sequence

import cramjam

WRITE = "/prometheus/api/v1/write"
V2 = "application/x-protobuf;proto=io.prometheus.write.v2.Request"


def now_ms() -> int:
    return time.time_ns() // 1_000_000


def varint(number: int) -> bytes:
    number &= (1 << 64) - 1
    result = bytearray()
    while number > 0x7F:
        result.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes((*result, number))


def field(number: int, content: bytes) -> bytes:
    return varint(number << 3 | 2) + varint(len(content)) + content


def sample(milliseconds: int, value: float) -> bytes:
    """A sample; like every sender's, without its value when all bits of that are zero."""
    number = struct.pack("<d", value)
    return (b"\x09" + number if any(number) else b"") + b"\x10" + varint(milliseconds)


def series(labels: Mapping[str, str], samples: Iterable[tuple[int, float]], more: bytes = b"") -> bytes:
    """A TimeSeries of remote_write 1.0, as a field of its request."""
    content = b"".join(
        field(1, field(1, name.encode()) + field(2, value.encode())) for name, value in labels.items()
    )
    return field(1, content + b"".join(field(2, sample(*item)) for item in samples) + more)


def metadata(name: str, kind: int, text: str, unit: str = "") -> bytes:
    content = b"\x08" + varint(kind) + field(2, name.encode()) + field(4, text.encode())
    return field(3, content + field(5, unit.encode()))


class Symbols(list[str]):
    """The table of remote_write 2.0."""

    def __init__(self) -> None:
        super().__init__([""])

    def ref(self, text: str) -> bytes:
        if text not in self:
            self.append(text)
        return varint(self.index(text))


def request_v2(
    rows: Sequence[tuple[Mapping[str, str], Sequence[tuple[int, float]]]],
    meaning: tuple[int, str, str] | None = None,
) -> bytes:
    """A request of remote_write 2.0; `meaning` is type, help and unit of all its series."""
    symbols, content = Symbols(), b""
    for labels, samples in rows:
        refs = b"".join(symbols.ref(name) + symbols.ref(value) for name, value in labels.items())
        part = field(1, refs) + b"".join(field(2, sample(*item)) for item in samples)
        if meaning:
            kind, text, unit = meaning
            refs = b"\x08" + varint(kind) + b"\x18" + symbols.ref(text) + b"\x20" + symbols.ref(unit)
            part += field(5, refs)
        content += field(5, part)
    return b"".join(field(4, text.encode()) for text in symbols) + content


def snappy(body: bytes) -> bytes:
    return bytes(cramjam.snappy.compress_raw(body))


def headers_of(content_type: str = "application/x-protobuf") -> dict[str, str]:
    return {"Content-Type": content_type, "Content-Encoding": "snappy"}
