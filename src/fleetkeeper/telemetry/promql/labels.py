"""Label sets: sorted tuples of (name, value), to be compared and hashed. A label without value is none."""

import re
from collections.abc import Collection, Iterable, Mapping

from fleetkeeper.telemetry.promql.formatting import quoted

Labels = tuple[tuple[str, str], ...]

NAME = "__name__"
BUCKET = "le"
NO_LABELS: Labels = ()
_ESCAPED = re.compile("_(?:_|(0?[0-9a-fA-F]{1,5}|10[0-9a-fA-F]{4})_)")
_METRIC_NAME = re.compile(r"[a-zA-Z_:][a-zA-Z0-9_:]*")
_LABEL_NAME = re.compile(r"[a-zA-Z_][a-zA-Z0-9_]*")


def make_labels(pairs: Mapping[str, str] | Iterable[tuple[str, str]]) -> Labels:
    """A label set from names and values."""
    items = pairs.items() if isinstance(pairs, Mapping) else pairs
    return tuple(sorted((name, value) for name, value in items if value))


def is_label_name(text: str) -> bool:
    """Whether Prometheus takes this as the name of a label."""
    return _LABEL_NAME.fullmatch(text) is not None


def is_plain_name(text: str) -> bool:
    """Whether Prometheus 2 takes this as the name of a metric."""
    return _METRIC_NAME.fullmatch(text) is not None


def unescaped_name(text: str) -> str:
    """A name that addresses have as `U__…`, as Prometheus 3 escapes names that are not plain; others as they are."""
    if not text.startswith("U__"):
        return text
    return _ESCAPED.sub(lambda found: chr(int(found[1], 16)) if found[1] else "_", text[3:])


def label_spelling(name: str) -> str:
    """A label's name as a query has it: in quotes, where it is none that Prometheus 2 knew."""
    return name if is_label_name(name) else quoted(name)


def label_value(labels: Labels, name: str) -> str:
    """The value of a label; nothing when there is none."""
    for known, value in labels:
        if known == name:
            return value
    return ""


def without_name(labels: Labels) -> Labels:
    """All labels but the metric's name."""
    return tuple(pair for pair in labels if pair[0] != NAME)


def without(labels: Labels, names: Collection[str]) -> Labels:
    """All labels but some."""
    return tuple(pair for pair in labels if pair[0] not in names)


def only(labels: Labels, names: Collection[str]) -> Labels:
    """Some of the labels."""
    return tuple(pair for pair in labels if pair[0] in names)


def with_label(labels: Labels, name: str, value: str) -> Labels:
    """The labels with one set; an empty value takes it away."""
    others = tuple(pair for pair in labels if pair[0] != name)
    return tuple(sorted((*others, (name, value)))) if value else others


def label_text(labels: Labels) -> str:
    """The spelling in messages: `name{a="b"}`, or `{a="b"}` for labels without name."""
    inner = ", ".join(f"{label_spelling(name)}={quoted(value)}" for name, value in labels if name != NAME)
    metric = label_value(labels, NAME)
    return metric if metric and not inner else f"{metric}{{{inner}}}"
