"""Acknowledged ingest: the design's load against Fleetkeeper, its peers and the documents' tables."""

import shutil
import subprocess
from pathlib import Path

import httpx
import numpy as np

from bench import payloads
from bench.document_tables import DocumentDatabase, tables
from bench.load import Generator, Outcome, Plan
from bench.options import Options
from bench.peers import PEERS
from bench.processes import CpuMeter, Groups, Started, folder_bytes, free_port, only, python
from bench.report import Section
from bench.server import Server, profiled

DEVICES = 1000
CONNECTIONS = 64
BATCH = 20
FLEETKEEPER = "Fleetkeeper"


def measure(plan: Plan, port: int, seconds: float, groups: Groups) -> tuple[Outcome, dict[str, float]]:
    """Send a plan; returns the outcome and the processor seconds per group in the time that counts."""
    meter = CpuMeter(groups)
    frames = (payloads.BATCH_AGE_SECONDS - 30) * 1000 // payloads.STEP_MS

    def restart() -> None:
        nonlocal meter
        meter = CpuMeter(groups)

    outcome = Generator(plan, port, connections=CONNECTIONS).run(
        seconds, on_counting=restart, max_requests=frames // plan.frames_per_request * plan.devices
    )
    return outcome, meter.read()


def _add(
    section: Section, plan: Plan, durability: str, outcome: Outcome, cpu: dict[str, float], *, extra: str = ""
) -> None:
    rate = outcome.requests_per_second
    section.add(
        system=plan.name,
        acknowledges=durability,
        requests_per_s=rate,
        samples_per_s_million=rate * plan.frames_per_request * plan.values_per_frame / 1e6,
        p50_ms=outcome.quantile_ms(0.5),
        p99_ms=outcome.quantile_ms(0.99),
        cpu_seconds=", ".join(f"{name} {value:.1f}" for name, value in cpu.items()),
        generator_cpu=outcome.generator_cpu_seconds,
    )
    for text, count in outcome.unexpected.most_common(3):
        section.note(f"{plan.name}: {count:,} unexpected answers: {text}")
    if extra:
        section.note(extra)


def _ratios(section: Section) -> None:
    """Add how many times as much Fleetkeeper takes as each of the others."""
    rates = {row["system"]: row["requests_per_s"] for row in section.rows}
    ours = rates.get(FLEETKEEPER)
    if ours:
        for row in section.rows:
            other = row["requests_per_s"]
            is_ceiling = row["acknowledges"] == "nothing"
            row["fleetkeeper_is_x"] = "" if is_ceiling or not other else f"{ours / other:.2f}"


def ceiling(folder: Path, values: np.ndarray, batch: int, seconds: float, section: Section) -> None:
    """Measure the generator itself, against a server that does nothing."""
    port = free_port()
    started = Started([python(), "-m", "bench.trivial_server", str(port)], folder / f"trivial-{batch}.log")
    try:
        started.wait_for(f"http://127.0.0.1:{port}/")
        plan = payloads.influx_plan("(generator's ceiling)", values, batch, "/")
        outcome, cpu = measure(plan, port, seconds, {"server": only(started.pid)})
        _add(section, plan, "nothing", outcome, cpu)
    finally:
        started.stop()


def fleetkeeper(
    server: Server,
    keys: list[str],
    values: np.ndarray,
    batch: int,
    options: Options,
    folder: Path,
    section: Section,
) -> Outcome:
    """Measure Fleetkeeper's own JSON door."""
    plan = payloads.fleetkeeper_plan(values, batch, keys)
    with profiled(server, options.seconds, folder, wanted=options.profile) as profiles:
        outcome, cpu = measure(plan, server.port, options.seconds, server.groups())
    _add(section, plan, "durable", outcome, cpu)
    for path in profiles:
        kept = Path.cwd() / path.name
        shutil.copy(path, kept)
        section.note(f"profile of a web process: {kept} (open with https://www.speedscope.app)")
    return outcome


