"""Each section runs to its end, with little data; what a machine lacks is named."""

import json
import math

import pytest
from bench.options import Options
from bench.peers import find_program
from bench.report import write_json
from bench.tsbs_kinds import KINDS, cases_of
from bench.tsbs_trial import difference, inside, same

from bench import tsbs

PROGRAMS = {"prometheus": "Prometheus", "victoria-metrics": "VictoriaMetrics", "influxd": "InfluxDB"}


def test_tsbs_compares_all_systems(tmp_path):
    load, medians, tails = tsbs.run(Options(hosts=2, rounds=1), tmp_path)
    systems = [row["system"].partition(" ")[0] for row in load.rows]
    for program, title in PROGRAMS.items():
        assert (title in systems) == bool(find_program(program))
        assert any(f"{title} is not on this machine" in note for note in load.notes) != (title in systems)
    assert {row["kind"] for row in medians.rows} == {kind.name for kind in KINDS}
    for row in medians.rows:
        numbers = [value for value in row.values() if isinstance(value, float)]
        assert all(number > 0 for number in numbers)
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


def test_only_whole_buckets_are_compared_with_promql():
    from datetime import UTC, datetime

    (case,) = cases_of(KINDS[0], datetime(2026, 1, 1, tzinfo=UTC), 3, 1)
    first = math.floor(case.start.timestamp() / 60) * 60.0
    answer = {(first + 60 * number,): [1.0] for number in range(61)}
    kept = inside(case, answer)
    assert (first,) not in kept
    assert (first + 3600,) not in kept
    assert len(kept) == 59


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_what_could_not_be_measured_is_null(value, tmp_path):
    from bench.report import Section

    section = Section("Title")
    section.add(system="one", ms=value)
    write_json(tmp_path / "out.json", [section])
    content = json.loads((tmp_path / "out.json").read_text())
    assert content["sections"]["Title"]["rows"] == [{"system": "one", "ms": None}]
