"""The fast reading of OTLP's JSON against the generated classes: the same series, samples and refusals."""

import json
from unittest import mock

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fleetkeeper.telemetry.senders import otlp
from fleetkeeper.telemetry.senders.batches import SenderInputError
from fleetkeeper.telemetry.senders.otlp_json import decode_usual

STAMP = "1795132800000000000"
_SIGNED = (
    7,
    -1,
    "5",
    "-5",
    "0",
    "05",
    "+5",
    " 5",
    "5.0",
    "",
    "\u0665",
    1.0,
    1.5,
    2**63,
    str(2**63),
    True,
    [],
)
_UNSIGNED = (
    0,
    3,
    "3",
    STAMP,
    2**64 - 1,
    str(2**64 - 1),
    2**64,
    str(2**64),
    -1,
    "-1",
    "x",
    "",
    1e3,
    False,
    {},
)
_DOUBLES = (0, -0.0, 1.5, 10**30, 10**400, "1.5", "NaN", "Infinity", "x", "", True, 5e-324, None)
_TEXTS = ("", "a", "a b", "ü", "a\x00b", "\ud800", 5, True, None)
_TEMPORALITIES = (
    0,
    1,
    2,
    3,
    -1,
    "AGGREGATION_TEMPORALITY_DELTA",
    "AGGREGATION_TEMPORALITY_CUMULATIVE",
    "x",
    1.0,
)


def some(required, **optional):
    """Objects with some of these fields; nearly always with what is usual."""
    return st.fixed_dictionaries(required, optional=optional)


def usually(value, others):
    return st.one_of(st.just(value), st.just(value), st.just(value), st.sampled_from(others))


unknown = st.sampled_from([{"x": 1}, [], "x", None])
value_of = st.one_of(
    usually({"stringValue": "b"}, [{}, {"stringValue": 5}, {"boolValue": True}, {"boolValue": "true"}, None, "b",
                                   {"doubleValue": 2.5}, {"string_value": "b"}, {"unknown": 1},
                                   {"stringValue": "b", "intValue": "1"}, {"bytesValue": "AAE="},
                                   {"arrayValue": {"values": [{"intValue": "1"}]}}]),
    st.sampled_from(_SIGNED).map(lambda number: {"intValue": number}),
    st.sampled_from(_DOUBLES).map(lambda number: {"doubleValue": number}),
    st.sampled_from(_TEXTS).map(lambda text: {"stringValue": text}),
)  # fmt: skip
attributes = st.lists(some({"key": usually("a", _TEXTS)}, value=value_of), max_size=2)
point = {
    "attributes": attributes,
    "startTimeUnixNano": usually(STAMP, _UNSIGNED),
    "flags": usually(0, (1, "1", -1, 2**32, 1.0)),
    "exemplars": st.sampled_from([[], [{"asDouble": 1.0}], [5]]),
    "time_unix_nano": st.just(STAMP),
    "unknown": unknown,
}
stamp = usually(STAMP, _UNSIGNED)
number_points = st.lists(
    st.one_of(
        some({"timeUnixNano": stamp, "asDouble": usually(1.5, _DOUBLES)}, **point),
        some({"timeUnixNano": stamp, "asInt": usually("5", _SIGNED)}, **point),
        some(
            {"timeUnixNano": stamp, "asInt": usually("5", _SIGNED), "asDouble": usually(1.5, _DOUBLES)},
            **point,
        ),
        some({"timeUnixNano": stamp}, **point),
    ),
    max_size=3,
)
histogram_points = st.lists(
    some(
        {"timeUnixNano": stamp, "count": usually("3", _UNSIGNED)},
        sum=usually(1.5, _DOUBLES),
        min=usually(0.5, _DOUBLES),
        max=usually(0.5, _DOUBLES),
        bucketCounts=usually(["1", 2], [["x"], [-1], [1], [1, 2, 3], [None], "12"]),
        explicitBounds=usually([2.5], [[], ["NaN"], ["x"], [1, 2], 5]),
        **point,
    ),
    max_size=2,
)
temporality = usually(2, _TEMPORALITIES)
kinds = {
    "gauge": some({"dataPoints": number_points}, unknown=unknown),
    "sum": some(
        {"dataPoints": number_points},
        aggregationTemporality=temporality,
        isMonotonic=usually(True, (False, "true", 1, None)),
    ),
    "histogram": some({"dataPoints": histogram_points}, aggregationTemporality=temporality),
    "summary": st.just({"dataPoints": [{"timeUnixNano": STAMP, "count": "1", "sum": 2.0}]}),
}
metric = st.one_of(
    *(
        some(
            {"name": usually("m", _TEXTS), name: kind},
            unit=usually("s", _TEXTS),
            description=usually("d", _TEXTS),
            metadata=attributes,
        )
        for name, kind in kinds.items()
    ),
    some({"name": st.just("two"), "gauge": kinds["gauge"], "sum": kinds["sum"]}),
    some({"name": st.just("none")}),
)
scope = some({"metrics": st.lists(metric, max_size=3)}, schemaUrl=usually("x", _TEXTS), scope=unknown)
resource = some({"attributes": attributes}, droppedAttributesCount=usually(1, (-1, "1", 2**32, None)))
request = some(
    {
        "resourceMetrics": st.lists(
            some({"scopeMetrics": st.lists(scope, max_size=2)}, resource=resource), max_size=2
        )
    },
    unknown=unknown,
)


