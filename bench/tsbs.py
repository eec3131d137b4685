"""The fifteen kinds of queries of TSBS (cpu-only) on Fleetkeeper, hot and sealed, and on peers with the same data.

A kind's windows and hosts are drawn anew for each run, with one seed; every system gets the same ones, and its
answers are compared with those of plain SQL over document 002's wide table.
"""

import asyncio
import time
from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import psycopg

from bench import tsbs_fleetkeeper, tsbs_peers
from bench.options import Options
from bench.report import Section
from bench.series import clamped_walks
from bench.server import Server
from bench.tsbs_kinds import KINDS, METRICS, cases_of
from bench.tsbs_promql import PromqlDoors
from bench.tsbs_systems import Doors
from bench.tsbs_tables import OTHERS, WIDE, Table
from bench.tsbs_trial import CHECKED, Cases, Trial, inside
from fleetkeeper.telemetry.explore.service import MAX_GROUPS

STEPS = 8640
KIND_SECONDS = 4.0
# Sealing is done by the benchmark itself, at its own time; and nobody is to wait for a limit that protects others.
_SETTINGS = {
    "FLEETKEEPER_TELEMETRY__SEAL_AFTER_MINUTES": "1000000",
    "FLEETKEEPER_TELEMETRY__SEAL_AFTER_FRAMES": "100000000",
    "FLEETKEEPER_PROMQL__MAX_SAMPLES": "500000000",
    "FLEETKEEPER_PROMQL__TIMEOUT_SECONDS": "110",
}


def run(options: Options, folder: Path) -> list[Section]:
    """Measure Fleetkeeper and the documents' tables on a server of their own, then each peer alone."""
    trial = asyncio.run(_measure(options, folder))
    return [trial.load, *_tables(trial)]


async def _measure(options: Options, folder: Path) -> Trial:
    server = Server(folder, settings=_SETTINGS)
    try:
        with psycopg.connect(server.database_url, autocommit=True) as connection:
            trial = _prepare(connection, options)
            tsbs_fleetkeeper.fill(connection, trial)
            await _documents(connection, trial, OTHERS if options.wants("documents") else ())
            if options.wants("fleetkeeper"):
                await _fleetkeeper(server, connection, trial)
    finally:
        server.stop()
    if options.wants("peers"):
        await tsbs_peers.measure(trial, folder)
    return trial


def _prepare(connection: psycopg.Connection, options: Options) -> Trial:
    hosts = options.hosts
    start = (datetime.now(UTC) - timedelta(days=2)).replace(hour=0, minute=0, second=0, microsecond=0)
    devices = tsbs_fleetkeeper.make_devices(connection, hosts)
    return Trial(
        start=start,
        values=clamped_walks(hosts, STEPS),
        devices=devices,
        cases={kind: cases_of(kind, start, hosts, options.rounds) for kind in KINDS},
        load=Section(f"TSBS cpu-only: {hosts} hosts, 24 h, every 10 s, 10 values"),
        rounds=options.rounds,
        kind_seconds=KIND_SECONDS,
    )


async def _documents(connection: psycopg.Connection, trial: Trial, others: Iterable[Table]) -> None:
    """Fill the tables and ask them; the wide one's answers are what all others' are compared with."""
    for table in (WIDE, *others):
        hosts = min(len(trial.devices), table.most_hosts or len(trial.devices))
        devices, cases, name = trial.devices[:hosts], trial.cases, table.name
        if hosts < len(trial.devices):
            cases, name = _of_few(trial, hosts), f"{table.name} ({hosts})"
            trial.load.note(
                f"{table.name}: filled with {hosts} of the {len(trial.devices)} hosts and asked about those alone: "
                "with all of them a run would take hours. Its times are that much too short."
            )
        began = time.perf_counter()
        table.load(connection, trial.start, trial.values, devices)
        seconds = time.perf_counter() - began
        samples = hosts * trial.values.shape[1] * trial.values.shape[2]
        trial.load.add(
            system=name,
            seconds=seconds,
            samples_per_s=samples / seconds,
            bytes_per_sample=table.size(connection) / samples,
        )

        async def ask(case: Any, table: Table = table, devices: Any = devices) -> Any:
            return table.answer(connection, case, devices)

        for some in cases.values():
            wanted = {case: WIDE.answer(connection, case, trial.devices) for case in some[:CHECKED]}
            trial.answers.update(wanted)
        if table is not WIDE:
            await trial.check(name, ask, cases=cases)
        await trial.time(name, ask, cases)


