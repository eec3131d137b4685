"""The samples that Prometheus and the engine both get: made up, the same each time."""

import random
from collections.abc import Callable, Iterator

import numpy as np

from fleetkeeper.telemetry.promql.labels import make_labels
from fleetkeeper.telemetry.promql.samples import STALE_BITS
from fleetkeeper.telemetry.promql.source import SourceSeries

START = 1_700_000_000
DURATION = 7200
STALE = float(np.array([STALE_BITS], np.uint64).view(np.float64)[0])
NAN, INF = float("nan"), float("inf")
Point = tuple[float, float]


def dataset(start: int = START) -> list[SourceSeries]:
    """All series, the first samples shortly after `start` (epoch seconds)."""
    return [
        SourceSeries(
            make_labels(labels),
            np.array([round((start + time) * 1000) * 1000 for time, _ in points], np.int64),
            np.array([value for _, value in points], np.float64),
        )
        for labels, points in _series(random.Random(20))
    ]


def _moments(chance: random.Random, *, every: float = 15, jitter: float = 0.4) -> list[float]:
    phase = chance.uniform(0, every)
    count = int((DURATION - every) / every)
    return [round(phase + index * every + chance.uniform(0, jitter), 3) for index in range(count)]


def _gauge(chance: random.Random, next_value: Callable[[int], float], every: float = 15) -> list[Point]:
    return [(time, next_value(index)) for index, time in enumerate(_moments(chance, every=every))]


def _counter(chance: random.Random, step: float, resets: float) -> list[Point]:
    total, points = chance.uniform(0, 1000), []
    for time in _moments(chance):
        total = chance.uniform(0, step) if chance.random() < resets else total + chance.expovariate(1 / step)
        points.append((time, total))
    return points


def _with_gaps(chance: random.Random, points: list[Point], *, marked: bool) -> list[Point]:
    """Leave out runs of samples; where `marked`, each run begins with a stale marker."""
    kept, gap_until = [], -1.0
    for time, value in points:
        if time < gap_until:
            continue
        if gap_until < 0 and chance.random() < 0.02:
            gap_until = time + chance.uniform(60, 900)
            if marked:
                kept.append((time, STALE))
            continue
        gap_until = -1.0
        kept.append((time, value))
    return kept


def _series(chance: random.Random) -> Iterator[tuple[dict[str, str], list[Point]]]:
    for instance in ("a:9100", "b:9100", "c:9100"):
        for method in ("GET", "POST"):
            for code in ("200", "500"):
                points = _counter(chance, 50 if code == "200" else 0.5, 0.01)
                yield (
                    {
                        "__name__": "http_requests_total",
                        "job": "web",
                        "instance": instance,
                        "method": method,
                        "code": code,
                    },
                    _with_gaps(chance, points, marked=instance == "b:9100")
                    if instance != "a:9100"
                    else points,
                )
        yield from _gauges(chance, instance)
        yield from _histogram(chance, instance)
    yield from _oddities(chance)


def _gauges(chance: random.Random, instance: str) -> Iterator[tuple[dict[str, str], list[Point]]]:
    base = {"job": "node", "instance": instance}
    for room in ("north", "south"):
        yield (
            {"__name__": "temperature", "room": room, **base},
            _gauge(chance, lambda _: round(chance.gauss(5, 10), 4)),
        )
    yield (
        {"__name__": "load", **base},
        _gauge(chance, lambda _: chance.choice((0.0, 0.5, 1.5, chance.random()))),
    )
    yield (
        {"__name__": "flapping", **base},
        _with_gaps(chance, _gauge(chance, lambda index: float(index % 7)), marked=True),
    )
    yield (
        {"__name__": "strange", **base},
        _gauge(chance, lambda _: chance.choice((1.0, 2.5, -3.0, NAN, INF, -INF, 0.0, 1e9))),
    )
    yield (
        {"__name__": "some_nan", **base},
        _gauge(chance, lambda _: NAN if chance.random() < 0.1 else chance.random()),
    )
    yield {"__name__": "sparse", **base}, _gauge(chance, lambda index: index * 3.0, every=420)
    yield {"__name__": "rising", **base}, _gauge(chance, lambda index: index * 2 + chance.random())
    yield (
        {"__name__": "machine_info", "version": "1." + instance[0], "os": "debian", **base},
        _gauge(chance, lambda _: 1.0, every=30),
    )
    yield (
        {"__name__": "up", **base},
        _with_gaps(chance, _gauge(chance, lambda _: float(chance.random() < 0.9)), marked=False),
    )


