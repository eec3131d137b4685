"""From a batch to the samples that are stored, and those that are refused. Pure."""

import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from fleetkeeper.telemetry.chunks.codec import is_missing
from fleetkeeper.telemetry.host_mark import HOST_MARK
from fleetkeeper.telemetry.samples import SampleColumns
from fleetkeeper.telemetry.senders.batches import SampleBatch, Series
from fleetkeeper.telemetry.senders.host_rules import HostMatch, mark_labels
from fleetkeeper_protocol.metrics import LABEL_NAME, MAX_LABEL_VALUE_LENGTH, METRIC_NAME, format_channel

MAX_KEY_LENGTH = 1000


@dataclass(frozen=True, slots=True)
class Refusal:
    """Samples that are not stored: why, in a word for counters and in a sentence, and how many."""

    reason: str
    samples: int
    sentence: str


def check_labels(labels: Mapping[str, str]) -> tuple[str, str]:
    """Why a series cannot be stored under these labels: a word and a sentence; two empty texts when it can."""
    name = labels.get("__name__", "")
    if not METRIC_NAME.fullmatch(name):
        return (
            "bad_name",
            f"{name[:80]!r} is no metric name: letters, digits, underscores and colons, at most 200",
        )
    for label, value in labels.items():
        if label != "__name__" and not LABEL_NAME.fullmatch(label):
            return (
                "bad_label",
                f"{name} has the label {label[:80]!r}: a name has letters, digits and underscores",
            )
        if len(value) > MAX_LABEL_VALUE_LENGTH:
            return (
                "label_too_long",
                f"{name}: label {label} has more than {MAX_LABEL_VALUE_LENGTH} characters",
            )
        if "\x00" in value or HOST_MARK in value:
            return "bad_label", f"{name}: label {label} has a NUL or a reserved character"
    return "", ""


def settle(series: Series, device_id: bytes, match: HostMatch | None, *, is_primary: bool) -> None:
    """Say where a series' samples go. The device's primary name is left out of the labels that are stored."""
    labels = series.labels or {}
    if match is not None and is_primary:
        labels = mark_labels(labels, match)
    named = {name: value for name, value in labels.items() if value and name != "__name__"}
    key = format_channel(labels["__name__"], named)
    if len(key) > MAX_KEY_LENGTH:
        refuse(
            series,
            "too_long",
            f"{labels['__name__']} with its labels has more than {MAX_KEY_LENGTH} characters",
        )
        return
    series.device_id, series.key = device_id, sys.intern(key)
    series.host = "" if match is None else match.host
    series.labels = series.origin = None


def refuse(series: Series, reason: str, sentence: str) -> None:
    """Say why a series' samples are not stored."""
    series.reason, series.problem = reason, sentence


def columns_of(
    batch: SampleBatch, unreachable: set[bytes], sentence_of: Callable[[str], str]
) -> tuple[SampleColumns, list[Refusal]]:
    """What is to be stored, and what is not: refused series, and those of devices that the caller cannot reach.

    `sentence_of` says of a host why it is out of reach.
    """
    refused: list[Refusal] = [
        Refusal(reason, number, sentence) for reason, (number, sentence) in batch.left_out.items()
    ]
    _clear_missing(batch)
    series, lengths = batch.series, np.diff(batch.starts)
    columns = SampleColumns(series, np.repeat(np.arange(len(series)), lengths), batch.times_us, batch.values)
    out = [
        index
        for index, one in enumerate(series)
        if one.reason or (unreachable and one.device_id in unreachable)
    ]
    for index in out:
        one, number = series[index], int(lengths[index])
        if one.reason:
            refused.append(Refusal(one.reason, number, one.problem))
        else:
            refused.append(Refusal("unknown_host", number, sentence_of(one.host)))
    if out:
        kept = np.ones(len(series), bool)
        kept[out] = False
        columns = columns.only(kept[columns.of])
    return columns, refused


def _clear_missing(batch: SampleBatch) -> None:
    """A NaN from outside must not look like the one that means "no value"."""
    wrong = is_missing(batch.values)
    if wrong.any():
        batch.values[wrong] = np.nan
