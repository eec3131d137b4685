"""Bodies of Prometheus remote_write 1.0 and 2.0, made with numpy: many series, the same moments for each."""

from collections.abc import Iterable, Iterator, Mapping, Sequence

import cramjam
import numpy as np
from numpy.typing import NDArray

HEADERS = {"Content-Type": "application/x-protobuf", "Content-Encoding": "snappy"}
V2_HEADERS = {**HEADERS, "Content-Type": "application/x-protobuf;proto=io.prometheus.write.v2.Request"}
# A moment in milliseconds, from 2004 to 2109, takes six bytes.
_MOMENT_BYTES = 6
_SAMPLE = np.dtype(
    [("head", "V3"), ("value", "<f8"), ("moment_head", "u1"), ("moment", "u1", (_MOMENT_BYTES,))]
)


def varint(number: int) -> bytes:
    """A number as protobuf writes it."""
    result = bytearray()
    while number > 0x7F:
        result.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes((*result, number))


def field(number: int, content: bytes) -> bytes:
    """A field with a length."""
    return varint(number << 3 | 2) + varint(len(content)) + content


def label_bytes(labels: Mapping[str, str]) -> bytes:
    """The labels of a series of 1.0."""
    return b"".join(
        field(1, field(1, name.encode()) + field(2, value.encode())) for name, value in sorted(labels.items())
    )


def sample_rows(moments_ms: NDArray[np.int64], values: NDArray[np.float64]) -> NDArray[np.void]:
    """The samples of all series as fields of theirs; `values` are (series, moments)."""
    rows = np.zeros(values.shape, _SAMPLE)
    rows["head"] = np.void(b"\x12\x10\x09")
    rows["value"], rows["moment_head"] = values, 0x10
    parts = moments_ms[:, None] >> (7 * np.arange(_MOMENT_BYTES)) & 0x7F
    parts[:, :-1] |= 0x80
    rows["moment"] = parts
    return rows


def body(series: Sequence[bytes], moments_ms: NDArray[np.int64], values: NDArray[np.float64]) -> bytes:
    """A body of 1.0; `series` are their label bytes, `values` (series, moments)."""
    return _snappy(_series(1, series, moments_ms, values))


class Symbols:
    """The table of strings of 2.0."""

    def __init__(self) -> None:
        self._numbers = {"": 0}

    def refs(self, labels: Mapping[str, str]) -> bytes:
        """The labels of a series of 2.0."""
        numbers = (
            self._numbers.setdefault(text, len(self._numbers))
            for item in sorted(labels.items())
            for text in item
        )
        return field(1, b"".join(map(varint, numbers)))

    def __iter__(self) -> Iterator[str]:
        return iter(self._numbers)


def body_v2(
    symbols: Iterable[str],
    series: Sequence[bytes],
    moments_ms: NDArray[np.int64],
    values: NDArray[np.float64],
) -> bytes:
    """A body of 2.0; `series` are made by `Symbols.refs`."""
    head = b"".join(field(4, text.encode()) for text in symbols)
    return _snappy(head + _series(5, series, moments_ms, values))


def _series(
    number: int, series: Sequence[bytes], moments_ms: NDArray[np.int64], values: NDArray[np.float64]
) -> bytes:
    rows = sample_rows(moments_ms, values)
    return b"".join(field(number, labels + rows[place].tobytes()) for place, labels in enumerate(series))


def _snappy(content: bytes) -> bytes:
    return bytes(cramjam.snappy.compress_raw(content))
