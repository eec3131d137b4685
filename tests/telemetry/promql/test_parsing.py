"""From text to expressions, and what is refused before the parser sees it."""

import contextlib
import subprocess
import sys

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from fleetkeeper.telemetry.matchers import Matcher
from fleetkeeper.telemetry.promql.errors import BadDataError
from fleetkeeper.telemetry.promql.expressions import Binary, Call, Selector, Subquery, kind_of
from fleetkeeper.telemetry.promql.lexing import MAX_QUERY_LENGTH
from fleetkeeper.telemetry.promql.parameters import Parameters
from fleetkeeper.telemetry.promql.parsing import MAX_NESTING, parse_query
from fleetkeeper.telemetry.promql.selectors import parse_selector
from tests.telemetry.promql.queries import BOTH_FORMS, INSTANT_ONLY

MINUTE = 60_000_000
DAMAGE = ("", "(", ")", "[", "5m", '"', "\\", "{")
NESTED = ("abs(#)", "(#)", "#+a", "-#", "#^a", "sum(#)", "max_over_time(#[5m:1m])", "a or #")
NO_TIMES = ("", "soon", "NaN", "Inf", "1e300", "2015-07-01", "2015-07-01T20:10:30", "٣", "0x1")


class TestExpressions:
    def test_selector(self):
        node = parse_query('up{job=~"a|b",x!="1"} offset -5m @ 1.5')
        assert isinstance(node, Selector)
        assert set(node.matchers) == {
            Matcher("__name__", "=", "up"),
            Matcher("job", "=~", "a|b"),
            Matcher("x", "!=", "1"),
        }
        assert (node.offset, node.at, node.range) == (-5 * MINUTE, 1_500_000, 0)

    def test_subquery_without_step(self):
        node = parse_query("max_over_time(up[1h:] @ end() offset 1m)")
        assert isinstance(node, Call)
        (inner,) = node.arguments
        assert isinstance(inner, Subquery)
        assert (inner.range, inner.step, inner.offset, inner.at) == (60 * MINUTE, 0, MINUTE, "end")

    def test_matching(self):
        node = parse_query("a * on (x, y) group_right (z) b")
        assert isinstance(node, Binary)
        matching = node.matching
        assert (matching.on, matching.labels, matching.many, matching.include) == (
            True,
            ("x", "y"),
            "right",
            ("z",),
        )

    @pytest.mark.parametrize(
        ("text", "kind"),
        [("1", "scalar"), ("-time()", "scalar"), ("1 + 1", "scalar"), ("1 + up", "vector"), ("up[1m]", "matrix"),
         ("up[1m:]", "matrix"), ("'x'", "string"), ("sum(up)", "vector"), ("-up", "vector"), ("scalar(up)", "scalar")],
    )  # fmt: skip
    def test_kinds(self, text, kind):
        assert kind_of(parse_query(text)) == kind

    def test_newer_name_of_a_function_is_understood(self):
        node = parse_query("double_exponential_smoothing(up[1m], 0.1, 0.1)")
        assert isinstance(node, Call)
        assert node.function == "holt_winters"

    @pytest.mark.parametrize(
        "text", ["mad_over_time(up[1m])", "limitk(1, up)", 'up{a="b" or a="c"}', "info(up)"]
    )
    def test_what_prometheus_2_42_does_not_know_is_refused(self, text):
        with pytest.raises(BadDataError, match="parse error"):
            parse_query(text)

    def test_series_selector(self):
        assert parse_selector("{job='x'}") == (Matcher("job", "=", "x"),)
        for text in ("up offset 5m", "up @ 5", "1", "sum(up)", "up[5m]"):
            with pytest.raises(BadDataError, match="no series selector"):
                parse_selector(text)


