"""Answers as the JSON that clients of Prometheus read."""

from collections.abc import Callable, Iterator
from functools import lru_cache
from itertools import repeat

import msgspec
import numpy as np

from fleetkeeper.telemetry.promql.formatting import format_number, format_sample
from fleetkeeper.telemetry.promql.queries import Answer, ResultSeries
from fleetkeeper.telemetry.resample import Times

_encoder = msgspec.json.Encoder()


def render(answer: Answer) -> bytes:
    """The `data` of an answer."""
    return b"".join(_pieces(answer))


def _pieces(answer: Answer) -> Iterator[bytes]:
    yield b'{"resultType":"%s","result":' % answer.kind.encode()
    if answer.kind == "string":
        yield b"[%s,%s]" % (_time(answer.time).encode(), _encoder.encode(answer.text))
    elif answer.kind == "scalar":
        yield _points(answer.series[0], format_number).encode()
    else:
        name = "value" if answer.kind == "vector" else "values"
        for index, item in enumerate(answer.series):
            points = _points(item) if answer.kind == "vector" else f"[{_points(item)}]"
            yield b"," if index else b"["
            yield b'{"metric":%s,"%s":%s}' % (
                _encoder.encode(dict(item.labels)),
                name.encode(),
                points.encode(),
            )
        yield b"]" if answer.series else b"[]"
    yield b"}"


def _points(series: ResultSeries, spelling: Callable[[float], str] = format_sample) -> str:
    values = [spelling(value) for value in series.values.tolist()]
    return ",".join(map("".join, zip(_openings(series.times), values, repeat('"]'), strict=False)))


def _openings(times: Times) -> list[str]:
    """`[1435781451.781,"` for each moment."""
    return _openings_of(times.tobytes())


@lru_cache(maxsize=4)
def _openings_of(times: bytes) -> list[str]:
    # The series of a range query mostly share their moments.
    millis = np.frombuffer(times, np.int64) // 1000
    return [f'[{_millis(moment)},"' for moment in millis.tolist()]


def _time(micros: int) -> str:
    return _millis(micros // 1000)


def _millis(millis: int) -> str:
    sign, millis = ("-", -millis) if millis < 0 else ("", millis)
    whole, rest = divmod(millis, 1000)
    return f"{sign}{whole}.{rest:03d}" if rest else f"{sign}{whole}"