def _histogram(chance: random.Random, instance: str) -> Iterator[tuple[dict[str, str], list[Point]]]:
    moments = _moments(chance)
    bounds = ["0.05", "0.1", "0.5", "1", "2.5", "+Inf"]
    counts = [0.0] * len(bounds)
    rows: list[list[float]] = []
    for index in range(len(moments)):
        if index == 200:
            counts = [0.0] * len(bounds)
        for first in (chance.randrange(len(bounds)) for _ in range(chance.randrange(8))):
            counts = [count + (place >= first) for place, count in enumerate(counts)]
        rows.append(counts)
    base = {"job": "web", "instance": instance}
    for place, bound in enumerate(bounds):
        points = [(time, row[place]) for time, row in zip(moments, rows, strict=True)]
        if bound == "0.5" and instance == "c:9100":
            points = [point for point in points if not 2000 < point[0] < 4000]
        yield {"__name__": "latency_seconds_bucket", "le": bound, **base}, points
    totals = [(time, row[-1]) for time, row in zip(moments, rows, strict=True)]
    yield {"__name__": "latency_seconds_count", **base}, totals
    yield {"__name__": "latency_seconds_sum", **base}, [(time, value * 0.7) for time, value in totals]


def _oddities(chance: random.Random) -> Iterator[tuple[dict[str, str], list[Point]]]:
    for index, (kind, bound) in enumerate(
        [
            ("doubled", "1"), ("doubled", "1.0"), ("doubled", "2"), ("doubled", "+Inf"),
            ("falling", "1"), ("falling", "2"), ("falling", "3"), ("falling", "Inf"),
            ("open", "1"), ("open", "2"), ("lonely", "+Inf"), ("wrong", "one"), ("wrong", ""),
            ("below", "-2"), ("below", "-1"), ("below", "+Inf"), ("broken", "1"), ("broken", "NaN"),
        ]
    ):  # fmt: skip
        start = float(100 - index) if kind == "falling" else float(index)
        labels = {"__name__": "odd_bucket", "kind": kind, "le": bound}
        yield labels, _gauge(chance, lambda step, start=start: start * (step + 1))
    for room in ("x", "y"):
        for name in ("twin_a", "twin_b"):
            yield {"__name__": name, "room": room}, _gauge(chance, lambda _: chance.random())
    yield {"__name__": "early", "room": "x"}, [(float(time), 1.0) for time in range(0, 2000, 15)]
    yield {"__name__": "late", "room": "x"}, [(float(time), 2.0) for time in range(4000, 7000, 15)]
    texts = {"quote": 'say "hi"', "slash": "a\\b", "accent": "Zürich", "path": "/var/log", "empty": ""}
    for number, (room, text) in enumerate(texts.items()):
        yield (
            {"__name__": "texts", "room": room, "text": text},
            _gauge(chance, lambda _, number=number: number + 0.25),
        )
    numbers = {
        "past": -3_000_000_000.0, "leap": 951_782_400.0, "now": 1_700_000_000.7, "far": 253_402_300_800.0,
        "zero": 0.0, "minus": -0.5, "end": 4_102_444_799.0, "century": -2_203_891_200.0,
        "none": NAN, "endless": INF, "far_back": -1e17,
    }  # fmt: skip
    for kind, value in numbers.items():
        yield {"__name__": "moment", "kind": kind}, _gauge(chance, lambda _, value=value: value)
    sizes = {
        "huge": 1e300,
        "tiny": 1e-300,
        "million": 1e6,
        "exact": 2.0**53 + 2,
        "third": 1 / 3,
        "minus_zero": -0.0,
    }
    for kind, value in sizes.items():
        yield (
            {"__name__": "size", "kind": kind},
            _gauge(chance, lambda index, value=value: value * (1 + index % 3)),
        )
    yield {"__name__": "constant"}, _gauge(chance, lambda _: 4.0)
    yield {"__name__": "cancelling"}, _gauge(chance, lambda index: (1e16, 1.0, -1e16)[index % 3])
    yield {"__name__": "even"}, [(float(time), float(time)) for time in range(0, DURATION, 10)]
