"""Reads a rule file, and finds all that is wrong with it: as Prometheus sees it, and for storing it here."""

from collections.abc import Iterator

from pydantic import ValidationError

from fleetkeeper.alerts.rule_files.contents import FileGroup, FileRule, Problem, RuleFile, RuleFileError
from fleetkeeper.alerts.rule_files.parsing import parse
from fleetkeeper.alerts.rule_files.wanted import wanted_of
from fleetkeeper.kit.error_words import field_errors

_MOST_OF_NAME = 150
_FIELDS = {"for_seconds": "for", "keep_firing_seconds": "keep_firing_for", "condition": "expr"}
_FIELDS_OF_GROUP = {
    "interval_seconds": "interval",
    "series_limit": "limit",
    "query_offset_ms": "query_offset",
}


def read(text: str) -> RuleFile:
    """What a file holds. Raises RuleFileError with all that is wrong."""
    found, problems = parse(text)
    # What is wrong with a group is found at each of its rules.
    problems += dict.fromkeys(one for group in found.groups for one in _unfit(group))
    if problems:
        raise RuleFileError(problems)
    return found


def _unfit(group: FileGroup) -> Iterator[Problem]:
    if len(group.name) > _MOST_OF_NAME:
        message = f"Must have at most {_MOST_OF_NAME} characters"
        yield Problem(group.places.line_of("name"), group.name, "", "name", message)
    for position, rule in enumerate(group.rules):
        # Without a name or a kind there is nothing to store.
        if "" in rule.places.wrong:
            continue
        try:
            wanted_of("", group, rule, position)
        except ValidationError as error:
            yield from _problems(error, group, rule)


def _problems(error: ValidationError, group: FileGroup, rule: FileRule) -> Iterator[Problem]:
    fields = _FIELDS | {"name": "alert" if rule.alert else "record"}
    for one in field_errors(error.errors()):
        name, _, rest = one.field.partition(".")
        if name in _FIELDS_OF_GROUP:
            field = _FIELDS_OF_GROUP[name]
            yield Problem(group.places.line_of(field), group.name, "", field, one.message)
            continue
        field = fields.get(name, name)
        if field not in rule.places.wrong:
            shown = f"{field}.{rest}" if rest and field == name else field
            yield Problem(rule.places.line_of(field), group.name, rule.name, shown, one.message)
