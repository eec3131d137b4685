"""label_replace and label_join."""

from fleetkeeper.telemetry.promql.errors import ExecutionError
from fleetkeeper.telemetry.promql.labels import Labels, is_label_name, label_value, with_label
from fleetkeeper.telemetry.promql.matrices import Matrix, unique_series
from fleetkeeper.telemetry.promql.patterns import compile_pattern, expand


def label_replace(matrix: Matrix, target: str, template: str, source: str, pattern: str) -> Matrix:
    """Set a label from the groups of a regular expression that matches another label's whole value.

    Raises ExecutionError for a wrong pattern or name, and when series become the same.
    """
    compiled = compile_pattern(pattern)
    if compiled is None:
        raise ExecutionError(f"invalid regular expression in label_replace(): {pattern}")
    if not is_label_name(target):
        raise ExecutionError(f"invalid destination label name in label_replace(): {target}")
    labels: list[Labels] = []
    for item in matrix.labels:
        found = compiled.fullmatch(label_value(item, source))
        labels.append(item if found is None else with_label(item, target, expand(template, found)))
    return unique_series(Matrix(labels, matrix.values, matrix.present))


def label_join(matrix: Matrix, target: str, separator: str, sources: tuple[str, ...]) -> Matrix:
    """Set a label to the values of others, joined. Raises ExecutionError as `label_replace` does."""
    for name in sources:
        if not is_label_name(name):
            raise ExecutionError(f"invalid source label name in label_join(): {name}")
    if not is_label_name(target):
        raise ExecutionError(f"invalid destination label name in label_join(): {target}")
    labels = [
        with_label(item, target, separator.join(label_value(item, name) for name in sources))
        for item in matrix.labels
    ]
    return unique_series(Matrix(labels, matrix.values, matrix.present))