def _check_stored(server: Server, expected_at_least: int, sent: int, before: int) -> tuple[str, int]:
    """Count the stored frames; each acknowledged one must be there."""
    text = server.sql(
        # Of parts there are only those that the product measures of itself.
        "SELECT (SELECT count(*) FROM frames WHERE part = 0)"
        # The shared times of sealed frames are channel 0.
        " + (SELECT coalesce(sum(samples), 0) FROM chunks WHERE channel_id = 0);"
    )
    stored = int(text) - before
    verdict = (
        "all acknowledged frames are stored" if expected_at_least <= stored <= sent else "NOT AS ACKNOWLEDGED"
    )
    return f"Fleetkeeper: {stored:,} frames stored, {expected_at_least:,} acknowledged: {verdict}", int(text)


def peers(folder: Path, values: np.ndarray, batch: int, seconds: float, section: Section) -> None:
    """Measure the peers that this machine has, each from empty."""
    for number, start in enumerate(PEERS):
        peer = start(folder / f"peer-{batch}-{number}")
        if peer is None:
            section.note(f"{start.__name__} is not installed on this machine")
            continue
        try:
            plan = payloads.influx_plan(peer.name, values, batch, peer.path)
            outcome, cpu = measure(plan, peer.port, seconds, {"server": only(peer.started.pid)})
            _add(section, plan, peer.durability, outcome, cpu)
        finally:
            peer.started.stop(60.0)
        samples = outcome.acknowledged_in_all * batch * payloads.VALUES
        size = folder_bytes(peer.folder)
        section.note(
            f"{peer.name}: {size / max(samples, 1):.2f} bytes/sample on the disk right after the run"
        )
        shutil.rmtree(peer.folder)


def documents(folder: Path, values: np.ndarray, seconds: float, section: Section) -> None:
    """Measure the documents' tables; one transaction per snapshot, without HTTP or a client's cost."""
    database = DocumentDatabase(folder)
    try:
        for table in tables(len(values)):
            outcome = database.run(table, values, clients=CONNECTIONS, seconds=max(1, round(seconds)))
            rate = outcome.snapshots / outcome.seconds
            section.add(
                system=table.name,
                acknowledges="durable, no HTTP",
                requests_per_s=rate,
                samples_per_s_million=rate * payloads.VALUES / 1e6,
                p50_ms=outcome.p50_ms,
                p99_ms=outcome.p99_ms,
            )
            section.note(f"{table.name}: {outcome.bytes_per_sample:.1f} bytes/sample in the database")
    except (RuntimeError, subprocess.SubprocessError) as error:
        section.note(f"the documents' tables were not measured: {error}")
    finally:
        database.stop()


def _start(options: Options, folder: Path) -> tuple[Server | None, list[str], str]:
    """Start Fleetkeeper and enrol the devices; returns their keys, or why there is nothing to measure."""
    server = None
    try:
        server = Server(folder / "fleetkeeper", web_processes=options.web_processes)
        return server, [key for _, key in server.enrol(payloads.device_names(DEVICES))], ""
    except (RuntimeError, httpx.HTTPError) as error:
        if server is not None:
            server.stop()
        return None, [], f"Fleetkeeper was not measured: {error}"


def run(options: Options, folder: Path) -> list[Section]:
    """Measure one frame per request, then twenty."""
    sections = []
    values = payloads.frame_values(DEVICES, BATCH)
    server, keys, stored, failure = None, [], 0, ""
    if options.wants("fleetkeeper"):
        server, keys, failure = _start(options, folder)
    try:
        for batch in (1, BATCH):
            section = Section(
                f"Ingest, {payloads.VALUES} values a frame, {batch} to a request, {CONNECTIONS} connections, "
                f"{options.seconds:g} s"
            )
            if failure:
                section.note(failure)
            if options.wants("ceiling"):
                ceiling(folder, values, batch, min(options.seconds, 5.0), section)
            if server is not None:
                outcome = fleetkeeper(server, keys, values, batch, options, folder, section)
                text, stored = _check_stored(
                    server, outcome.acknowledged_in_all * batch, outcome.sent * batch, stored
                )
                section.note(text)
            if options.wants("peers"):
                peers(folder, values, batch, options.seconds, section)
            if options.wants("documents") and batch == 1:
                documents(folder, values, options.seconds, section)
            _ratios(section)
            sections.append(section)
    finally:
        if server is not None:
            server.stop()
    return sections
