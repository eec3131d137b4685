"""From a batch to the samples that are stored, and those that are refused. Pure."""

import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from fleetkeeper.telemetry.channels import MAX_KEY_LENGTH, is_too_long
from fleetkeeper.telemetry.chunks.codec import is_missing
from fleetkeeper.telemetry.host_mark import HOST_MARK, key_with_host
from fleetkeeper.telemetry.reasons import Reason
from fleetkeeper.telemetry.samples import SampleColumns
from fleetkeeper.telemetry.senders.batches import SampleBatch, Series
from fleetkeeper.telemetry.senders.host_rules import HostMatch, mark_labels
from fleetkeeper_protocol.metrics import (
    MAX_LABEL_NAME_LENGTH,
    MAX_LABEL_VALUE_LENGTH,
    MAX_METRIC_NAME_LENGTH,
    format_channel,
    is_label_name,
    is_metric_name,
)

MAX_EXAMPLE_LENGTH = 300


@dataclass(frozen=True, slots=True)
class Refusal:
    """Samples that are not stored: why, for counters and in a sentence, how many, and one of their series.

    `series` are the numbers of all of these in the batch; there are none where the samples could not be read.
    """

    reason: Reason
    samples: int
    sentence: str
    example: str = ""
    # The device that they were for, where it was found and may be written for.
    device_id: bytes = b""
    series: Sequence[int] = ()


def check_labels(labels: Mapping[str, str]) -> tuple[Reason, str] | None:
    """Why a series cannot be stored under these labels: a reason and a sentence; None when it can."""
    name = labels.get("__name__", "")
    if not is_metric_name(name):
        return (
            Reason.BAD_NAME,
            f"{name[:80]!r} is no metric name: 1 to {MAX_METRIC_NAME_LENGTH} characters, none of them a control",
        )
    for label, value in labels.items():
        if not is_label_name(label):
            return (
                Reason.BAD_LABEL,
                f"{name}: label {label[:80]!r} has not 1 to {MAX_LABEL_NAME_LENGTH} characters, or a control",
            )
        if len(value) > MAX_LABEL_VALUE_LENGTH:
            return (
                Reason.LABEL_TOO_LONG,
                f"{name}: label {label} has more than {MAX_LABEL_VALUE_LENGTH} characters",
            )
        if "\x00" in value or HOST_MARK in value:
            return Reason.BAD_LABEL, f"{name}: label {label} has a NUL or a reserved character"
    return None


def settle(series: Series, device_id: bytes, match: HostMatch | None, *, is_primary: bool) -> None:
    """Say where a series' samples go. The device's primary name is left out of the labels that are stored."""
    labels = series.labels or {}
    if match is not None and is_primary:
        labels = mark_labels(labels, match)
    named = {name: value for name, value in labels.items() if value and name != "__name__"}
    key = format_channel(labels["__name__"], named)
    if is_too_long(key):
        refuse(
            series,
            Reason.TOO_LONG,
            f"{labels['__name__']} with its labels has more than {MAX_KEY_LENGTH} characters",
        )
        return
    series.device_id, series.key = device_id, sys.intern(key)
    series.host = "" if match is None else match.host
    series.labels = series.origin = None


def refuse(series: Series, reason: Reason, sentence: str) -> None:
    """Say why a series' samples are not stored."""
    series.reason, series.problem = reason, sentence


def columns_of(
    batch: SampleBatch, unreachable: set[bytes], sentence_of: Callable[[str], str]
) -> tuple[SampleColumns, list[Refusal]]:
    """What is to be stored, and what is not: refused series, and those of devices that the caller cannot reach.

    `sentence_of` says of a host why it is out of reach.
    """
    refused: list[Refusal] = [
        Refusal(reason, number, sentence, example_of(batch.examples.get(reason, "")))
        for reason, (number, sentence) in batch.left_out.items()
    ]
    _clear_missing(batch)
    series, lengths = batch.series, np.diff(batch.starts)
    columns = SampleColumns(series, np.repeat(np.arange(len(series)), lengths), batch.times_us, batch.values)
    out = [
        index
        for index, one in enumerate(series)
        if one.reason is not None or (unreachable and one.device_id in unreachable)
    ]
    for index in out:
        one, number = series[index], int(lengths[index])
        if not number:
            continue
        if one.reason is not None:
            reason, sentence = one.reason, one.problem or one.reason.sentence
        else:
            reason, sentence = Reason.UNKNOWN_HOST, sentence_of(one.host)
        refused.append(Refusal(reason, number, sentence, example_of(one), series=(index,)))
    if out:
        kept = np.ones(len(series), bool)
        kept[out] = False
        columns = columns.only(kept[columns.of])
    return columns, refused


def repeated(series: Sequence[Series], again: Iterable[tuple[int, int]]) -> tuple[int, list[Refusal]]:
    """Of samples that came behind another of their channel and moment: how many are no duplicates, and why.

    Those of one series are duplicates; what its sender told apart from the other series is lost, and said so.
    """
    lost: dict[Series, list[int]] = {}
    for later, first in again:
        if series[later].identity != series[first].identity:
            lost.setdefault(series[later], []).append(later)
    refusals = []
    for one, numbers in lost.items():
        name = example_of(one)
        sentence = f"{name}: {Reason.COLLISION.sentence}"
        refusals.append(Refusal(Reason.COLLISION, len(numbers), sentence, name, one.device_id, numbers))
    return sum(map(len, lost.values())), refusals


def example_of(series: Series | str) -> str:
    """A series in a short spelling, as its sender named it or as it is stored; a text is cut."""
    if isinstance(series, str):
        return series[:MAX_EXAMPLE_LENGTH]
    if series.key:
        return key_with_host(series.key, series.host)[:MAX_EXAMPLE_LENGTH]
    labels = dict(series.labels or {})
    name = labels.pop("__name__", "")
    return format_channel(name, labels)[:MAX_EXAMPLE_LENGTH] if labels or name else ""


def _clear_missing(batch: SampleBatch) -> None:
    """A NaN from outside must not look like the one that means "no value"."""
    wrong = is_missing(batch.values)
    if wrong.any():
        batch.values[wrong] = np.nan
