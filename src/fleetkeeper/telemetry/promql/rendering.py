"""Answers as the JSON that clients of Prometheus read."""

from collections.abc import Iterator

import msgspec

from fleetkeeper.telemetry.promql.engine import Answer, ResultSeries
from fleetkeeper.telemetry.promql.formatting import format_number

_encoder = msgspec.json.Encoder()


def render(answer: Answer) -> bytes:
    """The `data` of an answer."""
    return b"".join(_pieces(answer))


def _pieces(answer: Answer) -> Iterator[bytes]:
    yield b'{"resultType":"%s","result":' % answer.kind.encode()
    if answer.kind == "string":
        yield b"[%s,%s]" % (_time(answer.time).encode(), _encoder.encode(answer.text))
    elif answer.kind == "scalar":
        yield _points(answer.series[0]).encode()
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


def _points(series: ResultSeries) -> str:
    moments = (series.times // 1000).tolist()
    return ",".join(
        f'[{_millis(moment)},"{format_number(value)}"]'
        for moment, value in zip(moments, series.values.tolist(), strict=True)
    )


def _time(micros: int) -> str:
    return _millis(micros // 1000)


def _millis(millis: int) -> str:
    sign, millis = ("-", -millis) if millis < 0 else ("", millis)
    whole, rest = divmod(millis, 1000)
    return f"{sign}{whole}.{rest:03d}" if rest else f"{sign}{whole}"
