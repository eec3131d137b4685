"""The fast reading of OTLP's JSON against the generated classes: the same series, samples and refusals."""

import json
from copy import deepcopy
from unittest import mock

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fleetkeeper.telemetry.senders import otlp
from fleetkeeper.telemetry.senders.batches import SenderInputError, SeriesCache
from fleetkeeper.telemetry.senders.effort import Effort
from fleetkeeper.telemetry.senders.otlp_json import decode_usual, split_usual

STAMP = "1795132800000000000"
# What stands where something else is usual: odd spellings that protobuf's JSON has, and what it refuses.
ODD = (
    None, True, False, "true", [], {}, "", "a", "a b", "ü", "a\x00b", "\ud800", "x", [None], [5], {"x": 1},
    0, 7, -1, 1.0, 1e3, 1.5, -0.0, 5e-324, 2**32, 2**63, 2**64 - 1, 2**64, 10**30, 10**400,
    "0", "5", "-5", "05", "+5", " 5", "5.0", "\u0665", "1_0", "1.5", "NaN", "Infinity",
    str(2**63), str(2**64 - 1), str(2**64), "9" * 19, "9" * 30, 3, "AGGREGATION_TEMPORALITY_DELTA", ["1", 2, 3],
    {"stringValue": "b", "intValue": "1"}, {"bytesValue": "AAE="}, {"arrayValue": {"values": [{"intValue": "1"}]}},
)  # fmt: skip
# Fields that are not usual, or not beside others.
ADDED = (
    ("exemplars", []), ("exemplars", [{"asDouble": 1.0}]), ("exemplars", [5]), ("time_unix_nano", STAMP), ("x", 1),
    ("asInt", "5"), ("asDouble", 2.5), ("flags", 1), ("flags", "1"), ("unit", "By"), ("metadata", []), ("scope", {}),
    ("gauge", {}), ("sum", {"dataPoints": []}), ("summary", {"dataPoints": [{"timeUnixNano": STAMP, "sum": 2.0}]}),
    ("stringValue", "a"), ("doubleValue", 2), ("boolValue", True), ("intValue", 5), ("schemaUrl", "x"),
    ("droppedAttributesCount", 1), ("droppedAttributesCount", -1), ("min", 1), ("max", "NaN"),
)  # fmt: skip

value_of = st.sampled_from(
    [
        {"stringValue": "b"},
        {"stringValue": "c"},
        {"boolValue": True},
        {"intValue": "-5"},
        {"doubleValue": 2.5},
    ]
)
attributes = st.lists(st.fixed_dictionaries({"key": st.sampled_from("ab"), "value": value_of}), max_size=2)
point = {"timeUnixNano": st.just(STAMP), "attributes": attributes}
start = {"startTimeUnixNano": st.just(STAMP), "flags": st.sampled_from((0, 1))}
number_points = st.lists(
    st.one_of(
        st.fixed_dictionaries({**point, "asDouble": st.sampled_from((0, 1.5))}, optional=start),
        st.fixed_dictionaries({**point, "asInt": st.sampled_from((3, "5", "-5"))}, optional=start),
    ),
    min_size=1,
    max_size=2,
)
histogram_points = st.lists(
    st.fixed_dictionaries(
        {**point, "count": st.sampled_from((3, "3"))},
        optional={
            **start,
            "sum": st.just(4.5),
            "bucketCounts": st.just(["1", 2]),
            "explicitBounds": st.just([2.5]),
        },
    ),
    max_size=2,
)
temporality = st.sampled_from((1, 2, "AGGREGATION_TEMPORALITY_DELTA", "AGGREGATION_TEMPORALITY_CUMULATIVE"))
kinds = {
    "gauge": {"dataPoints": number_points},
    "sum": {"dataPoints": number_points, "aggregationTemporality": temporality, "isMonotonic": st.booleans()},
    "histogram": {"dataPoints": histogram_points, "aggregationTemporality": temporality},
}
metric = st.one_of(
    *(
        st.fixed_dictionaries(
            {"name": st.sampled_from(("m", "n")), name: st.fixed_dictionaries(kind)},
            optional={"unit": st.just("s"), "description": st.just("d")},
        )
        for name, kind in kinds.items()
    )
)
scope = st.fixed_dictionaries({"metrics": st.lists(metric, min_size=1, max_size=3)})
resource = st.fixed_dictionaries(
    {"scopeMetrics": st.lists(scope, min_size=1, max_size=2)},
    optional={"resource": st.fixed_dictionaries({"attributes": attributes})},
)
request = st.fixed_dictionaries({"resourceMetrics": st.lists(resource, min_size=1, max_size=2)})
changes = st.lists(
    st.tuples(st.integers(0, 10**6), st.sampled_from([*((None, value) for value in ODD), *ADDED])), max_size=2
)


def places(node):
    """All containers of a document with their keys."""
    keys = node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ()
    found = []
    for key, inner in list(keys):
        found += [(node, key), *places(inner)]
    return found


def changed(document, wanted):
    """The document with values replaced, or fields added where those values stand."""
    document = json.loads(json.dumps(document))
    for number, (name, value) in wanted:
        some = places(document)
        if not some:
            continue
        container, key = some[number % len(some)]
        if name is None:
            container[key] = deepcopy(value)
        elif isinstance(container, dict):
            container[name] = deepcopy(value)
    return document


def outcome(body: bytes) -> object:
    """All that was read, bit by bit, or the refusal."""
    try:
        batch = otlp.read_json(body, SeriesCache(), effort=Effort(1000))
    except SenderInputError as error:
        return type(error), str(error)
    series = [(dict(one.labels or {}), dict(one.origin or {})) for one in batch.series]
    rest = batch.times_us.tobytes(), batch.values.tobytes(), batch.starts.tobytes()
    return series, rest, batch.meanings, batch.left_out


@given(request, changes)
@settings(max_examples=400, deadline=None)
def test_the_same_as_the_generated_classes_read(document, wanted):
    body = json.dumps(changed(document, wanted)).encode()
    assert wanted or all(decode_usual(resource) is not None for resource in split_usual(body) or [b""])
    fast = outcome(body)
    with mock.patch.object(otlp, "split_usual", return_value=None):
        assert outcome(body) == fast


@given(request)
@settings(max_examples=100, deadline=None)
def test_the_same_where_a_large_one_is_looked_at_part_by_part(document):
    body = json.dumps(document).encode()
    with mock.patch.object(otlp, "split_usual", return_value=None):
        whole = outcome(body)
        with mock.patch.object(otlp, "MAX_WHOLE_JSON_BYTES", 0):
            assert outcome(body) == whole


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
    monkeypatch.setattr(otlp, "Salvage", None)
    assert otlp.read_json(body, SeriesCache(), effort=Effort(10)).values.tolist() == [
        1.5,
        1.5,
        1.0,
        3.0,
        3.0,
        4.5,
    ]


@pytest.mark.parametrize(
    "body", [b"", b"{", b"[]", b'{"a": 1}', b"{}{}", b'{"resourceMetrics": null}', b"\xff"]
)
def test_what_is_not_usual_is_left_to_them(body):
    assert split_usual(body) is None
