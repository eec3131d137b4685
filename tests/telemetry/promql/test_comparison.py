"""The same queries to a real Prometheus and to the engine, with the same samples in both."""

import asyncio
import json
import math
import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest

from fleetkeeper.telemetry.promql.engine import Engine
from fleetkeeper.telemetry.promql.errors import BadDataError, PromqlError
from fleetkeeper.telemetry.promql.layout import prettify
from fleetkeeper.telemetry.promql.queries import Limits, Query
from fleetkeeper.telemetry.promql.rendering import render
from tests.telemetry.promql.dataset import DURATION, START, dataset
from tests.telemetry.promql.generated import generated_queries
from tests.telemetry.promql.literals import literal_queries
from tests.telemetry.promql.memory_source import MemorySource
from tests.telemetry.promql.peer import find_prometheus, prometheus
from tests.telemetry.promql.queries import BOTH_FORMS, INSTANT_ONLY

RELATIVE, ABSOLUTE = 1e-9, 1e-12
GENERATED = int(os.environ.get("FLEETKEEPER_PROMQL_QUERIES", "600"))
MOMENTS = (START + 3600.0, START + 5123.457)
RANGES = ((START + 600.0, START + 6600.0, 300.0), (START + 3001.5, START + 3301.0, 7.25))

# Both answer; they differ, and why.
KNOWN = {
    "predict_linear(rising[10m] @ 1700003600, 60)": "Prometheus 2.42 moves the window off the moment at each step",
}

# A sign without effect, a name in braces and a matching without effect are left out.
OTHER_LAYOUT = {"+up", "+ up", "up ++ up", "{__name__='up'}", '{__name__="up"}', "up * on () 1"}

Ask = tuple[str, dict[str, str]]
LIMITS = Limits()


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    program = find_prometheus()
    if program is None:
        pytest.skip("no Prometheus: put it on PATH or name its directory in FLEETKEEPER_PEERS")
    with prometheus(program, tmp_path_factory.mktemp("prometheus"), dataset()) as running:
        yield running


def asks(text: str, *, instant_only: bool = False) -> list[Ask]:
    """All ways in which a text is asked."""
    found: list[Ask] = [("query", {"query": text, "time": str(moment)}) for moment in MOMENTS]
    if not instant_only:
        for start, end, step in RANGES:
            found.append(
                ("query_range", {"query": text, "start": str(start), "end": str(end), "step": str(step)})
            )
    return found


def own_answer(engine: Engine, source: MemorySource, ask: Ask) -> dict[str, Any]:
    """The engine's answer in the API's shape."""
    form, parameters = ask
    micros = {key: round(float(value) * 1000) * 1000 for key, value in parameters.items() if key != "query"}
    try:
        if form == "query":
            query = Query.instant(parameters["query"], micros["time"])
        else:
            query = Query.over_range(
                parameters["query"], micros["start"], micros["end"], micros["step"], 11_000
            )
        answer = asyncio.run(engine.answer(query, source))
    except PromqlError as error:
        return {"status": "error", "errorType": error.kind, "error": str(error)}
    return {"status": "success", "data": json.loads(render(answer))}


def difference(theirs: dict[str, Any], ours: dict[str, Any], *, ordered: bool) -> str:
    """What differs; nothing when the answers agree."""
    if theirs["status"] != ours["status"]:
        return (
            f"status: {theirs['status']} {theirs.get('error', '')} | {ours['status']} {ours.get('error', '')}"
        )
    if theirs["status"] == "error":
        return "" if theirs["errorType"] == ours["errorType"] else f"{theirs['error']} | {ours['error']}"
    return results_differ(theirs["data"], ours["data"], ordered=ordered)


def results_differ(theirs: dict[str, Any], ours: dict[str, Any], *, ordered: bool) -> str:
    kind, left, right = theirs["resultType"], theirs["result"], ours["result"]
    if kind != ours["resultType"]:
        return f"type: {kind} | {ours['resultType']}"
    if kind == "string":
        return "" if left == right else f"{left} | {right}"
    if kind == "scalar":
        return points_differ([left], [right])
    return series_differ(series_of(theirs), series_of(ours), ordered=ordered)


def series_of(data: dict[str, Any]) -> list[tuple[str, list[Any]]]:
    """Labels as text, and points."""
    return [
        (json.dumps(item["metric"], sort_keys=True), item["values"] if "values" in item else [item["value"]])
        for item in data["result"]
    ]