def _of_few(trial: Trial, hosts: int) -> Cases:
    """The same kinds of queries about the first hosts alone, by name where a kind asks for all."""
    return {
        kind: [
            replace(case, hosts=case.hosts or tuple(range(hosts)))
            for case in cases_of(kind, trial.start, hosts, trial.rounds)
        ]
        for kind in KINDS
    }


async def _fleetkeeper(server: Server, connection: psycopg.Connection, trial: Trial) -> None:
    admin = server.database_url
    await tsbs_fleetkeeper.ask_engine(admin, trial, "hot")
    await tsbs_fleetkeeper.seal(admin, connection, trial)
    await tsbs_fleetkeeper.ask_engine(admin, trial, "sealed")
    async with httpx.AsyncClient(
        base_url=server.url,
        headers={"Authorization": f"Bearer {server.token}"},
        timeout=120,
        trust_env=False,
    ) as client:
        await trial.time("over HTTP", Doors(client, trial.devices).answer)
        promql = PromqlDoors(client, trial, "/prometheus")
        await trial.check("PromQL", promql.answer, comparable=inside)
        await trial.time("PromQL", promql.ask)
    tsbs_fleetkeeper.add_memory(server, trial)


def _tables(trial: Trial) -> Iterable[Section]:
    ours = ("sealed", "over HTTP")
    here = [name for name in trial.timings if name[:3].isdigit() or name in {"hot", "sealed"}]
    away = [name for name in trial.timings if name not in here]
    medians = Section(f"milliseconds, median of {trial.rounds}")
    tails = Section("milliseconds, 95th percentile")
    for kind in KINDS:
        row = {name: _quantile(trial, name, kind.name, 50) for name in trial.timings}
        tail = {name: _quantile(trial, name, kind.name, 95) for name in trial.timings}
        cells: dict[str, Any] = {"kind": kind.name, **row}
        for mine, group, title in zip(ours, (here, away), ("here", "over_HTTP"), strict=True):
            known = {name: row[name] for name in group if not np.isnan(row[name])}
            if known:
                cells[f"fastest_{title}"] = min(known, key=known.__getitem__)
            rivals = [value for name, value in known.items() if name not in {*ours, "hot", "PromQL"}]
            cells[f"best_peer_by_{mine}"] = min(rivals, default=float("nan")) / row.get(mine, float("nan"))
        medians.add(**cells)
        tails.add(kind=kind.name, **tail)
    for text in _notes(trial):
        medians.note(text)
    return [medians, tails]


def _quantile(trial: Trial, system: str, kind: str, percent: float) -> float:
    taken = trial.timings[system].get(kind)
    return float(np.percentile(taken, percent)) if taken else float("nan")


def _notes(trial: Trial) -> Iterable[str]:
    checked = ", ".join(f"{name} {good} of {count}" for name, (count, good) in trial.compared.items())
    yield f"Answers that are the same as the wide table's: {checked}."
    yield (
        "000, 002, 004, hot and sealed are asked from this process by one connection and their rows are taken apart; "
        "the others over HTTP, with the answer read and not taken apart."
    )
    yield (
        "best peer by sealed: the time of the fastest of the documents' tables divided by the sealed engine's; by over "
        "HTTP: that of Prometheus, VictoriaMetrics and InfluxDB divided by that of Fleetkeeper's own API. "
        "Over 1, Fleetkeeper is ahead."
    )
    yield (
        "PromQL is Fleetkeeper asked in the words that Prometheus is asked in. A bucket of PromQL reads samples before "
        "and after the window that TSBS cuts, so the first and the last one of each query are not compared."
    )
    if len(trial.devices) * len(METRICS) > MAX_GROUPS:
        yield (
            f"An answer of Fleetkeeper has at most {MAX_GROUPS:,} groups, so a double-groupby is asked in several "
            "questions of fewer metrics; their times are added up."
        )
    yield (
        "high-cpu over HTTP asks Fleetkeeper for the highest minutes of each host, which is what its API has for it; "
        "the same rows as from the peers come from the column PromQL."
    )
    yield (
        f"A kind is asked {trial.rounds} times, or as often as fits into {trial.kind_seconds:g} s, and three times at "
        "least. One client asks, one question at a time: nothing here says how many clients a system serves at once."
    )
