"""Rules of PromQL mean what they mean in Prometheus: the same alerts pending and firing at the same instants.

The real promtool plays the same samples through the same rules, and is asked for `ALERTS` at each instant.
"""

import json
import random
import subprocess
from datetime import timedelta
from pathlib import Path
from uuid import uuid4

import numpy as np
from sqlalchemy import text

from fleetkeeper.alerts.engine.evaluating import CONTEXT
from fleetkeeper.alerts.recording.models import RecordingRule
from fleetkeeper.telemetry.samples import SampleSeries
from tests.factories.telemetry import EPOCH, make_device
from tests.fixtures.peers import find_peer
from tests.telemetry.test_samples import now_us

STEP = 15
INSTANTS = 32
HOSTS = ("a", "b", "c", "d")
# Expressions by the metrics `heat` and `work_total` of each host.
EXPRESSIONS = (
    "heat > 50",
    "heat < 30",
    "heat >= 40 and heat <= 60",
    "avg_over_time(heat[1m]) > 50",
    "max_over_time(heat[45s]) - min_over_time(heat[45s]) > 60",
    "rate(work_total[1m]) > 3",
    "increase(work_total[2m]) < 100",
    "sum(heat) > 200",
    "sum by (rack) (heat) > 110",
    "heat > on (rack) group_left () avg by (rack) (heat)",
    'absent(heat{instance="nobody"})',
    'absent(heat{instance="d"})',
    "changes(heat[1m]) >= 3",
    "topk(2, heat) > 40",
    'label_replace(heat, "short", "$1", "rack", "r(.*)") > 70',
)
TIMINGS = ((0, 0), (15, 0), (40, 30), (60, 60))


def rules():
    """Sixty rules: each expression with each timing, some with labels that tell of the value, or ask."""
    made = []
    for number, expression in enumerate(EXPRESSIONS):
        for place, (wait, keep) in enumerate(TIMINGS):
            labels = {"team": "{{ $labels.rack }}!"} if place % 2 else {}
            if place == 2:
                labels["level"] = "{{ if gt $value 60.0 }}high{{ else }}low{{ end }}"
            if place == 3:
                labels["peak"] = '{{ with query "max(heat)" }}{{ . | first | value }}{{ end }}'
            made.append((f"R{number}_{place}", expression, wait, keep, labels))
    return made


def values(chance: random.Random) -> dict[tuple[str, str], list[float | None]]:
    """Samples of each series at each step; a gap is None. Host d falls silent."""
    found: dict[tuple[str, str], list[float | None]] = {}
    for number, host in enumerate(HOSTS):
        # No two hosts have one value: which of equals is on top is nobody's business.
        share = number / 16
        heat: list[float | None] = [chance.choice([10, 25, 45, 55, 65, 90]) + share for _ in range(INSTANTS)]
        for gap in chance.sample(range(INSTANTS), 4):
            heat[gap] = None
        if host == "d":
            heat[10:] = [None] * (INSTANTS - 10)
        total, work = 0.0, []
        for _ in range(INSTANTS):
            total = 0.0 if chance.random() < 0.05 else total + chance.choice([0, 5, 30, 90])
            work.append(total)
        found["heat", host], found["work_total", host] = heat, work
    return found


def rack(host: str) -> str:
    return "r1" if host in "ab" else "r2"


async def store(app, connection, start_us, given):
    """Store samples, those of each host on a device of its own."""
    for (metric, host), samples in given.items():
        device = make_device(connection) if metric == "heat" else None
        row = connection.execute(
            "SELECT id FROM devices ORDER BY created_at DESC, id DESC LIMIT 1"
        ).fetchone()
        device = device or row[0]
        told = [
            (start_us + n * STEP * 1_000_000, value) for n, value in enumerate(samples) if value is not None
        ]
        times, numbers = zip(*told, strict=True)
        key = f'{metric}{{instance="{host}",rack="{rack(host)}"}}'
        series = SampleSeries(device.bytes, key, np.array(times, np.int64), np.array(numbers))
        await app.state.door.store_samples([series])


async def seen_here(watch, app, connection, start_us, given):
    """What our engine sees at each instant: (name, state, other labels)."""
    await store(app, connection, start_us, given)
    made = [
        await watch.rule(
            name=name,
            condition={"kind": "promql", "expr": expression},
            for_seconds=wait,
            keep_firing_seconds=keep,
            labels=labels,
            interval_seconds=STEP,
        )
        for name, expression, wait, keep, labels in rules()
    ]
    found = []
    for number in range(INSTANTS):
        at = EPOCH + timedelta(microseconds=start_us, seconds=number * STEP)
        async with watch.engine.database.session(CONTEXT) as session:
            for rule in made:
                await watch.engine.evaluate_rule(session, rule, at, at)
            rows = await session.execute(
                text("SELECT labels, state FROM alert_instances WHERE state <> 'inactive'")
            )
            found.append({(row.state, json.dumps(_plain(row.labels), sort_keys=True)) for row in rows})
    return found


