"""Numbers and texts in Go's spelling."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fleetkeeper.telemetry.promql.formatting import format_number, format_sample, quoted
from fleetkeeper.telemetry.promql.labels import label_text, make_labels
from fleetkeeper.telemetry.promql.numbers import parse_number
from fleetkeeper.telemetry.promql.queries import Answer, ResultSeries
from fleetkeeper.telemetry.promql.rendering import render


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.0, "0"), (-0.0, "-0"), (1.0, "1"), (-2.5, "-2.5"), (0.1, "0.1"), (1e6, "1000000"), (1e-7, "0.0000001"),
        (1e21, "1000000000000000000000"), (1.5e300, "15" + "0" * 299), (2.0**53, "9007199254740992"),
        (5e-324, "0." + "0" * 323 + "5"), (float("nan"), "NaN"), (float("inf"), "+Inf"), (float("-inf"), "-Inf"),
    ],
)  # fmt: skip
def test_spelling(value, text):
    assert format_number(value) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [(6.71e-07, "6.71e-07"), (1e-6, "0.000001"), (-1e21, "-1e+21"), (1e20, "1" + "0" * 20), (0.0, "0"),
     (0.00001, "0.00001"), (5e-324, "5e-324"), (float("inf"), "+Inf"), (float("nan"), "NaN")],
)  # fmt: skip
def test_spelling_of_samples(value, text):
    assert format_sample(value) == text


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_each_number_reads_back(value):
    text = format_number(value)
    assert "e" not in text
    assert float(text) == value


@pytest.mark.parametrize(
    ("text", "value"),
    [("1", 1.0), ("+Inf", float("inf")), ("-inf", float("-inf")), ("1e3", 1000.0), ("0x1p4", 16.0), (".5", 0.5),
     ("", None), ("one", None), ("1_0", None), ("1e999", None), ("0x1p99999", None), (" 1", None)],
)  # fmt: skip
def test_reading(text, value):
    assert parse_number(text) == value


def test_quoted_text_has_gos_escapes():
    assert quoted('a"b\\c\n\x01é') == '"a\\"b\\\\c\\n\\x01é"'


def test_labels_in_messages():
    assert label_text(make_labels({"__name__": "up"})) == "up"
    assert label_text(make_labels({"__name__": "up", "b": "2", "a": "1"})) == 'up{a="1", b="2"}'
    assert label_text(()) == "{}"


def test_moments_carry_milliseconds():
    times = np.array([1_500_000, 2_000_000, 2_001_000, -500_000], np.int64)
    answer = Answer("matrix", [ResultSeries((), times, np.array([1.0, 2.5, np.nan, 0.0]))])
    assert render(answer) == (
        b'{"resultType":"matrix","result":[{"metric":{},"values":'
        b'[[1.500,"1"],[2,"2.5"],[2.001,"NaN"],[-0.500,"0"]]}]}'
    )
