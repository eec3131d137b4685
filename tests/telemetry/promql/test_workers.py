"""The processes that evaluate: what becomes of a query, and of the others, when one of them dies or does not stop."""

import asyncio
import contextlib
import os
import signal
import subprocess
import sys

import numpy as np
import psutil
import pytest

from fleetkeeper.telemetry.promql import workers as module
from fleetkeeper.telemetry.promql.engine import Engine
from fleetkeeper.telemetry.promql.errors import BadDataError, ExecutionError, PromqlError, QueryTimeoutError
from fleetkeeper.telemetry.promql.parameters import Parameters
from fleetkeeper.telemetry.promql.queries import Limits, Query
from fleetkeeper.telemetry.promql.rendering import render
from fleetkeeper.telemetry.promql.waiting import Places
from fleetkeeper.telemetry.promql.workers import WorkerLimits, Workers
from tests.telemetry.promql.dataset import START, dataset
from tests.telemetry.promql.memory_source import MemorySource
from tests.telemetry.promql.until import until

NOW = (START + 3600) * 10**6
# Windows of windows, in numpy's hands for seconds at a time and in Python's in between.
SLOW = "stddev_over_time(vector(1)[5h:1s])" + " + stddev_over_time(vector(1)[5h:1s])" * 20


@pytest.fixture
async def made():
    """An engine with two workers, and its workers."""
    workers = Workers(WorkerLimits(1024), 2)
    engine = Engine(Limits(), workers, Places(2))
    yield engine, workers
    await workers.stop()
    assert workers.pids == set()


@pytest.fixture(scope="module")
def source():
    return MemorySource(dataset())


def slow(steps: int = 500) -> Query:
    return Query.over_range(SLOW, NOW, NOW + steps * 10**6, 10**6, 11_000)


@pytest.mark.parametrize(
    "text",
    ["temperature", "temperature[5m]", "sum by (instance) (rate(http_requests_total[5m]))", "1", "'text'", "nothing",
     "temperature[5m:1m]", "strange", 'label_replace(temperature, "é", "x", "room", ".*")'],
)  # fmt: skip
async def test_workers_answer_as_the_engine_does_by_itself(made, source, text):
    engine, _ = made
    query = Query.instant(text, NOW) if "é" not in text else None
    if query is None:
        with pytest.raises(ExecutionError, match="invalid destination label name"):
            await engine.answer(Query.instant(text, NOW), source)
        return
    expected = render(await Engine(Limits()).answer(query, source))
    assert render(await engine.answer(query, source)) == expected
    assert bytes(await engine.rendered(query, source)) == expected


async def test_one_worker_answers_many(made, source):
    engine, workers = made
    for _ in range(5):
        await engine.answer(Query.instant("temperature", NOW), source)
    assert len(workers.pids) == 1


async def test_a_worker_that_dies_takes_its_own_query_alone(made, source):
    engine, workers = made
    first = asyncio.ensure_future(engine.answer(slow(), source))
    await until(lambda: workers.busy)
    (victim,) = workers.busy
    second = asyncio.ensure_future(engine.answer(slow(3), source))
    await until(lambda: len(workers.busy) == 2)
    os.kill(victim, signal.SIGSEGV)
    with pytest.raises(ExecutionError, match="worker process died"):
        await first
    assert (await second).series
    assert (await engine.answer(Query.instant("1", NOW), source)).series
    assert victim not in workers.pids


async def test_an_idle_worker_that_dies_is_nobodys_error(made, source):
    engine, workers = made
    query = Query.instant("1", NOW)
    await engine.answer(query, source)
    (victim,) = workers.pids
    os.kill(victim, signal.SIGKILL)
    await until(lambda: not workers.pids)
    assert (await engine.answer(query, source)).series


async def test_a_query_whose_time_is_over_stops_by_itself(made, source):
    engine, workers = made
    await engine.answer(Query.instant("1", NOW), source)
    before = workers.pids
    with pytest.raises(QueryTimeoutError, match="query timed out in expression evaluation"):
        await engine.answer(slow(), source, 0.2)
    assert workers.pids == before


async def test_a_query_that_nobody_waits_for_stops_by_itself(made, source):
    engine, workers = made
    asked = asyncio.ensure_future(engine.answer(slow(), source))
    await until(lambda: workers.busy)
    before = workers.pids
    asked.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asked
    assert workers.pids == before
    assert not workers.busy
    assert (await engine.answer(Query.instant("1", NOW), source)).series


@pytest.mark.parametrize("is_cancelled", [False, True])
async def test_a_worker_that_does_not_stop_is_killed(made, source, monkeypatch, is_cancelled):
    monkeypatch.setattr(module, "GRACE_SECONDS", 0.05)
    engine, workers = made
    asked = asyncio.ensure_future(engine.answer(slow(), source, None if is_cancelled else 0.5))
    await until(lambda: workers.busy)
    (victim,) = workers.busy
    # It hears nothing any more, as in the middle of one long call of numpy.
    os.kill(victim, signal.SIGSTOP)
    if is_cancelled:
        asked.cancel()
    with pytest.raises(asyncio.CancelledError if is_cancelled else QueryTimeoutError):
        await asked
    assert victim not in workers.pids
    assert (await engine.answer(Query.instant("1", NOW), source)).series


async def test_memory_past_the_limit_is_that_querys_error(made, source):
    engine, _ = made
    engine.limits = Limits(max_samples=10**10)
    query = Query.instant("count_over_time((vector(1) or vector(2))[100d:100ms])", NOW)
    with pytest.raises(ExecutionError, match=r"too many samples|worker process died"):
        await engine.answer(query, source)
    assert (await engine.answer(Query.instant("1", NOW), source)).series


