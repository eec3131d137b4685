"""Reading while writing: questions about one host on a quiet server, and while it takes half of what it can take."""

import asyncio
import multiprocessing
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
import numpy as np
import psycopg

from bench import payloads, tsbs_fleetkeeper
from bench.layouts import add_layout
from bench.load import Generator
from bench.options import Options
from bench.report import Section
from bench.series import clamped_walks
from bench.server import Server
from bench.tsbs_kinds import METRICS
from fleetkeeper.settings.telemetry import TelemetrySettings
from fleetkeeper.telemetry.chunks.jobs import merge_chunks, seal_frames
from fleetkeeper.telemetry.rollups.jobs import refresh_rollups

CONNECTIONS = 16
_FEWEST = 5
_STEPS = 8640
_AIM = 2.0


@dataclass(frozen=True)
class Writing:
    """What the writing process is to do; it makes its requests itself."""

    port: int
    keys: Sequence[str]
    seconds: float
    rate: float
    start_ms: int


@dataclass(frozen=True)
class Written:
    """What came of it."""

    requests_per_second: float
    p99_ms: float
    unexpected: Sequence[tuple[str, int]]


def write(task: Writing, ready: Any, results: Any) -> None:
    """Send native JSON, twenty frames to a request; runs in a process of its own."""
    values = payloads.frame_values(len(task.keys), payloads.NATIVE_FRAMES)
    plan = payloads.fleetkeeper_plan(values, payloads.NATIVE_FRAMES, task.keys)
    plan.start_ms = task.start_ms
    generator = Generator(plan, task.port, connections=CONNECTIONS, rate=task.rate)
    outcome = generator.run(task.seconds, warm_up=1.0, on_counting=ready.set)
    results.put(
        Written(outcome.requests_per_second, outcome.quantile_ms(0.99), outcome.unexpected.most_common(2))
    )


class _Writer:
    """A process that writes for some seconds."""

    def __init__(self, task: Writing) -> None:
        context = multiprocessing.get_context("spawn")
        self._results = context.Queue()
        ready = context.Event()
        self._process = context.Process(target=write, args=(task, ready, self._results))
        self._process.start()
        while not ready.wait(0.5):
            if not self._process.is_alive():
                raise RuntimeError("the writing process ended before it began")

    def result(self) -> Written:
        """Wait for its end."""
        written: Written = self._results.get(timeout=300)
        self._process.join(60)
        return written


def run(options: Options, folder: Path) -> list[Section]:
    """Find the most that it takes, ask on a quiet server, and ask again while half of it is written."""
    server = Server(folder, web_processes=options.web_processes)
    try:
        return _measure(server, options)
    finally:
        server.stop()


def _measure(server: Server, options: Options) -> list[Section]:
    hosts = min(options.protocol_hosts, 100)
    enrolled = server.enrol(payloads.device_names(hosts))
    devices, keys = [UUID(device) for device, _ in enrolled], [key for _, key in enrolled]
    start = (datetime.now(UTC) - timedelta(days=2)).replace(hour=0, minute=0, second=0, microsecond=0)
    _history(server, start, devices)
    begin_ms = (int(time.time()) - 3600) * 1000
    # The frames of the second run begin where those of the first one cannot have come.
    fastest = _Writer(Writing(server.port, keys, options.seconds, float("inf"), begin_ms)).result()
    questions = _questions(start, devices, begin_ms / 1000)
    quiet = asyncio.run(_ask(server, questions, options.seconds))
    half = fastest.requests_per_second / 2
    longest = max(options.seconds * 2, options.seconds + 5)
    writer = _Writer(Writing(server.port, keys, longest, half, begin_ms + 1_800_000))
    busy = asyncio.run(_ask(server, questions, options.seconds))
    written = writer.result()
    return [_writing(fastest, written, hosts), _reading(quiet, busy)]


def _history(server: Server, start: datetime, devices: Sequence[UUID]) -> None:
    """A sealed day of the devices that are written to."""
    admin = server.database_url
    with psycopg.connect(admin, autocommit=True) as connection:
        add_layout(connection, tsbs_fleetkeeper.LAYOUT, METRICS, devices)
        tsbs_fleetkeeper.write_day(connection, start, clamped_walks(len(devices), _STEPS), devices)

    async def seal() -> None:
        now = start.timestamp() + 2 * 86_400
        await seal_frames(admin, TelemetrySettings(seal_after_minutes=60), now=now)
        await merge_chunks(admin, now=now)
        await refresh_rollups(admin)

    asyncio.run(seal())


