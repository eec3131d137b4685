"""What the comparison does not show: what is fetched, limits, stopping, and answers worked out by hand."""

import asyncio
import contextlib
import threading

import numpy as np
import pytest

from fleetkeeper.telemetry.promql import engine, rates, windows
from fleetkeeper.telemetry.promql.deadline import Deadline
from fleetkeeper.telemetry.promql.engine import Engine
from fleetkeeper.telemetry.promql.errors import (
    BadDataError,
    ExecutionError,
    QueryCancelledError,
    QueryTimeoutError,
)
from fleetkeeper.telemetry.promql.fleet_source import joined
from fleetkeeper.telemetry.promql.queries import Limits, Query, evaluate
from fleetkeeper.telemetry.promql.samples import Samples
from fleetkeeper.telemetry.promql.source import SourceSeries
from fleetkeeper.telemetry.promql.waiting import Places
from tests.telemetry.promql.dataset import STALE
from tests.telemetry.promql.memory_source import MemorySource

SECOND = 1_000_000
MINUTE = 60 * SECOND
LOOKBACK = 5 * MINUTE


@pytest.fixture
def source() -> MemorySource:
    made = MemorySource()
    for name in ("a", "b"):
        made.add(
            {"__name__": "count", "instance": name},
            [(float(time), float(time)) for time in range(0, 3600, 10)],
        )
    made.add({"__name__": "ends", "instance": "a"}, [(0.0, 1.0), (10.0, 2.0), (20.0, STALE)])
    return made


async def instant(source, text, time, limits=None, **more):
    answer = await Engine(limits or Limits()).answer(Query.instant(text, int(time * SECOND)), source, **more)
    return {dict(item.labels).get("instance", ""): item.values[0] for item in answer.series}


async def over_range(source, text, start, end, step, limits=None):
    query = Query.over_range(text, int(start * SECOND), int(end * SECOND), int(step * SECOND), 11_000)
    return await Engine(limits or Limits()).answer(query, source)


class ImpatientDeadline(Deadline):
    """Over after so many looks."""

    def __init__(self, looks: int) -> None:
        super().__init__(1000)
        self.looks = looks

    def check(self) -> None:
        self.looks -= 1
        if self.looks < 0:
            raise QueryTimeoutError("impatient")


class TestMeaning:
    async def test_lookback_reaches_five_minutes_and_no_further(self, source):
        assert await instant(source, "count", 3590 + 300) == {"a": 3590.0, "b": 3590.0}
        assert await instant(source, "count", 3590 + 300.001) == {}

    async def test_lookback_is_a_setting(self, source):
        assert await instant(source, "count", 3590 + 61, Limits(lookback=MINUTE)) == {}

    async def test_stale_marker_ends_a_series_at_once(self, source):
        assert await instant(source, "ends", 19.999) == {"a": 2.0}
        assert await instant(source, "ends", 20) == {}
        assert await instant(source, "count_over_time(ends[1m])", 30) == {"a": 2.0}

    async def test_both_ends_of_a_window_belong_to_it(self, source):
        assert await instant(source, "count_over_time(count[20s])", 100) == {"a": 3.0, "b": 3.0}

    async def test_rate_extends_to_the_windows_limits(self, source):
        # Samples at 50 to 100: the next would lie within 1.1 of their distance, so the whole window counts.
        assert await instant(source, "increase(count[55s])", 102) == pytest.approx({"a": 55.0, "b": 55.0})

    async def test_samples_between_milliseconds_keep_their_place(self):
        made = MemorySource()
        made.add({"__name__": "x"}, [(10.0004, 1.0)])
        assert await instant(made, "x", 10) == {}
        assert await instant(made, "x", 10.001) == {"": 1.0}

    async def test_sub_second_steps(self, source):
        answer = await over_range(source, "time()", 1, 2, 0.25)
        assert answer.series[0].values.tolist() == [1.0, 1.25, 1.5, 1.75, 2.0]


