"""Ingest by each protocol that Fleetkeeper takes, and by those that its peers take, with the same samples."""

import shutil
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from bench import payloads
from bench.load import Generator, Outcome, Plan, Request
from bench.options import Options
from bench.peers import Peer, influxdb, prometheus, victoria_metrics
from bench.processes import CpuMeter, Groups, only, resident_mib
from bench.protocol_bodies import INFLUX, PROTOCOLS, REMOTE_WRITE, TOGETHER, Batch, Protocol
from bench.report import Section
from bench.server import Server

CONNECTIONS = 4
STEP_MS = 1000
AGE_SECONDS = 2400
"""How old the first sample is: with all protocols' moments after each other, none lies in the future."""
_MOST_BYTES = 150_000_000
_NATIVE = "native JSON (20 moments of one machine)"


@dataclass(frozen=True)
class Samples:
    """What is sent: `values` are (machines, moments, VALUES)."""

    hosts: Sequence[str]
    values: NDArray[np.float64]
    batches: Sequence[Batch]
    most_requests: int

    @classmethod
    def of(cls, hosts: int, most_requests: int) -> "Samples":
        """As many as so many requests have, and two requests of native JSON at least."""
        hosts = -(-hosts // TOGETHER) * TOGETHER
        moments = max(2 * payloads.NATIVE_FRAMES, most_requests * TOGETHER // hosts)
        names = payloads.device_names(hosts)
        batches = [Batch(names[first : first + TOGETHER]) for first in range(0, hosts, TOGETHER)]
        return cls(names, payloads.frame_values(hosts, moments), batches, most_requests)

    def requests(
        self, protocol: Protocol, path: str, start_ms: int, *headers: str
    ) -> tuple[list[bytes], list[bytes]]:
        """The requests of the first moment, and those of all others, moment after moment."""
        made = list(self._bounded(protocol, path, start_ms, headers))
        return made[: len(self.batches)], made[len(self.batches) :]

    def _bounded(
        self, protocol: Protocol, path: str, start_ms: int, headers: Sequence[str]
    ) -> Iterator[bytes]:
        size, most = 0, min(self.most_requests, protocol.most_requests)
        for moment in range(self.values.shape[1]):
            for number, batch in enumerate(self.batches):
                rows = self.values[number * TOGETHER : (number + 1) * TOGETHER, moment]
                request = protocol.request(path, batch, start_ms + moment * STEP_MS, rows, *headers)
                size += len(request)
                yield request
            if size > _MOST_BYTES or (moment + 1) * len(self.batches) >= most:
                return


def run(options: Options, folder: Path) -> list[Section]:
    """Measure Fleetkeeper by all protocols, then the peers by theirs."""
    samples = Samples.of(options.protocol_hosts, options.protocol_requests)
    section = Section(
        f"Ingest by protocol: {len(samples.hosts)} machines, {payloads.VALUES} values each, {TOGETHER} machines "
        f"to a request, {CONNECTIONS} connections"
    )
    if options.wants("fleetkeeper"):
        _fleetkeeper(options, folder, samples, section)
    if options.wants("peers"):
        _peers(options, folder, samples, section)
    _ratios(section)
    section.note(
        "Each machine's first moment, with which its series become known, is sent before it counts. "
        "Requests were made before the run; the sender's own cost is not in the figures."
    )
    section.note(
        "VictoriaMetrics acknowledges from memory, Prometheus once its log is written and not flushed; "
        "Fleetkeeper and InfluxDB once it is on the disk."
    )
    section.note("One web process and one generator share the processors; real senders come from elsewhere.")
    return [section]


def _fleetkeeper(options: Options, folder: Path, samples: Samples, section: Section) -> None:
    server = Server(folder / "fleetkeeper", web_processes=options.web_processes)
    try:
        keys = [key for _, key in server.enrol(samples.hosts)]
        start_ms = (int(time.time()) - AGE_SECONDS) * 1000
        length_ms = samples.values.shape[1] * STEP_MS
        plan = payloads.fleetkeeper_plan(samples.values, payloads.NATIVE_FRAMES, keys)
        plan.start_ms, plan.step_ms = start_ms, STEP_MS
        first_plan, rest_plan = _split(plan)
        outcome, cpu = _warm_and_measure(first_plan, rest_plan, server.port, options.seconds, server.groups())
        _add(section, "Fleetkeeper", _NATIVE, outcome, cpu, _count(server, start_ms, length_ms))
        for number, protocol in enumerate(PROTOCOLS, 1):
            begin = start_ms + number * length_ms
            authorization = f"Authorization: Bearer {server.token}"
            first, rest = samples.requests(protocol, protocol.path, begin, authorization)
            outcome, cpu = _warm_and_measure(
                _plan(first), _plan(rest), server.port, options.seconds, server.groups()
            )
            _add(section, "Fleetkeeper", protocol.name, outcome, cpu, _count(server, begin, length_ms))
        memory = sum(resident_mib(find()) for find in server.groups().values())
        section.note(f"Fleetkeeper's processes hold {memory:,.0f} MiB afterwards.")
    finally:
        server.stop()


def _count(server: Server, start_ms: int, length_ms: int) -> int:
    """Stored values of a while: protocols' moments follow on each other."""
    text = server.sql(
        "SELECT coalesce(sum((SELECT count(v) FROM unnest(values) v)), 0) FROM frames "
        f"WHERE ts >= to_timestamp({start_ms / 1000}) AND ts < to_timestamp({(start_ms + length_ms) / 1000});"
    )
    return int(text)


_TAKES: Sequence[tuple[Callable[[Path], Peer | None], str, Sequence[Protocol]]] = (
    (prometheus, "Prometheus", (REMOTE_WRITE,)),
    (victoria_metrics, "VictoriaMetrics", (REMOTE_WRITE, INFLUX)),
    (influxdb, "InfluxDB", (INFLUX,)),
)


def _peers(options: Options, folder: Path, samples: Samples, section: Section) -> None:
    for number, (start, title, protocols) in enumerate(_TAKES):
        for protocol in protocols:
            peer = start(folder / f"peer-{number}-{protocol.name[:6]}")
            if peer is None:
                section.note(f"{title} is not on this machine: left out; `.ci/peers` gets it")
                break
            try:
                path = peer.path if protocol is INFLUX else peer.remote_write
                start_ms = (int(time.time()) - AGE_SECONDS) * 1000
                first, rest = samples.requests(protocol, path, start_ms)
                groups = {"server": only(peer.started.pid)}
                outcome, cpu = _warm_and_measure(
                    _plan(first), _plan(rest), peer.port, options.seconds, groups
                )
                _add(section, peer.name, protocol.name, outcome, cpu, None)
            finally:
                peer.started.stop(60.0)
            shutil.rmtree(peer.folder)


def _warm_and_measure(
    first: Plan, rest: Plan, port: int, seconds: float, groups: Groups
) -> tuple[Outcome, dict[str, float]]:
    warm = Generator(first, port, connections=1).run(60, warm_up=0, max_requests=len(first.requests))
    if not warm.acknowledged:
        raise RuntimeError(f"nothing was acknowledged: {warm.unexpected.most_common(1)}")
    meter = CpuMeter(groups)
    generator = Generator(rest, port, connections=CONNECTIONS)
    outcome = generator.run(seconds, warm_up=0, max_requests=len(rest.requests))
    return outcome, meter.read()


def _split(plan: Plan) -> tuple[Plan, Plan]:
    """The first moments of all machines, and the rest."""
    rest_from = plan.start_ms + plan.frames_per_request * plan.step_ms
    return (
        replace(plan, requests=plan.requests[: plan.devices]),
        replace(plan, requests=plan.requests[plan.devices :], start_ms=rest_from),
    )


def _plan(requests: Sequence[bytes]) -> Plan:
    return Plan(
        name="",
        requests=[Request(bytearray(data), ()) for data in requests],
        devices=TOGETHER,
        frames_per_request=TOGETHER,
        values_per_frame=payloads.VALUES,
        nanoseconds=False,
        expect=b"",
        start_ms=0,
        step_ms=STEP_MS,
    )


def _add(
    section: Section, system: str, protocol: str, outcome: Outcome, cpu: dict[str, float], stored: int | None
) -> None:
    samples = TOGETHER * payloads.VALUES
    rate = outcome.requests_per_second * samples
    section.add(
        protocol=protocol,
        system=system,
        M_samples_per_s=rate / 1e6,
        p50_ms=outcome.quantile_ms(0.5),
        p99_ms=outcome.quantile_ms(0.99),
        cpu_s_per_M_samples=sum(cpu.values()) / max(outcome.acknowledged * samples / 1e6, 1e-9),
        cpu_seconds=", ".join(f"{name} {value:.1f}" for name, value in cpu.items()),
        seconds=outcome.seconds,
    )
    for text, count in outcome.unexpected.most_common(2):
        section.note(f"{system}, {protocol}: {count:,} unexpected answers: {text}")
    if stored is not None and stored < outcome.acknowledged * samples:
        section.note(
            f"{system}, {protocol}: NOT AS ACKNOWLEDGED: {stored:,} of {outcome.acknowledged * samples:,} stored"
        )


def _ratios(section: Section) -> None:
    ours = {row["protocol"]: row["M_samples_per_s"] for row in section.rows if row["system"] == "Fleetkeeper"}
    for row in section.rows:
        mine = ours.get(row["protocol"])
        if row["system"] != "Fleetkeeper" and mine and row["M_samples_per_s"]:
            row["fleetkeeper_is_x"] = mine / row["M_samples_per_s"]