def outcome(body: bytes) -> object:
    """All that was read, bit by bit, or the refusal."""
    try:
        batch = otlp.read_json(body, {}, max_samples=1000)
    except SenderInputError as error:
        return type(error), str(error)
    series = [(dict(one.labels or {}), dict(one.origin or {})) for one in batch.series]
    rest = batch.times_us.tobytes(), batch.values.tobytes(), batch.starts.tobytes()
    return series, rest, batch.meanings, batch.left_out


@given(request)
@settings(max_examples=1500, deadline=None)
def test_the_same_as_the_generated_classes_read(wanted):
    body = json.dumps(wanted).encode()
    fast = outcome(body)
    with mock.patch.object(otlp, "decode_usual", return_value=None):
        assert outcome(body) == fast


def test_what_is_usual_needs_no_generated_classes(monkeypatch):
    points = [
        {"timeUnixNano": STAMP, "asDouble": 1.5, "attributes": [{"key": "a", "value": {"stringValue": "b"}}]}
    ]
    histogram = {
        "timeUnixNano": STAMP,
        "count": "3",
        "sum": 4.5,
        "bucketCounts": ["1", "2"],
        "explicitBounds": [2.5],
    }
    metrics = [
        {"name": "g", "unit": "s", "gauge": {"dataPoints": points}},
        {"name": "s", "sum": {"dataPoints": points, "aggregationTemporality": 2, "isMonotonic": True}},
        {"name": "h", "histogram": {"dataPoints": [histogram], "aggregationTemporality": 2}},
    ]
    resource = {"attributes": [{"key": "host.name", "value": {"stringValue": "web1"}}]}
    scope = {"scope": {"name": "x", "version": "1"}, "metrics": metrics}
    body = json.dumps({"resourceMetrics": [{"resource": resource, "scopeMetrics": [scope]}]}).encode()
    monkeypatch.setattr(otlp, "json_format", None)
    assert otlp.read_json(body, {}, max_samples=10).values.tolist() == [1.5, 1.5, 1.0, 3.0, 3.0, 4.5]


@pytest.mark.parametrize(
    "body", [b"", b"{", b"[]", b'{"a": 1}', b"{}{}", b'{"resourceMetrics": null}', b"\xff"]
)
def test_what_is_not_usual_is_left_to_them(body):
    assert decode_usual(body) is None