class TestHostileTexts:
    @pytest.mark.parametrize(
        "text",
        ["(" * 9000, "-" * 60_000 + "1", "a" + "+a" * 9000, "abs(" * 9000 + "a" + ")" * 9000, "a" + " or a" * 5000,
         "a" + "^a" * 9000, "x" * (MAX_QUERY_LENGTH + 1)],
        ids=lambda text: text[:5],
    )  # fmt: skip
    def test_too_deep_or_long(self, text):
        with pytest.raises(BadDataError):
            parse_query(text)

    @pytest.mark.parametrize("unit", NESTED)
    def test_the_deepest_that_is_let_through_harms_nothing(self, unit):
        """In a process of its own: a stack that overflows takes the process with it."""
        before, after = unit.split("#")
        script = f"""
import asyncio
from fleetkeeper.telemetry.promql.engine import Engine
from fleetkeeper.telemetry.promql.queries import Limits, Query
from fleetkeeper.telemetry.promql.errors import BadDataError, PromqlError
from tests.telemetry.promql.memory_source import MemorySource
for count in range({MAX_NESTING}, 0, -1):
    try:
        query = Query.instant({before!r} * count + "a" + {after!r} * count, 0)
        break
    except BadDataError:
        pass
assert count > 50, count
try:
    asyncio.run(Engine(Limits()).answer(query, MemorySource()))
except PromqlError as error:
    print(error)
"""
        subprocess.run([sys.executable, "-c", script], check=True, timeout=60)

    @given(st.text(alphabet="ab()[]{}\"'`=~!+-*/%^<>@:,0159.smh \\\n#é\x00", max_size=60))
    @example("a{b='\\xff'}")
    @example("a[18446744073709551615y]")
    @example("a offset 9999999y")
    @example("a @ 1e20")
    @example("a @ -1e15")
    def test_any_text_parses_or_is_refused(self, text):
        with contextlib.suppress(BadDataError):
            kind_of(parse_query(text))

    @given(st.sampled_from([*BOTH_FORMS, *INSTANT_ONLY]), st.randoms(use_true_random=False))
    def test_damaged_queries_parse_or_are_refused(self, text, chance):
        place = chance.randrange(len(text))
        damaged = (
            text[:place]
            + chance.choice(["", "(", ")", "[", "5m", '"', "\\", "{"])
            + text[place + chance.randrange(3) :]
        )
        with contextlib.suppress(BadDataError):
            parse_query(damaged)


class TestParameters:
    @pytest.mark.parametrize(
        ("text", "micros"),
        [("1.5", 1_500_000), ("1435781430.781", 1_435_781_430_781_000), ("-3", -3_000_000), ("1e3", 1_000_000_000),
         ("2015-07-01T20:10:30.781Z", 1_435_781_430_781_000), ("2015-07-01T22:10:30+02:00", 1_435_781_430_000_000),
         ("0.0004", 0)],
    )  # fmt: skip
    def test_times(self, text, micros):
        assert Parameters({"time": [text]}).time("time") == micros

    @pytest.mark.parametrize("text", NO_TIMES)
    def test_wrong_times(self, text):
        with pytest.raises(BadDataError, match='invalid parameter "time": cannot parse'):
            Parameters({"time": [text]}).time("time")

    @pytest.mark.parametrize(
        ("text", "micros"),
        [("15", 15_000_000), ("0.5", 500_000), ("1m", MINUTE), ("1h30m", 90 * MINUTE), ("1d", 1440 * MINUTE),
         ("5ms", 5000), ("0", 0), ("1y", 525_600 * MINUTE)],
    )  # fmt: skip
    def test_durations(self, text, micros):
        assert Parameters({"step": [text]}).duration("step") == micros

    @pytest.mark.parametrize(
        "text", ["", "x", "1x", "m", "1m1h", "NaN", "1e300", "9" * 200 + "d", "99999999999y"]
    )
    def test_wrong_durations(self, text):
        with pytest.raises(BadDataError, match='invalid parameter "step": cannot parse'):
            Parameters({"step": [text]}).duration("step")