async def test_workers_have_no_secrets_and_stand_back(made, source, monkeypatch):
    monkeypatch.setenv("FLEETKEEPER_ADMIN_PASSWORD", "secret")
    engine, workers = made
    await engine.answer(Query.instant("1", NOW), source)
    (pid,) = workers.pids
    process = psutil.Process(pid)
    assert not [name for name in process.environ() if name.startswith("FLEETKEEPER")]
    assert process.nice() == psutil.Process().nice() + WorkerLimits().niceness
    assert process.rlimit(psutil.RLIMIT_AS) == (1024 * 2**20, 1024 * 2**20)


async def test_large_answers_come_through(made):
    engine, _ = made
    wide = MemorySource()
    for number in range(50):
        wide.add({"__name__": "x", "n": str(number)}, [(float(time), float(time)) for time in range(2000)])
    answer = await engine.answer(Query.instant("x[1h]", 2000 * 10**6), wide)
    assert sum(len(item.times) for item in answer.series) == 100_000
    assert np.array_equal(answer.series[7].values, np.arange(2000.0))


DOUBLING = 'label_join(#, "a", "", "a", "a")'


class TestBounds:
    """What multiplies is refused before it is worked out."""

    @pytest.mark.parametrize(
        "text",
        [
            "max_over_time(max_over_time(vector(1)[7d:1s])[7d:1s])",
            "max_over_time(sum_over_time(temperature[7d:1s])[7d:1s])",
            "sum_over_time(sum_over_time(sum_over_time(vector(1)[1h:1s])[1h:1s])[60d:1s])",
            "count_over_time(vector(1)[250y:1s])",
        ],
    )
    def test_subqueries_that_multiply(self, text):
        with pytest.raises(ExecutionError, match="too many samples"):
            Query.instant(text, NOW).selections(Limits())

    def test_usual_subqueries_are_let_through(self):
        query = Query.over_range(
            "max_over_time(rate(x[5m])[30d:1m])", NOW, NOW + 11_000 * 10**6, 10**6, 11_000
        )
        assert len(query.selections(Limits())) == 1

    async def test_labels_that_double(self, source):
        text = 'label_replace(temperature, "a", "0123456789", "", "")'
        for _ in range(28):
            text = DOUBLING.replace("#", text)
        with pytest.raises(ExecutionError, match=r"label values in label_join\(\) are too long"):
            await Engine(Limits()).answer(Query.instant(text, NOW), source)

    async def test_templates_that_multiply(self, source):
        text = 'label_replace(temperature, "a", "' + "x" * 2000 + '", "", "")'
        text = f'label_replace({text}, "a", "{"$1" * 1000}", "a", "(.*)")'
        with pytest.raises(ExecutionError, match=r"label values in label_replace\(\) are too long"):
            await Engine(Limits()).answer(Query.instant(text, NOW), source)

    @pytest.mark.parametrize(
        "patterns",
        [
            [r"\pL{1000}"],
            [rf"(?i)\pL{{{n}}}" for n in range(20, 30)],
            [f"a{n}" for n in range(200)],
            [r"((\pL{50}){50}){2}"],
        ],
    )
    def test_patterns_that_cost_much(self, patterns):
        inner = ",".join(f"a{number}=~`{text}`" for number, text in enumerate(patterns))
        with pytest.raises(BadDataError, match="error parsing regexp"):
            Query.instant(f"x{{{inner}}}", NOW)

    def test_patterns_of_selectors_that_come_together(self):
        costly = [f"{{a=~`x{number}(?i)\\pL{{30}}`}}" for number in range(10)]
        assert Parameters({"match[]": costly[:1]}).matcher_sets()
        with pytest.raises(BadDataError, match="patterns are too large together"):
            Parameters({"match[]": costly}).matcher_sets()
        with pytest.raises(BadDataError, match="at most 100 selectors"):
            Parameters({"match[]": ["up"] * 101}).matcher_sets()

    async def test_thousands_of_groups_take_no_memory(self, source):
        text = f"temperature{{room=~`{'(' * 900 + 'north' + ')' * 900}`}}"
        assert (await Engine(Limits()).answer(Query.instant(text, NOW), source)).series


@pytest.mark.parametrize(
    "unit",
    [
        "abs(#)",
        "(#)",
        "#+temperature",
        "-#",
        "#^temperature",
        "sum(#)",
        "max_over_time(#[5m:1m])",
        "temperature or #",
    ],
)
async def test_the_deepest_query_is_answered_by_a_worker(made, source, unit):
    engine, workers = made
    opening, closing = unit.split("#")
    for count in range(250, 0, -1):
        try:
            query = Query.instant(opening * count + "temperature" + closing * count, NOW)
            break
        except BadDataError:
            pass
    assert count > 90
    await engine.answer(Query.instant("1", NOW), source)
    before = workers.pids
    with contextlib.suppress(PromqlError):
        await engine.answer(query, source)
    assert workers.pids == before


def test_workers_import_no_more_than_they_need():
    """What a worker imports, it holds in memory and reads at its start."""
    script = "import sys, fleetkeeper.telemetry.promql.worker; print(*sys.modules)"
    imported = subprocess.run(
        [sys.executable, "-c", script], check=True, capture_output=True, text=True, timeout=60
    )
    assert not {"sqlalchemy", "fastapi", "pydantic", "psycopg"} & {*imported.stdout.split()}