def _questions(
    start: datetime, devices: Sequence[UUID], written_from: float
) -> Mapping[str, Sequence[Mapping[str, Any]]]:
    random = np.random.default_rng(1)

    def ask(metrics: Sequence[str], begin: float, hours: float, step: int) -> Mapping[str, Any]:
        return {
            "device": str(devices[int(random.integers(len(devices)))]),
            "metric": list(metrics),
            "from": begin,
            "to": begin + hours * 3600,
            "agg": "max",
            "step": step,
        }

    def windows(metrics: Sequence[str], hours: float, step: int) -> Sequence[Mapping[str, Any]]:
        room = 86_400 - hours * 3600
        return [
            ask(metrics, start.timestamp() + float(random.uniform(0, room)), hours, step) for _ in range(50)
        ]

    written = [ask(payloads.CHANNELS[:1], written_from, 0.25, 10) for _ in range(50)]
    return {
        "1 metric, 1 h, sealed": windows(METRICS[:1], 1, 60),
        "1 metric, 12 h, sealed": windows(METRICS[:1], 12, 60),
        "5 metrics, 12 h, sealed": windows(METRICS[:5], 12, 60),
        "10 metrics, 8 h by hour, sealed": windows(METRICS, 8, 3600),
        "1 metric, just written": written,
    }


async def _ask(
    server: Server, questions: Mapping[str, Sequence[Mapping[str, Any]]], seconds: float
) -> dict[str, list[float]]:
    """Milliseconds of each question, all kinds in turn."""
    taken: dict[str, list[float]] = {name: [] for name in questions}
    async with httpx.AsyncClient(
        base_url=server.url,
        headers={"Authorization": f"Bearer {server.token}"},
        timeout=60,
        trust_env=False,
    ) as client:
        for some in questions.values():
            (await client.get("/api/v1/telemetry/query", params=some[0])).raise_for_status()
        until, number = time.perf_counter() + seconds, 0
        while time.perf_counter() < until or number < _FEWEST:
            for name, some in questions.items():
                began = time.perf_counter()
                answer = await client.get("/api/v1/telemetry/query", params=some[number % len(some)])
                answer.raise_for_status()
                taken[name].append((time.perf_counter() - began) * 1000)
            number += 1
    return taken


def _writing(fastest: Written, written: Written, hosts: int) -> Section:
    section = Section(
        f"Writing: {hosts} devices, {payloads.NATIVE_FRAMES} frames of {payloads.VALUES} values a request"
    )
    samples = payloads.NATIVE_FRAMES * payloads.VALUES
    for name, result in (("as fast as it goes", fastest), ("while it is asked", written)):
        section.add(
            writing=name,
            requests_per_s=result.requests_per_second,
            M_samples_per_s=result.requests_per_second * samples / 1e6,
            p99_ms=result.p99_ms,
        )
        for text, count in result.unexpected:
            section.note(f"{name}: {count:,} unexpected answers: {text}")
    return section


def _reading(quiet: Mapping[str, Sequence[float]], busy: Mapping[str, Sequence[float]]) -> Section:
    section = Section("Reading one host over HTTP (ms): quiet, and while half of the most is written")
    everything = {"all": [value for taken in quiet.values() for value in taken]}
    everything_busy = {"all": [value for taken in busy.values() for value in taken]}
    for name in (*quiet, "all"):
        calm, loud = {**quiet, **everything}[name], {**busy, **everything_busy}[name]
        p95 = float(np.percentile(calm, 95)), float(np.percentile(loud, 95))
        section.add(
            question=name,
            quiet_p50=float(np.median(calm)),
            quiet_p95=p95[0],
            writing_p50=float(np.median(loud)),
            writing_p95=p95[1],
            p95_ratio=p95[1] / p95[0],
            asked=len(loud),
        )
    ratio = section.rows[-1]["p95_ratio"]
    verdict = "met" if ratio <= _AIM else "missed"
    section.note(
        f"The aim, a p95 of at most {_AIM:g} times the quiet one, is {verdict}: {ratio:.2f} over all questions."
    )
    section.note(
        "The writers, the server, its database and the one who asks share the processors: with writers on other "
        "machines half of the most would be more."
    )
    section.note("One client asks, one question at a time.")
    return section
