"""Each section runs to its end, with little data; what a machine lacks is named."""

import json
import math
from datetime import UTC, datetime
from uuid import uuid4

import pytest

from bench import (
    alerts,
    ingest,
    inventory,
    mixed,
    pages,
    protocols,
    rollups,
    supply,
    tsbs,
    tsbs_systems,
    years,
)
from bench.options import Options
from bench.peers import find_program
from bench.report import Section, write_json
from bench.tsbs_kinds import KINDS, METRICS, cases_of
from bench.tsbs_trial import difference, inside, same

PROGRAMS = {"prometheus": "Prometheus", "victoria-metrics": "VictoriaMetrics", "influxd": "InfluxDB"}


def test_tsbs_compares_all_systems(tmp_path):
    load, medians, tails = tsbs.run(Options(hosts=2, rounds=1), tmp_path)
    systems = [row["system"].partition(" ")[0] for row in load.rows]
    for program, title in PROGRAMS.items():
        assert (title in systems) == bool(find_program(program))
        assert any(f"{title} is not on this machine" in note for note in load.notes) != (title in systems)
    assert {row["kind"] for row in medians.rows} == {kind.name for kind in KINDS}
    for row in medians.rows:
        numbers = {name: value for name, value in row.items() if isinstance(value, float)}
        assert all(number > 0 for number in numbers.values()), (row["kind"], numbers, load.notes)
        assert row["fastest_here"] in {"000 values", "002 wide", "004 JSONB", "hot", "sealed"}
    compared = next(note for note in medians.notes if note.startswith("Answers"))
    assert "sealed 16 of 16" in compared
    assert "PromQL 16 of 16" in compared
    assert len(tails.rows) == len(KINDS)
    sealed = next(row for row in load.rows if row["system"] == "Fleetkeeper, sealed")
    assert 0.1 < sealed["bytes_per_sample"] < 5
    assert sealed["memory_mib"] > 10
    write_json(tmp_path / "out.json", [load, medians, tails])
    assert json.loads((tmp_path / "out.json").read_text())["sections"]


def test_protocols_are_measured_and_what_was_acknowledged_is_stored(tmp_path):
    (section,) = protocols.run(Options(seconds=30, protocol_hosts=20, protocol_requests=6), tmp_path)
    ours = [row for row in section.rows if row["system"] == "Fleetkeeper"]
    assert [row["protocol"] for row in ours] == [
        "native JSON (20 moments of one machine)", "remote_write 1.0", "remote_write 2.0", "Influx line protocol",
        "OTLP protobuf", "OTLP JSON", "collectd JSON",
    ]  # fmt: skip
    assert all(row["M_samples_per_s"] > 0 and row["p99_ms"] > 0 for row in section.rows)
    text = "\n".join(section.notes)
    assert "NOT AS ACKNOWLEDGED" not in text
    assert "Fleetkeeper, " not in text, "some answers were unexpected"
    systems = {row["system"].partition(" ")[0] for row in section.rows}
    for program, title in PROGRAMS.items():
        assert (
            (title in systems) == bool(find_program(program)) != (f"{title} is not on this machine" in text)
        )


def test_reading_while_writing(tmp_path):
    writing, reading = mixed.run(Options(seconds=0.5, protocol_hosts=3), tmp_path)
    most, half = (row["requests_per_s"] for row in writing.rows)
    assert 0 < half < 0.8 * most
    assert reading.rows[-1]["question"] == "all"
    assert all(row["writing_p95"] >= row["writing_p50"] > 0 for row in reading.rows)
    assert "The aim" in reading.notes[0]


def test_the_documents_amounts_are_built_in_every_tier(tmp_path):
    sizes, charts = years.run(Options(days=1, machines=2), tmp_path)
    for row in sizes.rows:
        assert row["hot_MB"] > row["sealed_MB"] > 0
        assert row["rollups_MB"] > 0
        assert 0 < row["parquet_MB"] < row["hot_MB"]
        assert row["document_says_MB"] > 0
    assert len(charts.rows) == 10
    assert all(row["sealed"] > 0 and row["archived"] > 0 for row in charts.rows)


def test_the_documents_hourly_statistics_are_the_rollups(tmp_path):
    """The run itself fails when an answer differs from the document's own."""
    engine, in_sql = rollups.run(Options(days=2, machines=2), tmp_path)
    asked = {row["question"]: row for row in engine.rows}
    assert {row["read_from"] for row in engine.rows} == {"hour", "day"}
    assert asked["1 machine, all hours"]["rows"] == 48
    assert asked["all machines, all days"]["rows"] == 4
    assert [row["rows"] for row in in_sql.rows] == [48, 96, 96]


