"""Reads a definition, and says what is wrong with it at its place: `rows[0].panels[2].queries[0].metrics`. Pure."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import ValidationError

from fleetkeeper.errors import FieldError, InvalidInputError
from fleetkeeper.kit.error_words import error_words
from fleetkeeper.telemetry.dashboards.definition import (
    COLUMNS,
    MAX_BYTES,
    MAX_PANELS,
    Definition,
    Filter,
    FleetPart,
    Panel,
    PromqlPart,
    Variable,
)
from fleetkeeper.telemetry.dashboards.substitution import problems_of, reference_in
from fleetkeeper.telemetry.explore.across import problem_of_across
from fleetkeeper.telemetry.explore.groups import problem_of
from fleetkeeper.telemetry.explore.service import problem_of_aggregate, problem_of_compare
from fleetkeeper.telemetry.explore.steps import parse_step
from fleetkeeper.telemetry.promql.errors import BadDataError
from fleetkeeper.telemetry.promql.expressions import kind_of
from fleetkeeper.telemetry.promql.parsing import parse_query
from fleetkeeper.telemetry.promql.patterns import PatternBudget
from fleetkeeper_protocol.metrics import is_label_name, parse_channel

MAX_PROBLEMS = 50
# What the patterns of all queries of a dashboard may cost, in those of one query.
PATTERNS_OF_QUERIES = 4
_LANGUAGES = frozenset({"fleet", "promql"})
_FILTER_KINDS = ("device", "department", "device_type")


def read_definition(raw: Mapping[str, Any]) -> Definition:
    """The definition. Raises InvalidInputError with each fault at its place."""
    try:
        if len(json.dumps(raw, default=str)) > MAX_BYTES:
            raise _wrong([FieldError("definition", f"has at most {MAX_BYTES // 1024} KiB as JSON")])
        definition = Definition.model_validate(raw)
    except ValidationError as error:
        problems = [
            FieldError(path_of(item["loc"]), error_words(item)) for item in error.errors(include_url=False)
        ]
        raise _wrong(problems) from None
    except RecursionError:
        raise _wrong([FieldError("definition", "nests too deeply")]) from None
    problems = _problems(definition)
    if problems:
        raise _wrong(problems)
    return definition


def path_of(parts: Sequence[int | str]) -> str:
    """A place in JSON as people write it."""
    path = ""
    for number, part in enumerate(parts):
        if isinstance(part, int):
            path += f"[{part}]"
        # The name of a query's language is how its kind is told apart, and no field.
        elif not (part in _LANGUAGES and number and isinstance(parts[number - 1], int)):
            path += f".{part}" if path else part
    return path or "definition"


def _wrong(problems: Sequence[FieldError]) -> InvalidInputError:
    return InvalidInputError("The dashboard is wrong; `errors` says where.", fields=problems[:MAX_PROBLEMS])


def _problems(definition: Definition) -> list[FieldError]:
    problems = []
    if sum(len(row.panels) for row in definition.rows) > MAX_PANELS:
        problems.append(FieldError("rows", f"have at most {MAX_PANELS} panels together"))
    variables: dict[str, Variable] = {}
    for number, item in enumerate(definition.variables):
        place = f"variables[{number}]"
        if item.name in variables:
            problems.append(FieldError(f"{place}.name", f"stands twice: {item.name}"))
        variables[item.name] = item
        problems += [FieldError(f"{place}.{name}", text) for name, text in _variable_problems(item)]
    patterns = PatternBudget(PATTERNS_OF_QUERIES)
    for place, panel in definition.panels():
        found = _panel_problems(panel, variables, patterns)
        problems += [FieldError(f"{place}.{name}", text) for name, text in found]
    return problems


def _variable_problems(item: Variable) -> list[tuple[str, str]]:
    problems = []
    if item.kind == "label" and not is_label_name(item.label):
        problems.append(("label", "is the name of a label, such as mountpoint"))
    if item.metric and not _is_channel(item.metric):
        problems.append(("metric", "is the name of a metric, such as disk_partition_usage_percent"))
    if item.kind == "metric":
        if item.all:
            problems.append(("all", "is false for metrics: a query is about some"))
        if not item.choices and not item.default:
            problems.append(("choices", "names the metrics that may be chosen"))
        if not all(map(_is_channel, [*item.choices, *item.default])):
            problems.append(("choices", "are names of metrics, such as cpu_usage_percent"))
    if len(item.default) > 1 and not item.multi:
        problems.append(("default", "is one value, as `multi` is false"))
    return problems


def _is_channel(text: str) -> bool:
    try:
        parse_channel(text)
    except ValueError:
        return False
    return True


def _panel_problems(
    panel: Panel, variables: Mapping[str, Variable], patterns: PatternBudget
) -> list[tuple[str, str]]:
    problems = []
    if panel.kind == "text" and panel.queries:
        problems.append(("queries", "a text asks nothing; take them away or choose another kind"))
    if panel.kind != "text" and not panel.queries:
        problems.append(("queries", "give at least one query, or choose the kind text"))
    if panel.minimum is not None and panel.maximum is not None and panel.minimum >= panel.maximum:
        problems.append(("maximum", "lies above the minimum"))
    if (panel.x is None) != (panel.y is None):
        problems.append(("x" if panel.x is None else "y", "give both x and y, or neither"))
    if panel.x is not None and panel.x + panel.width > COLUMNS:
        problems.append(
            ("x", f"with the width is at most {COLUMNS}; move the panel left or make it narrower")
        )
    for number, query in enumerate(panel.queries):
        found = query_problems(query, variables, patterns)
        problems += [(f"queries[{number}].{name}", text) for name, text in found]
    return problems


def query_problems(
    query: FleetPart | PromqlPart, variables: Mapping[str, Variable], patterns: PatternBudget
) -> list[tuple[str, str]]:
    """What is wrong with a query, by field. `patterns` is for the queries that come with it."""
    problems = _filter_problems(query.filter, variables)
    if isinstance(query, PromqlPart):
        if query.filter.labels:
            problems.append(
                ("filter.labels", 'a PromQL query has its labels in itself, as in {mountpoint="/"}')
            )
        return problems + _promql_problems(query, variables, patterns)
    for number, text in enumerate(query.metrics):
        name = reference_in(text)
        if name is not None:
            problems += _reference_problem(f"metrics[{number}]", name, "metric", variables)
            continue
        try:
            parse_channel(text)
        except ValueError as error:
            problems.append((f"metrics[{number}]", str(error)))
    checks = {
        "agg": problem_of_aggregate(query.agg),
        "by": problem_of(query.by),
        "across": problem_of_across(query.across, query.by) if query.across is not None else None,
        "compare": problem_of_compare(query.compare) if query.compare is not None else None,
    }
    problems += [(name, text) for name, text in checks.items() if text]
    try:
        parse_step(query.step, 1, 1)
    except ValueError as error:
        problems.append(("step", str(error)))
    return problems


def _promql_problems(
    query: PromqlPart, variables: Mapping[str, Variable], patterns: PatternBudget
) -> list[tuple[str, str]]:
    try:
        expression = parse_query(query.query, patterns)
    except BadDataError as error:
        where = f" (characters {error.place[0] + 1} to {error.place[1]})" if error.place else ""
        return [("query", f"{error}{where}")]
    problems = [("query", text) for text in problems_of(expression, variables)]
    kind = kind_of(expression)
    if kind == "string" or (kind == "matrix" and not query.instant):
        problems.append(
            ("query", "gives no numbers over time; use a function such as rate() or avg_over_time()")
        )
    return problems


def _filter_problems(wanted: Filter, variables: Mapping[str, Variable]) -> list[tuple[str, str]]:
    problems = []
    for kind in _FILTER_KINDS:
        for text in getattr(wanted, kind):
            name = reference_in(text)
            if name is not None:
                problems += _reference_problem(f"filter.{kind}", name, kind, variables)
    for label, values in wanted.labels.items():
        if not is_label_name(label):
            problems.append((f"filter.labels.{label[:50]}", "is no name of a label"))
        for text in values:
            name = reference_in(text)
            if name is not None:
                problems += _reference_problem(f"filter.labels.{label}", name, "label", variables)
    return problems


def _reference_problem(
    place: str, name: str, kind: str, variables: Mapping[str, Variable]
) -> list[tuple[str, str]]:
    variable = variables.get(name)
    if variable is None:
        return [(place, f"there is no variable {name}; add it under variables")]
    if variable.kind != kind:
        return [(place, f"the variable {name} is of kind {variable.kind}; here stands one of kind {kind}")]
    return []