class TestFetching:
    @pytest.mark.parametrize(
        ("text", "spans"),
        [
            ("count", [(1000 - 300, 2000)]),
            ("rate(count[10m])", [(1000 - 600, 2000)]),
            ("count offset 1h", [(1000 - 300 - 3600, 2000 - 3600)]),
            ("count offset -1h", [(1000 - 300 + 3600, 2000 + 3600)]),
            ("count @ 50", [(50 - 300, 50)]),
            ("rate(count[1m] @ end() offset 10s)", [(2000 - 70, 1990)]),
            ("max_over_time(rate(count[1m])[10m:30s])", [(420 - 60, 1980)]),
            ("max_over_time(rate(count[1m])[10m:30s] @ 500 offset 20s)", [(-120 - 60, 480)]),
            ("max_over_time(sum(rate(count[1m]))[10m:] offset 10m)", [(-180 - 60, 1380)]),
            ("count + count", [(700, 2000)]),
            ("count + count offset 5m", [(400, 2000)]),
            ("count + count offset 1d", [(700 - 86_400, 2000 - 86_400), (700, 2000)]),
            ("1 + time()", []),
        ],
    )
    async def test_each_selector_is_read_once_in_the_range_it_needs(self, source, text, spans):
        await over_range(source, text, 1000, 2000, 10)
        assert [(start // SECOND, (end - 1) // SECOND) for _, start, end in source.asked] == spans

    async def test_the_same_series_by_other_labels_are_asked_apart(self, source):
        await instant(source, 'count{instance="a"} + ignoring (instance) count{instance="b"}', 100)
        assert len(source.asked) == 2


class TestLimits:
    async def test_samples_that_are_read(self, source):
        with pytest.raises(ExecutionError, match="too many samples"):
            await instant(source, "count[1h]", 3600, Limits(max_samples=700))
        assert await instant(source, "sum_over_time(count[1h])", 3600, Limits(max_samples=720))

    @pytest.mark.parametrize(
        "text",
        ["count", "count @ 0", "rate(count[1m])", "count * count", "count_over_time(vector(1)[1h:1ms])",
         'count_values("v", time() + count)', "count + on () group_left vector(1)"],
    )  # fmt: skip
    async def test_cells_of_a_step(self, source, text):
        with pytest.raises(ExecutionError, match="too many"):
            await over_range(source, text, 0, 2000, 2, Limits(max_samples=1500))

    def test_points(self):
        Query.over_range("up", 0, 11_000 * SECOND, SECOND, 11_000)
        with pytest.raises(BadDataError, match="exceeded maximum resolution of 11,000 points"):
            Query.over_range("up", 0, 11_001 * SECOND, SECOND, 11_000)

    async def test_time_over(self, source):
        with pytest.raises(QueryTimeoutError, match="query timed out"):
            await instant(source, "count", 100, timeout_seconds=0)

    async def test_slow_source(self):
        class Slow:
            async def select(self, wanted):
                await asyncio.Event().wait()

        with pytest.raises(QueryTimeoutError, match="query timed out in query preparation"):
            await instant(Slow(), "count", 100, timeout_seconds=0.05)

    @pytest.mark.parametrize(
        "text",
        ["stddev_over_time(x[1h])", "stdvar_over_time(x[1h])", "deriv(x[1h])", "predict_linear(x[1h], 60)",
         "sum_over_time(y[1h])", "avg_over_time(y[1h])", "holt_winters(x[1h], 0.3, 0.4)", "deriv(z[1h])"],
    )  # fmt: skip
    async def test_long_windows_one_by_one_give_the_same(self, monkeypatch, text):
        made, chance = MemorySource(), np.random.default_rng(5)
        for name, values in (
            ("x", 1e6 + chance.normal(size=3000).cumsum()),
            ("y", np.tile([1e9, 3.0, -1e9], 1000)),
            ("z", np.full(3000, 0.1)),
        ):
            made.add({"__name__": name}, [(float(time), value) for time, value in enumerate(values)])
        one_by_one = await instant(made, text, 2999)
        monkeypatch.setattr(windows, "LONG_WINDOW", 10**9)
        monkeypatch.setattr(rates, "FEW_SPANS", 0)
        assert one_by_one == pytest.approx(await instant(made, text, 2999), rel=1e-7)

    @pytest.mark.parametrize(("steps", "window"), [(5, "1h"), (40, "5m")], ids=["one by one", "in step"])
    @pytest.mark.parametrize(
        "call", ["stddev_over_time(#)", "deriv(#)", "holt_winters(#, 0.5, 0.5)", "sum_over_time(#)"]
    )
    def test_work_on_windows_looks_at_the_clock(self, call, steps, window):
        values = np.tile([1e16, 1.0, -1e16, -1.0], 1000)
        samples = Samples.of([SourceSeries((), np.arange(4000) * SECOND, values)])
        text = call.replace("#", f"x[{window}]")
        query = Query.over_range(text, 3700 * SECOND, (3699 + steps) * SECOND, SECOND, 11_000)
        deadline = ImpatientDeadline(looks=3)
        with pytest.raises(QueryTimeoutError, match="impatient"):
            evaluate(query, Limits(), {query.expression.arguments[0]: samples}, deadline)

    async def test_cancelled_query_stops_its_thread(self, source, monkeypatch):
        begun, stopped = threading.Event(), threading.Event()

        def endless(query, limits, samples, deadline):
            begun.set()
            try:
                while True:
                    evaluate(query, limits, samples, deadline)
            except QueryCancelledError:
                stopped.set()
                raise

        monkeypatch.setattr(engine, "evaluate", endless)
        task = asyncio.ensure_future(Engine(Limits()).answer(Query.instant("count", SECOND), source))
        assert await asyncio.to_thread(begun.wait, 20)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert await asyncio.to_thread(stopped.wait, 20)

    async def test_queries_past_the_limit_wait_their_turn(self, source):
        reading, go_on = asyncio.Event(), asyncio.Event()

        class Held:
            async def select(self, wanted):
                reading.set()
                await go_on.wait()
                return [[]]

        asked = Engine(Limits(), places=Places(1))
        query = Query.instant("count", SECOND)
        first = asyncio.ensure_future(asked.answer(query, Held()))
        await asyncio.wait_for(reading.wait(), 20)
        with pytest.raises(QueryTimeoutError, match="query timed out in query queue"):
            await asked.answer(query, source, 0.01)
        go_on.set()
        assert (await first).series == []
        assert len((await asked.answer(query, source)).series) == 2

    def test_deadline_says_why(self):
        deadline = Deadline(100)
        deadline.check()
        deadline.cancel()
        with pytest.raises(QueryCancelledError):
            deadline.check()

    @pytest.mark.parametrize("text", ["x offset 200y", "x offset -200y", "x[250y] offset 250y", "x @ 9e11"])
    async def test_far_times_do_no_harm(self, source, text):
        for time in (0, 10**12, -(10**12)):
            with contextlib.suppress(BadDataError):
                assert await instant(source, text, time) == {}

    async def test_endless_subquery_is_refused(self, source):
        with pytest.raises(ExecutionError, match="too many samples"):
            await instant(source, "count_over_time(vector(1)[250y:1s])", 0)


class TestJoining:
    def test_two_devices_with_one_label_set_become_one_series(self):
        labels = (("__name__", "up"),)
        times = [np.array(part, np.int64) for part in ([1, 3], [2, 3], [])]
        values = [np.array(part, np.float64) for part in ([1, 3], [20, 30], [])]
        (series,) = joined([(labels, *pair) for pair in zip(times, values, strict=True)])
        assert series.times.tolist() == [1, 2, 3]
        assert series.values.tolist() == [1.0, 20.0, 3.0]