def test_a_section_without_its_peers_says_so(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("FLEETKEEPER_PEERS", str(tmp_path))
    (section,) = protocols.run(Options(seconds=0.5, protocol_hosts=20, only=("peers",)), tmp_path)
    assert not section.rows
    for title in PROGRAMS.values():
        assert any(note.startswith(f"{title} is not on this machine") for note in section.notes)


def test_answers_that_differ_are_found():
    one = {(0.0, "a"): [1.0, 2.0], (60.0, "a"): [3.0, None]}
    assert same(one, {(0.0, "a"): [1.0, 2.0 + 1e-12], (60.0, "a"): [3.0, None]})
    for other in (
        {(0.0, "a"): [1.0, 2.0]},
        {**one, (60.0, "a"): [3.0, 0.0]},
        {**one, (60.0, "a"): [3.1, None]},
    ):
        assert not same(one, other)
        assert difference(other, one)


def test_a_question_about_many_groups_is_asked_in_parts():
    double = next(kind for kind in KINDS if kind.name == "double-groupby-all")
    (case,) = cases_of(double, datetime(2026, 1, 1, tzinfo=UTC), 900, 1)
    parts = tsbs_systems.questions(case, [uuid4()] * 900)
    assert [list(part.metrics) for part in parts] == [list(METRICS[n : n + 2]) for n in range(0, 10, 2)]
    (whole,) = tsbs_systems.questions(case, [uuid4()] * 100)
    assert list(whole.metrics) == list(METRICS)


def test_only_whole_buckets_are_compared_with_promql():
    (case,) = cases_of(KINDS[0], datetime(2026, 1, 1, tzinfo=UTC), 3, 1)
    first = math.floor(case.start.timestamp() / 60) * 60.0
    answer = {(first + 60 * number,): [1.0] for number in range(61)}
    kept = inside(case, answer)
    assert (first,) not in kept
    assert (first + 3600,) not in kept
    assert len(kept) == 59


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_what_could_not_be_measured_is_null(value, tmp_path):
    section = Section("Title")
    section.add(system="one", ms=value)
    write_json(tmp_path / "out.json", [section])
    content = json.loads((tmp_path / "out.json").read_text())
    assert content["sections"]["Title"]["rows"] == [{"system": "one", "ms": None}]


def test_ingest_and_what_was_acknowledged_is_stored(tmp_path):
    for section in ingest.run(Options(seconds=0.5, only=("fleetkeeper",)), tmp_path):
        assert all(row["requests_per_s"] > 0 for row in section.rows)
        assert any("all acknowledged frames are stored" in note for note in section.notes)


def test_pages_first_and_deep(tmp_path):
    charts, lists = pages.run(Options(seconds=0.5, devices=300), tmp_path)
    assert charts.rows[-1]["request"] == "12 charts, 1 request"
    assert any(row["request"] == "by name, page 4" for row in lists.rows)


def test_the_inventory_and_its_search(tmp_path):
    search, reading, merging = inventory.run(Options(seconds=0.5, devices=400), tmp_path)
    found = {row["search"]: row["results"] for row in search.rows}
    assert found.pop("what is nowhere") == 0
    assert all(found.values()), found
    assert not any(row["unfinished"] for row in search.rows)
    assert all(row["results"] for row in reading.rows)
    assert merging.rows[0]["times"] == 10


def test_lists_of_alerts(tmp_path):
    (section,) = alerts.run(Options(seconds=0.5, alerts=1000, only=("lists",)), tmp_path)
    found = {row["list"]: row["count"] for row in section.rows}
    assert (found["all, newest first"], found["open"]) == (1000, 400)
    assert found["one rule"] > 0


def test_rules_are_told_and_compared_with_prometheus(tmp_path):
    options = Options(seconds=0.5, hosts=20, alert_interval=5, only=("rules",))
    cost, storm = alerts.run(options, tmp_path)
    assert all(row["to_notice_p95_s"] > 0 for row in cost.rows)
    assert cost.rows[0]["system"] == "Fleetkeeper"
    assert (len(cost.rows) == 2) == (find_program("prometheus") is not None)
    assert storm.rows[0]["alerts"] == 240


def test_the_document_s_patterns_are_asked_of_the_supply(tmp_path):
    options = Options(seconds=0.5, requests=2000, locations=2, parts=30, orders=20)
    (section,) = supply.run(options, tmp_path)
    assert [row["rows"] for row in section.rows] == [50, 2, 10, 5]
    assert all(row["p99_ms"] > 0 and row["api_p99_ms"] > 0 for row in section.rows)
    assert sum("reads by" in note for note in section.notes) == 4