def _plain(labels: dict[str, str]) -> dict[str, str]:
    """Without the severity, which only our rules have."""
    return {name: value for name, value in labels.items() if name != "severity"}


def expected_by_prometheus(folder: Path, given, found) -> str:
    """What promtool says to our instants; nothing where it agrees."""
    tests = [
        {
            "expr": "ALERTS",
            "eval_time": f"{number * STEP}s",
            "exp_samples": [
                {"labels": _selector(json.loads(labels) | {"alertstate": state}), "value": 1}
                for state, labels in sorted(instant)
            ],
        }
        for number, instant in enumerate(found)
    ]
    group = [
        {
            "alert": name,
            "expr": expression,
            "for": f"{wait}s",
            "keep_firing_for": f"{keep}s",
            "labels": labels,
        }
        for name, expression, wait, keep, labels in rules()
    ]
    return played(folder, {"name": "g", "rules": group}, given, tests)


def played(folder: Path, group, given, tests) -> str:
    """What promtool says of a group of rules and what we saw; nothing where it agrees."""
    series = [
        {
            "series": f'{metric}{{instance="{host}",rack="{rack(host)}"}}',
            "values": " ".join("_" if value is None else f"{value:g}" for value in samples),
        }
        for (metric, host), samples in given.items()
    ]
    (folder / "rules.yml").write_text(json.dumps({"groups": [group]}))
    (folder / "test.yml").write_text(
        json.dumps(
            {
                "rule_files": ["rules.yml"],
                "evaluation_interval": f"{STEP}s",
                "tests": [{"interval": f"{STEP}s", "input_series": series, "promql_expr_test": tests}],
            }
        )
    )
    command = [find_peer("promtool"), "test", "rules", "test.yml"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=120, check=False)
    return "" if done.returncode == 0 else done.stdout + done.stderr


def _selector(labels: dict[str, str]) -> str:
    told = ",".join(f"{name}={json.dumps(value)}" for name, value in sorted(labels.items()))
    return f"ALERTS{{{told}}}"


async def test_same_alerts_at_the_same_instants(watch, app, connection, tmp_path):
    chance = random.Random(4)
    given = values(chance)
    start_us = (now_us() // 1_000_000 - 7200) // 60 * 60 * 1_000_000
    found = await seen_here(watch, app, connection, start_us, given)
    states = [state for instant in found for state, _ in instant]
    assert states.count("pending") > 100
    assert states.count("firing") > 100
    assert expected_by_prometheus(tmp_path, given, found) == ""


# Recording rules, in the order of their group: some read what others record.
RECORDED = (
    ("rack:heat:sum", "sum by (rack) (heat)", {}),
    ("rack:heat:high", "rack:heat:sum > 110", {"level": "high"}),
    ("heat:rate", "rate(work_total[1m]) * on (instance) heat", {"rack": "", "of": "work"}),
    ("heat:lasting", "avg_over_time(rack:heat:sum[1m])", {}),
    ("heat:gone", 'absent(heat{instance="d"})', {}),
    ("heat:constant", "7", {}),
)


async def test_same_series_are_recorded(watch, app, connection, admin, tmp_path):
    given = values(random.Random(5))
    start_us = (now_us() // 1_000_000 - 7200) // 60 * 60 * 1_000_000
    await store(app, connection, start_us, given)
    made = [
        RecordingRule(name=name, expr=expr, labels=labels, unit=uuid4(), origin_key="a.yml/g/0")
        for name, expr, labels in RECORDED
    ]
    async with watch.engine.database.session(CONTEXT) as session:
        session.add_all(made)
    tests = []
    for number in range(INSTANTS):
        at = EPOCH + timedelta(microseconds=start_us, seconds=number * STEP)
        async with watch.engine.database.session(CONTEXT) as session:
            for rule in made:
                await watch.engine.evaluate_rule(session, rule, at, at)
        for name, _, _ in RECORDED:
            answer = await admin.get(f"/prometheus/api/v1/query?query={name}&time={at.timestamp()}")
            found = answer.json()["data"]["result"]
            samples = [{"labels": _series(one["metric"]), "value": float(one["value"][1])} for one in found]
            tests.append({"expr": name, "eval_time": f"{number * STEP}s", "exp_samples": samples})
    assert sum(len(one["exp_samples"]) for one in tests) > 250
    # What ended is no more, though a sample of it is younger than five minutes.
    assert sum(not one["exp_samples"] for one in tests) > 10
    group = [{"record": name, "expr": expr, "labels": labels} for name, expr, labels in RECORDED]
    assert played(tmp_path, {"name": "g", "rules": group}, given, tests) == ""


def _series(labels: dict[str, str]) -> str:
    told = ",".join(f"{name}={json.dumps(value)}" for name, value in labels.items() if name != "__name__")
    return f"{labels['__name__']}{{{told}}}"
