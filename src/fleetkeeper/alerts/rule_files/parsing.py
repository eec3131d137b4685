"""Reads Prometheus' rule files, as `promtool check rules` of 2.42 does (pkg/rulefmt), and says all that is wrong.

`query_offset`, which newer ones have, is read, too.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, TypeVar

from fleetkeeper.alerts.rule_files import nodes
from fleetkeeper.alerts.rule_files.contents import (
    MOST_PROBLEMS,
    FileGroup,
    FileRule,
    Places,
    Problem,
    RuleFile,
)
from fleetkeeper.alerts.templates.errors import TemplateError
from fleetkeeper.alerts.templates.template import check
from fleetkeeper.kit.durations import milliseconds
from fleetkeeper.telemetry.promql.errors import BadDataError
from fleetkeeper.telemetry.promql.parsing import parse_query

MOST_RULES = 2000
_LABEL = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_METRIC = re.compile(r"[A-Za-z_:][A-Za-z0-9_:]*")
_GROUP_FIELDS = ("name", "interval", "limit", "query_offset", "rules")
_RULE_FIELDS = ("alert", "record", "expr", "for", "keep_firing_for", "labels", "annotations")
_T = TypeVar("_T")


def parse(text: str) -> tuple[RuleFile, list[Problem]]:
    """The rules of a file, as far as they can be read, and what is wrong. Raises RuleFileError for no YAML."""
    root = nodes.compose(text)
    if root is None or nodes.is_null(root):
        return RuleFile(), []
    reader = _Reader()
    return reader.file(root), reader.problems


def _integer(node: nodes.Node) -> int:
    text = nodes.text_of(node)
    if not text:
        return 0
    if not re.fullmatch(r"[+-]?[0-9]{1,9}", text):
        raise ValueError("Must be a whole number")
    return int(text)


def _duration(node: nodes.Node) -> int:
    return 0 if nodes.is_null(node) else milliseconds(nodes.text_of(node))


class _Reader:
    """Reads on after what is wrong, to say all of it."""

    def __init__(self) -> None:
        self.problems: list[Problem] = []
        self._group = self._rule = ""
        self._names: set[str] = set()
        self._rules = 0

    def file(self, root: nodes.Node) -> RuleFile:
        given = self._mapping(root)
        self._check_names(given, ("groups",))
        groups = [self._read_group(node) for node in self._value(given, "groups", nodes.items_of, [])]
        return RuleFile(tuple(groups))

    def _read_group(self, node: nodes.Node) -> FileGroup:
        self._group = self._rule = ""
        begun = len(self.problems)
        given = self._mapping(node)
        name = self._group = self._value(given, "name", nodes.text_of, "")
        self._check_names(given, _GROUP_FIELDS)
        if not name:
            self._wrong(node, "name", "A group needs a name")
        elif name in self._names:
            self._wrong(node, "name", "Another group of this file has this name")
        self._names.add(name)
        group = FileGroup(
            name,
            self._value(given, "interval", _duration, 0),
            self._value(given, "limit", _integer, 0),
            self._value(given, "query_offset", _duration, 0),
            tuple(self._read_rule(one) for one in self._value(given, "rules", nodes.items_of, [])),
            self._places(node, given, begun),
        )
        self._group = self._rule = ""
        return group

    def _read_rule(self, node: nodes.Node) -> FileRule:
        self._rule = ""
        self._rules += 1
        if self._rules == MOST_RULES + 1:
            self._wrong(node, "", f"A file has at most {MOST_RULES:,} rules")
        begun = len(self.problems)
        given = self._mapping(node)
        alert = self._value(given, "alert", nodes.text_of, "")
        record = self._value(given, "record", nodes.text_of, "")
        self._rule = alert or record
        self._check_names(given, _RULE_FIELDS)
        rule = FileRule(
            expr=self._value(given, "expr", nodes.text_of, ""),
            alert=alert,
            record=record,
            for_ms=self._value(given, "for", _duration, 0),
            keep_firing_ms=self._value(given, "keep_firing_for", _duration, 0),
            labels=self._texts(given, "labels"),
            annotations=self._texts(given, "annotations"),
        )
        self._check(node, given, rule)
        return replace(rule, places=self._places(node, given, begun))

    def _check(self, node: nodes.Node, given: Mapping[str, nodes.Node], rule: FileRule) -> None:
        if bool(rule.alert) == bool(rule.record):
            self._wrong(node, "", "Give either alert or record")
        if rule.expr:
            try:
                parse_query(rule.expr)
            except BadDataError as error:
                self._wrong(given["expr"], "expr", str(error))
        else:
            self._wrong(node, "expr", "A rule needs an expression")
        if rule.record and not rule.alert:
            self._check_recording(node, rule)
        elif rule.alert:
            for name, texts in (("labels", rule.labels), ("annotations", rule.annotations)):
                for key, text in texts.items():
                    self._check_template(given[name], f"{name}.{key}", text)

    def _check_recording(self, node: nodes.Node, rule: FileRule) -> None:
        unfit = {
            "for": rule.for_ms,
            "keep_firing_for": rule.keep_firing_ms,
            "annotations": rule.annotations,
        }
        for name, value in unfit.items():
            if value:
                self._wrong(node, name, "A recording rule has none")
        if not _METRIC.fullmatch(rule.record):
            self._wrong(node, "record", "Must be the name of a metric")

    def _check_template(self, node: nodes.Node, name: str, text: str) -> None:
        try:
            check(text)
        except TemplateError as error:
            self._wrong(node, name, str(error))

    def _texts(self, given: Mapping[str, nodes.Node], field: str) -> dict[str, str]:
        """The labels or annotations of a rule."""
        found = {}
        for key, value in self._value(given, field, nodes.pairs_of, []):
            name = key.value
            if not _LABEL.fullmatch(name) or (field == "labels" and name == "__name__"):
                self._wrong(key, field, f"{name!r} is not the name of a label")
            found[name] = self._value({name: value}, name, nodes.text_of, "", f"{field}.{name}")
        return found

    def _mapping(self, node: nodes.Node) -> dict[str, nodes.Node]:
        try:
            return {key.value: value for key, value in nodes.pairs_of(node)}
        except ValueError as error:
            self._wrong(node, "", str(error))
            return {}

    def _check_names(self, given: Mapping[str, nodes.Node], allowed: tuple[str, ...]) -> None:
        for name, node in given.items():
            if name not in allowed:
                self._wrong(node, name, f"No such field; there are {', '.join(allowed)}")

    def _places(self, node: nodes.Node, given: Mapping[str, nodes.Node], begun: int) -> Places:
        wrong = {one.field.partition(".")[0] for one in self.problems[begun:]}
        lines = {name: nodes.line_of(value) for name, value in given.items()}
        return Places(nodes.line_of(node), lines, frozenset(wrong))

    def _value(
        self,
        given: Mapping[str, nodes.Node],
        field: str,
        read: Callable[[nodes.Node], _T],
        default: Any,
        shown: str = "",
    ) -> _T:
        """What a field holds; its default where it is not given, or wrong."""
        node = given.get(field)
        if node is None:
            return default  # type: ignore[no-any-return]
        try:
            return read(node)
        except ValueError as error:
            self._wrong(node, shown or field, str(error))
            return default  # type: ignore[no-any-return]

    def _wrong(self, node: nodes.Node, field: str, message: str) -> None:
        if len(self.problems) < MOST_PROBLEMS:
            self.problems.append(Problem(nodes.line_of(node), self._group, self._rule, field, message))
