"""Resources of OTLP in JSON that come again and again with other numbers. Pure.

In JSON without blanks, a time or value stands behind its field's name. Cut out the numbers, and what is left says which
series they belong to, if it was read before. As with protobuf, anything else is no business of this file.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec
import numpy as np

from fleetkeeper.telemetry.senders.batches import MAX_MICROSECONDS, Meaning, Series
from fleetkeeper.telemetry.senders.otlp_runs import digest

_TIME, _DOUBLE, _INT, _START = b"timeUnixNano", b"asDouble", b"asInt", b"startTimeUnixNano"
# A text has no such name with a quote on either side and a colon behind it: its own quotes are escaped.
_NUMBER = re.compile(rb'"(timeUnixNano|asDouble|asInt|startTimeUnixNano)":"?([0-9.eE+-]+)')
_UNSIGNED = re.compile(rb"0|[1-9][0-9]{0,18}")
_SIGNED = re.compile(rb"0|-?[1-9][0-9]{0,17}")
_decoder = msgspec.json.Decoder(list[float])

Samples = tuple[list[int], list[float]]


@dataclass(frozen=True, slots=True)
class CutResource:
    """A resource without its numbers, and these with their fields' names."""

    # A digest of all that is left.
    key: bytes
    names: bytes
    numbers: Sequence[bytes]

    @classmethod
    def of(cls, message: bytes) -> "CutResource":
        """Cut a resource's JSON."""
        parts = _NUMBER.split(message)
        names = b" ".join(parts[1::3])
        # A control character stands nowhere in JSON that is read.
        return cls(digest(b"\x00".join([*parts[::3], names])), names, parts[2::3])


@dataclass(frozen=True, slots=True)
class JsonRun:
    """A resource that was read before."""

    series: Sequence[Series] = ()
    meanings: Mapping[str, Meaning] | None = None
    # Resource, scopes and metrics.
    parts: int = 0
    times: Sequence[int] = ()
    values: Sequence[int] = ()
    ints: Sequence[int] = ()
    # Those that are times at which something started.
    others: Sequence[int] = ()

    @property
    def weight(self) -> int:
        """Each metric has a meaning, whether it has points or not."""
        return len(self.series) + max(self.parts, 1)

    def read(self, numbers: Sequence[bytes]) -> Samples | None:
        """Times in microseconds and values, one for each of the series."""
        time_of: dict[bytes, int] = {}
        for text in {numbers[index] for index in self.times}:
            if not _UNSIGNED.fullmatch(text) or text == b"0":
                return None
            time_of[text] = min(int(text) // 1000, MAX_MICROSECONDS)
        if not all(_SIGNED.fullmatch(numbers[index]) for index in self.ints):
            return None
        if not all(map(_UNSIGNED.fullmatch, {numbers[index] for index in self.others})):
            return None
        try:
            values = _decoder.decode(b"[" + b",".join([numbers[index] for index in self.values]) + b"]")
        except msgspec.DecodeError:
            return None
        return [time_of[numbers[index]] for index in self.times], values


# A resource that was read once, and is learned when it comes again; and one that cannot be learned.
SEEN, UNUSUAL = JsonRun(), JsonRun()


def learn(
    cut: CutResource, series: Sequence[Series], samples: Samples, meanings: Mapping[str, Meaning], parts: int
) -> JsonRun | None:
    """A resource without histograms that had these series and samples.

    Each series comes of a point with a time and a value; so where there are as many of both as series, each point has
    one of both.
    """
    names = cut.names.split(b" ")
    times = [index for index, name in enumerate(names) if name == _TIME]
    values = [index for index, name in enumerate(names) if name in {_DOUBLE, _INT}]
    ints = [index for index in values if names[index] == _INT]
    if not len(times) == len(values) == len(series):
        return None
    others = [index for index, name in enumerate(names) if name == _START]
    run = JsonRun(tuple(series), meanings, parts, times, values, ints, others)
    # A point may say that its value is none.
    return run if _bits(run.read(cut.numbers)) == _bits(samples) else None


def _bits(samples: Samples | None) -> Any:
    return samples and (samples[0], np.array(samples[1], np.float64).tobytes())
