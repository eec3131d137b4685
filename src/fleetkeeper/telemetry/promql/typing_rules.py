"""What may stand where: the checks of types that Prometheus makes after it has read an expression (parser/parse.go)."""

from collections.abc import Sequence

from fleetkeeper.telemetry.matchers import Matcher
from fleetkeeper.telemetry.promql.expressions import Binary, Expression, Kind, kind_of
from fleetkeeper.telemetry.promql.signatures import Signature

COMPARISONS = frozenset({"==", "!=", "<", ">", "<=", ">="})
SET_OPERATORS = frozenset({"and", "or", "unless"})
TAKES_NUMBER = frozenset({"topk", "bottomk", "quantile"})
_NAMES: dict[Kind, str] = {
    "vector": "instant vector",
    "matrix": "range vector",
    "scalar": "scalar",
    "string": "string",
}


def problem_of_type(node: Expression, wanted: Kind, context: str) -> str | None:
    """What is wrong with an expression that should be of a type."""
    kind = kind_of(node)
    if kind == wanted:
        return None
    return f"expected type {_NAMES[wanted]} in {context}, got {_NAMES[kind]}"


def problem_of_call(name: str, signature: Signature, arguments: Sequence[Expression]) -> str | None:
    """What is wrong with a call's arguments."""
    count, most = len(arguments), len(signature.arguments)
    least = most - signature.optional
    if not signature.optional and count != most:
        return f'expected {most} argument(s) in call to "{name}", got {count}'
    if count < least:
        return f'expected at least {least} argument(s) in call to "{name}", got {count}'
    if not signature.repeats and count > most:
        return f'expected at most {most} argument(s) in call to "{name}", got {count}'
    for number, argument in enumerate(arguments):
        wanted = signature.arguments[min(number, most - 1)]
        if problem := problem_of_type(argument, wanted, f'call to function "{name}"'):
            return problem
    return None


def problem_of_aggregation(op: str, arguments: Sequence[Expression], *, takes_parameter: bool) -> str | None:
    """What is wrong with an aggregation's arguments."""
    if not arguments:
        return "no arguments for aggregate expression provided"
    wanted = 2 if takes_parameter else 1
    if len(arguments) != wanted:
        return f"wrong number of arguments for aggregate expression provided, expected {wanted}, got {len(arguments)}"
    if takes_parameter:
        kind: Kind = "scalar" if op in TAKES_NUMBER else "string"
        if problem := problem_of_type(arguments[0], kind, "aggregation parameter"):
            return problem
    return problem_of_type(arguments[-1], "vector", "aggregation expression")


def problem_of_binary(node: Binary, *, has_matching: bool) -> str | None:
    """What is wrong between the sides of an operator; `has_matching` says whether `on` or `ignoring` names labels."""
    kinds = kind_of(node.left), kind_of(node.right)
    matching = node.matching
    twice = set(matching.labels) & set(matching.include) if matching.on else ()
    is_comparison, is_set, are_vectors = (
        node.op in COMPARISONS,
        node.op in SET_OPERATORS,
        kinds == ("vector", "vector"),
    )
    problems = {
        "bool modifier can only be used on comparison operators": node.return_bool and not is_comparison,
        "comparisons between scalars must use BOOL modifier": is_comparison
        and not node.return_bool
        and kinds == ("scalar", "scalar"),
        f'label "{next(iter(twice), "")}" must not occur in ON and GROUP clause at once': bool(twice),
        "binary expression must contain only scalar and instant vector types": not {*kinds}
        <= {"scalar", "vector"},
        "vector matching only allowed between instant vectors": has_matching and not are_vectors,
        f'set operator "{node.op}" not allowed in binary scalar expression': is_set and not are_vectors,
        f'no grouping allowed for "{node.op}" operation': is_set and bool(matching.many),
    }
    return next((words for words, is_so in problems.items() if is_so), None)


def problem_of_selector(matchers: Sequence[Matcher]) -> str | None:
    """What is wrong with a selector that would look at everything."""
    if all(item.matches("") for item in matchers):
        return "vector selector must contain at least one non-empty matcher"
    return None