def series_differ(
    left: list[tuple[str, list[Any]]], right: list[tuple[str, list[Any]]], *, ordered: bool
) -> str:
    names, other_names = [name for name, _ in left], [name for name, _ in right]
    if ordered and names != other_names:
        return f"order: {names} | {other_names}"
    if sorted(names) != sorted(other_names):
        missing, added = set(names) - set(other_names), set(other_names) - set(names)
        return f"series: missing {sorted(missing)[:3]}, too many {sorted(added)[:3]}"
    found = dict(right)
    texts = ((name, points_differ(points, found[name])) for name, points in left)
    return next((f"{name}: {text}" for name, text in texts if text), "")


def points_differ(left: list[Any], right: list[Any]) -> str:
    if [time for time, _ in left] != [time for time, _ in right]:
        return f"times: {len(left)} | {len(right)}: {left[:3]} | {right[:3]}"
    for (time, a), (_, b) in zip(left, right, strict=True):
        if a == b:
            continue
        x, y = float(a), float(b)
        if math.isnan(x) and math.isnan(y):
            continue
        if not math.isclose(x, y, rel_tol=RELATIVE, abs_tol=ABSOLUTE):
            return f"at {time}: {a} | {b}"
    return ""


def compare(address: str, all_asks: list[Ask]) -> list[str]:
    """Lines about all that differ."""
    source = MemorySource(dataset())
    engine = Engine(LIMITS)
    with httpx.Client(base_url=f"{address}/api/v1", timeout=60) as client, ThreadPoolExecutor(4) as pool:
        theirs = pool.map(lambda ask: client.post(ask[0], data=ask[1]).json(), all_asks)
        lines = []
        for ask, their in zip(all_asks, theirs, strict=True):
            ordered = ask[0] == "query" and ask[1]["query"].startswith(("sort", "topk(2", "bottomk(2"))
            text = difference(their, own_answer(engine, source, ask), ordered=ordered)
            if text and ask[1]["query"] not in KNOWN:
                lines.append(f"{ask[1]['query']} ({ask[0]}): {text[:600]}")
    return lines


def report(
    name: str, texts: list[str], all_asks: list[Ask], lines: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    with capsys.disabled():
        agree = len(all_asks) - len(lines)
        print(f"\n{name}: {agree} of {len(all_asks)} queries agree with Prometheus ({len(texts)} texts)")
    assert not lines, "\n".join(lines[:40])


def test_picked_queries_agree(address: str, capsys: pytest.CaptureFixture[str]) -> None:
    texts = [*INSTANT_ONLY, *BOTH_FORMS]
    assert len(set(texts)) >= 300
    all_asks = [ask for text in INSTANT_ONLY for ask in asks(text, instant_only=True)]
    all_asks += [ask for text in BOTH_FORMS for ask in asks(text)]
    report("picked", texts, all_asks, compare(address, all_asks), capsys)


def test_generated_queries_agree(address: str, capsys: pytest.CaptureFixture[str]) -> None:
    texts = generated_queries(GENERATED)
    all_asks = [ask for text in texts for ask in asks(text)]
    report("generated", texts, all_asks, compare(address, all_asks), capsys)


def test_strings_patterns_and_damaged_texts_agree(address: str, capsys: pytest.CaptureFixture[str]) -> None:
    texts = literal_queries()
    all_asks = [asks(text, instant_only=True)[0] for text in texts]
    report("strings and patterns", texts, all_asks, compare(address, all_asks), capsys)


def test_layouts_agree(address: str) -> None:
    texts = [*INSTANT_ONLY, *BOTH_FORMS, *generated_queries(GENERATED), *literal_queries()]
    lines = []
    with httpx.Client(base_url=f"{address}/api/v1", timeout=60) as client:
        for text in texts:
            their = client.post("format_query", data={"query": text}).json()
            try:
                layout: str | None = prettify(text)
            except BadDataError:
                layout = None
            if their.get("data") != layout and text not in OTHER_LAYOUT:
                lines.append(f"{text!r}: {their.get('data')} | {layout}")
    assert not lines, "\n".join(lines[:40])


def test_range_queries_of_windows_are_refused_alike(address: str) -> None:
    for text in INSTANT_ONLY:
        form, parameters = asks(text)[-1]
        their = httpx.post(f"{address}/api/v1/{form}", data=parameters).json()
        with pytest.raises(BadDataError) as refused:
            Query.over_range(text, START * 10**6, (START + DURATION) * 10**6, 10**9, 11_000)
        assert their["errorType"] == "bad_data"
        if "parse error" not in their["error"]:
            assert their["error"] == str(refused.value)
