"""Puts the values of variables into queries, as typed filters and as label patterns, never as pieces of text. Pure."""

import re
from collections.abc import Mapping, Sequence

from fleetkeeper.errors import FieldError, InvalidInputError
from fleetkeeper.telemetry.candidates import NAME
from fleetkeeper.telemetry.dashboards.definition import FleetPart, Variable
from fleetkeeper.telemetry.promql.expressions import Expression, Selector, Text, children_of
from fleetkeeper.telemetry.promql.formatting import quoted
from fleetkeeper.telemetry.promql.lexing import MAX_QUERY_LENGTH, tokens
from fleetkeeper_protocol.metrics import format_channel, is_metric_name, parse_channel

# Variable -> what is chosen; nothing is all.
Chosen = Mapping[str, Sequence[str]]
MAX_CHANNELS = 50
REFERENCE = re.compile(r"\$([a-z][a-z0-9_]{0,29})")
# A dot alone stops at the end of a line.
ANYTHING = "(?s:.*)"
_SPECIAL = re.compile(r"[\\.+*?()|\[\]{}^$]")


def reference_in(text: str) -> str | None:
    """The variable that a whole value stands for."""
    found = REFERENCE.fullmatch(text)
    return found[1] if found else None


def chosen_of(
    variables: Sequence[Variable], given: Mapping[str, Sequence[str]]
) -> dict[str, tuple[str, ...]]:
    """What is chosen of each variable: as given, or its default. Raises InvalidInputError."""
    problems = [
        FieldError(f"values.{name}", "is no variable of this dashboard")
        for name in sorted(given.keys() - {item.name for item in variables})
    ]
    chosen = {}
    for item in variables:
        values = tuple(dict.fromkeys(given.get(item.name, item.default)))
        if not values and not item.all:
            values = tuple(item.default[:1] or item.choices[:1])
        if not values and not item.all:
            problems.append(FieldError(f"values.{item.name}", f"choose a {item.title or item.name}"))
        if len(values) > 1 and not item.multi:
            problems.append(FieldError(f"values.{item.name}", "takes one value"))
        if item.kind == "metric" and not all(map(is_metric_name, values)):
            problems.append(
                FieldError(f"values.{item.name}", "is the name of a metric, such as cpu_usage_percent")
            )
        chosen[item.name] = tuple(map(format_channel, values)) if item.kind == "metric" else values
    if problems:
        raise InvalidInputError("The variables are wrong.", fields=problems)
    return chosen


def filled(values: Sequence[str], chosen: Chosen) -> list[str] | None:
    """The values that a filter stands for; None is all, because nothing is asked or a variable has all."""
    result: list[str] = []
    for value in values:
        name = reference_in(value)
        if name is None or name not in chosen:
            result.append(value)
        elif not chosen[name]:
            return None
        else:
            result += chosen[name]
    return list(dict.fromkeys(result)) or None


def channels_of(query: FleetPart, chosen: Chosen) -> list[str]:
    """The channels of a question: metrics with each value of label filters. Raises InvalidInputError."""
    sets: list[tuple[str, dict[str, str]]] = []
    for text in filled(query.metrics, chosen) or []:
        try:
            sets.append(parse_channel(text))
        except ValueError as error:
            raise InvalidInputError(
                "The query is wrong.", fields=[FieldError("metrics", str(error))]
            ) from None
    for label, wanted in query.filter.labels.items():
        values = filled(wanted, chosen)
        if values is not None:
            sets = [(name, {**labels, label: value}) for name, labels in sets for value in values]
        if len(sets) > MAX_CHANNELS:
            raise InvalidInputError(
                "The query is too wide.",
                fields=[
                    FieldError(
                        f"filter.labels.{label}",
                        f"makes more than {MAX_CHANNELS} channels; choose fewer values, or all of them",
                    )
                ],
            )
    return list(dict.fromkeys(format_channel(name, labels) for name, labels in sets))


def pattern_of(values: Sequence[str]) -> str:
    """A regular expression (RE2) for exactly these values; anything for none."""
    if not values:
        return ANYTHING
    return "|".join(_SPECIAL.sub(r"\\\g<0>", value) for value in values)


def promql_of(text: str, chosen: Chosen) -> str:
    """The query with the values of variables in it: a string that is `$name` becomes a pattern in quotes.

    Raises InvalidInputError where it grows longer than a query may be.
    """
    patterns: dict[str, str] = {}
    pieces: list[str] = []
    last, length = 0, len(text)
    for token in tokens(text):
        name = reference_in(token.text) if token.kind == "string" else None
        if name is None or name not in chosen:
            continue
        if name not in patterns:
            patterns[name] = quoted(pattern_of(chosen[name]))
        # A short query with long values would be many megabytes before anything else refuses it.
        length += len(patterns[name]) - (token.end - token.start)
        if length > MAX_QUERY_LENGTH:
            raise InvalidInputError(
                "The query is too long.",
                fields=[
                    FieldError(
                        "query",
                        f"has more than {MAX_QUERY_LENGTH} characters with the values of its variables; "
                        "choose fewer values, or all of them",
                    )
                ],
            )
        pieces += (text[last : token.start], patterns[name])
        last = token.end
    return "".join((*pieces, text[last:]))


def problems_of(expression: Expression, variables: Mapping[str, Variable]) -> list[str]:
    """What is wrong with how a query refers to variables."""
    problems: list[str] = []
    if isinstance(expression, Text) and reference_in(expression.value) in variables:
        problems.append(
            f'"{expression.value}" stands only in a matcher of a label, as in mountpoint=~"$mountpoint"'
        )
    if isinstance(expression, Selector):
        for matcher in expression.matchers:
            name = reference_in(matcher.value)
            if name is not None:
                problems += _matcher_problems(matcher.name, matcher.op, name, variables)
    for child in children_of(expression):
        problems += problems_of(child, variables)
    return problems


def _matcher_problems(label: str, op: str, name: str, variables: Mapping[str, Variable]) -> list[str]:
    variable = variables.get(name)
    if variable is None:
        return [f"there is no variable {name}; add it under variables"]
    if variable.kind in {"device", "department", "device_type"}:
        return [f'the variable {name} goes into the query\'s filter: {{"{variable.kind}": ["${name}"]}}']
    if op not in {"=~", "!~"}:
        return [f'a variable may have many values; write {label}=~"${name}"']
    if variable.kind == "metric" and label != NAME:
        return [f'the variable {name} holds metrics; write __name__=~"${name}"']
    return []
