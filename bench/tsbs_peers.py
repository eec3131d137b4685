"""Prometheus, VictoriaMetrics and InfluxDB with the data of `tsbs`: one after the other, each alone on the machine."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from bench import tsbs_influxql, tsbs_promql
from bench.peers import Peer, influxdb, prometheus, victoria_metrics
from bench.processes import folder_bytes, only, resident_mib
from bench.tsbs_kinds import Case
from bench.tsbs_trial import Answer, Trial, inside

_SETTLE_SECONDS = 60.0
_TIMEOUT_SECONDS = 120.0


def _everything(_: Case, answer: Answer) -> Answer:
    return answer


@dataclass(frozen=True)
class _System:
    start: Callable[[Path], Peer | None]
    title: str
    load: Callable[[str, Trial], None]
    load_path: str
    doors: Callable[[httpx.AsyncClient, Trial], Any]
    settle: Callable[[Peer], int]
    """Waits until what was written lies where it stays; returns its bytes."""
    comparable: Callable[[Case, Answer], Answer]


async def measure(trial: Trial, folder: Path) -> None:
    """Measure each that this machine has."""
    for number, system in enumerate(_SYSTEMS):
        peer = system.start(folder / f"tsbs-peer-{number}")
        if peer is None:
            trial.load.note(f"{system.title} is not on this machine: left out; `.ci/peers` gets it")
            continue
        try:
            await _one(trial, system, peer)
        finally:
            peer.started.stop(60.0)


async def _one(trial: Trial, system: _System, peer: Peer) -> None:
    began = time.perf_counter()
    system.load(f"{peer.url}{system.load_path}", trial)
    seconds = time.perf_counter() - began
    size = system.settle(peer)
    async with httpx.AsyncClient(base_url=peer.url, timeout=_TIMEOUT_SECONDS, trust_env=False) as client:
        doors = system.doors(client, trial)
        await trial.check(peer.name, doors.answer, comparable=system.comparable)
        await trial.time(peer.name, doors.ask)
    trial.load.add(
        system=peer.name,
        seconds=seconds,
        samples_per_s=trial.values.size / seconds,
        bytes_per_sample=size / trial.values.size,
        memory_mib=resident_mib(only(peer.started.pid)()),
    )


def _snapshot(peer: Peer) -> int:
    """Blocks, with what is still in memory made a block; its log is not counted."""
    answer = httpx.post(
        f"{peer.url}/api/v1/admin/tsdb/snapshot", params={"skip_head": "false"}, timeout=_TIMEOUT_SECONDS
    )
    answer.raise_for_status()
    return folder_bytes(peer.folder / "data" / "snapshots" / answer.json()["data"]["name"])


def _merge(peer: Peer) -> int:
    for path in ("/internal/force_flush", "/internal/force_merge"):
        httpx.get(f"{peer.url}{path}", timeout=_TIMEOUT_SECONDS).raise_for_status()
    return _steady(peer.folder / "data")


def _compact(peer: Peer) -> int:
    """Its log goes, then its files are compacted, once nothing was written for a while."""
    return _steady(peer.folder / "data", log=peer.folder / "wal")


def _steady(data: Path, *, log: Path | None = None) -> int:
    """The folder's size once it stays the same for two seconds and the log is empty."""
    until, seen = time.monotonic() + _SETTLE_SECONDS, [0]
    while time.monotonic() < until:
        time.sleep(0.5)
        seen.append(folder_bytes(data))
        if log is not None and any(path.stat().st_size for path in log.rglob("*.wal")):
            seen = [0]
        elif len(seen) > 4 and len(set(seen[-4:])) == 1:
            break
    return seen[-1] or folder_bytes(data)


_SYSTEMS = (
    _System(
        prometheus, "Prometheus", tsbs_promql.load, "/api/v1/write", tsbs_promql.PromqlDoors, _snapshot, inside
    ),
    _System(
        victoria_metrics, "VictoriaMetrics", tsbs_promql.load, "/api/v1/write", tsbs_promql.MetricsqlDoors,
        _merge, inside,
    ),
    _System(
        lambda folder: influxdb(folder, cold_seconds=1), "InfluxDB", tsbs_influxql.load, "/write?db=bench",
        tsbs_influxql.InfluxqlDoors, _compact, _everything,
    ),
)  # fmt: skip
