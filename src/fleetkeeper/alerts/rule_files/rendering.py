"""Writes rule files as Prometheus reads them."""

from typing import Any

import yaml

from fleetkeeper.alerts.rule_files.contents import FileGroup, FileRule, RuleFile
from fleetkeeper.kit.durations import duration


class _Dumper(yaml.SafeDumper):
    """Quotes what would read back as another line break."""

    def represent_text(self, text: str) -> yaml.ScalarNode:
        """A text as a node."""
        style = '"' if any(mark in text for mark in _BREAKS) else None
        return self.represent_scalar("tag:yaml.org,2002:str", text, style=style)


_BREAKS = "\r\x85\u2028\u2029\ufeff"
_Dumper.add_representer(str, _Dumper.represent_text)


def render(file: RuleFile) -> str:
    """YAML that parses to the same."""
    content = {"groups": [_group(one) for one in file.groups]}
    text: str = yaml.dump(content, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=2**20)
    return text


def _group(group: FileGroup) -> dict[str, Any]:
    content: dict[str, Any] = {"name": group.name}
    if group.interval_ms:
        content["interval"] = duration(group.interval_ms)
    if group.limit:
        content["limit"] = group.limit
    if group.query_offset_ms:
        content["query_offset"] = duration(group.query_offset_ms)
    return content | {"rules": [_rule(one) for one in group.rules]}


def _rule(rule: FileRule) -> dict[str, Any]:
    content: dict[str, Any] = {"alert": rule.alert} if rule.alert else {"record": rule.record}
    content["expr"] = rule.expr
    if rule.for_ms:
        content["for"] = duration(rule.for_ms)
    if rule.keep_firing_ms:
        content["keep_firing_for"] = duration(rule.keep_firing_ms)
    for name, texts in (("labels", rule.labels), ("annotations", rule.annotations)):
        if texts:
            content[name] = dict(texts)
    return content
