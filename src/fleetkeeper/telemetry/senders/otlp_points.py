"""What OTLP's points and attributes become: parts of a histogram or summary, and texts. Pure.

They come as the generated classes have them, or as records that read like these.
"""

import base64
import json
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from fleetkeeper.telemetry.reasons import Reason
from fleetkeeper.telemetry.senders.batches import PartError

MAX_ATTRIBUTES = 100
# Of a resource most become no labels.
MAX_RESOURCE_ATTRIBUTES = 1000
MAX_BUCKETS = 1000

# What a kind of point becomes: suffix of the name, a label of its own as `name=value`, and the value.
Parts = Iterable[tuple[str, str, float]]


def _histogram_parts(point: Any) -> Parts:
    bounds, counts = point.explicit_bounds, point.bucket_counts
    if len(bounds) > MAX_BUCKETS:
        raise PartError(Reason.BAD_POINT, f"a histogram has at most {MAX_BUCKETS} buckets")
    if counts and len(counts) != len(bounds) + 1:
        raise PartError(Reason.BAD_POINT, "a histogram has not one bucket more than bounds")
    if counts:
        running = 0
        for bound, count in zip(bounds, counts, strict=False):
            running += count
            yield "_bucket", f"le={_decimal(bound)}", float(running)
    yield "_bucket", "le=+Inf", float(point.count)
    yield from _totals(point)


def _totals(point: Any) -> Parts:
    yield "_count", "", float(point.count)
    if point.HasField("sum"):
        yield "_sum", "", point.sum


def _summary_parts(point: Any) -> Parts:
    if len(point.quantile_values) > MAX_BUCKETS:
        raise PartError(Reason.BAD_POINT, f"a summary has at most {MAX_BUCKETS} quantiles")
    for item in point.quantile_values:
        yield "", f"quantile={_decimal(item.quantile)}", item.value
    yield "_count", "", float(point.count)
    yield "_sum", "", point.sum


POINTS: Mapping[str, Any] = {
    "histogram": _histogram_parts,
    "exponential_histogram": _totals,
    "summary": _summary_parts,
}


def _decimal(number: float) -> str:
    """A bound as Prometheus writes it: no exponent, no needless zeros."""
    if not np.isfinite(number):
        return "+Inf" if number > 0 else ("-Inf" if number < 0 else "NaN")
    return str(np.format_float_positional(number, trim="-"))


def pairs_of(attributes: Any, most: int = MAX_ATTRIBUTES) -> tuple[tuple[str, str], ...]:
    """Attributes in order, their values as texts. Raises PartError where there are too many."""
    if len(attributes) > most:
        raise PartError(
            Reason.TOO_MANY_LABELS, f"a resource, scope or data point has at most {most} attributes"
        )
    return tuple(sorted([(item.key, _text(item.value)) for item in attributes]))


def texts_of(pairs: Iterable[tuple[str, str]]) -> dict[str, str]:
    """Attributes by their names. Of one that stands several times all values count, as Prometheus joins them."""
    found: dict[str, str] = {}
    for key, text in pairs:
        found[key] = f"{found[key]};{text}" if key in found else text
    return found


def _text(value: Any) -> str:
    kind = value.WhichOneof("value")
    if kind == "string_value":
        return str(value.string_value)
    plain = _plain(value)
    if isinstance(plain, str):
        return plain
    return json.dumps(plain, separators=(",", ":"), ensure_ascii=False)


def _plain(value: Any) -> Any:
    kind = value.WhichOneof("value")
    if kind is None:
        return ""
    if kind == "array_value":
        return [_plain(item) for item in value.array_value.values]
    if kind == "kvlist_value":
        return {item.key: _plain(item.value) for item in value.kvlist_value.values}
    if kind == "bytes_value":
        return base64.b64encode(value.bytes_value).decode()
    return getattr(value, kind)
