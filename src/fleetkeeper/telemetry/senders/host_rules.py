"""Finds the host that a sample belongs to, by the rules of an administrator. Pure.

Patterns are RE2's, which need time in proportion to the text, whoever wrote either.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple
from uuid import UUID

import re2

from fleetkeeper.telemetry.host_mark import HOST_MARK
from fleetkeeper.telemetry.senders.metric_names import label_name, otlp_label_name

ANY = "any"
_OPTIONS = re2.Options()
_OPTIONS.log_errors = False
_OPTIONS.max_mem = 1 << 20


class PatternError(ValueError):
    """A pattern cannot be used; the message says why."""


class HostMatch(NamedTuple):
    """The host that a rule found: in which label's value, and from where to where."""

    host: str
    label: str
    value: str
    start: int
    end: int
    rule_id: UUID

    @property
    def marked(self) -> str:
        """The value with the mark in the host's place."""
        return self.value[: self.start] + HOST_MARK + self.value[self.end :]


@dataclass(frozen=True)
class HostRule:
    """One rule, ready to be used."""

    id: UUID
    protocol: str
    labels: Sequence[str]
    pattern: Any

    @classmethod
    def compile(cls, rule_id: UUID, protocol: str, labels: Sequence[str], pattern: str) -> "HostRule":
        """Raises PatternError."""
        return cls(rule_id, protocol, tuple(labels), compile_pattern(pattern))

    def find(self, labels: Mapping[str, str], origin: Mapping[str, str] | None) -> HostMatch | None:
        """The host, if one of the rule's labels is there and the pattern fits."""
        for name in self.labels:
            value = labels.get(name) or (origin or {}).get(name) or ""
            if not value:
                continue
            if self.pattern is None:
                return HostMatch(value, name, value, 0, len(value), self.id)
            match = self.pattern.search(value)
            if match is None:
                continue
            group = 1 if self.pattern.groups else 0
            if match.group(group):
                return HostMatch(
                    match.group(group), name, value, match.start(group), match.end(group), self.id
                )
        return None


def compile_pattern(pattern: str) -> Any:
    """A pattern with at most one group; None for an empty one. Raises PatternError."""
    if not pattern:
        return None
    try:
        compiled = re2.compile(pattern, options=_OPTIONS)
    except re2.error as error:
        reason = error.args[0] if error.args else ""
        text = reason.decode(errors="replace") if isinstance(reason, bytes) else str(reason)
        raise PatternError(f"Must be a regular expression in the syntax of RE2: {text}") from None
    if compiled.groups > 1:
        raise PatternError("Must have at most one group in parentheses, the host; write others as (?:…)")
    return compiled


def find_host(
    rules: Iterable[HostRule], protocol: str, labels: Mapping[str, str], origin: Mapping[str, str] | None
) -> HostMatch | None:
    """What the first rule that fits finds."""
    for rule in rules:
        if rule.protocol in {ANY, protocol}:
            match = rule.find(labels, origin)
            if match is not None:
                return match
    return None


def mark_labels(labels: Mapping[str, str], match: HostMatch) -> dict[str, str]:
    """The labels as they are stored when the host is the device's own primary name.

    A host that came as an attribute of the sender stands in the label made of it, or in `instance`, there perhaps
    with a port.
    """
    names = {match.label, label_name(match.label), otlp_label_name(match.label)}
    marked = {
        name: match.marked if name in names and value == match.value else value
        for name, value in labels.items()
    }
    instance = labels.get("instance", "")
    if "instance" not in names and (instance == match.host or instance.startswith(f"{match.host}:")):
        marked["instance"] = HOST_MARK + instance[len(match.host) :]
    return marked
