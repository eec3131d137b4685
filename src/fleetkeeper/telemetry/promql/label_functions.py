"""label_replace and label_join."""

from collections.abc import Sequence

from fleetkeeper.kit.expressions import PatternError, compile_pattern
from fleetkeeper.telemetry.promql.errors import ExecutionError
from fleetkeeper.telemetry.promql.labels import Labels, is_label_name, label_value, with_label
from fleetkeeper.telemetry.promql.matrices import Matrix, unique_series
from fleetkeeper.telemetry.promql.patterns import expand

# Each call can make labels longer than those that it was given, so calls in one another could make them endless.
MAX_VALUE_LENGTH = 65_536
MAX_CALL_LENGTH = 64 * 1024 * 1024


class LabelBudget:
    """How long the label values may be that one call makes. Raises ExecutionError past that."""

    def __init__(self, function: str) -> None:
        self._function = function
        self._left = MAX_CALL_LENGTH

    def checked(self, value: str | None) -> str:
        """The value; None is one that is too long."""
        self._count(MAX_VALUE_LENGTH + 1 if value is None else len(value))
        return value or ""

    def joined(self, values: Sequence[str], separator: str) -> str:
        """Values joined, if they may be."""
        self._count(sum(map(len, values)) + len(separator) * max(0, len(values) - 1))
        return separator.join(values)

    def _count(self, length: int) -> None:
        self._left -= length
        if length > MAX_VALUE_LENGTH or self._left < 0:
            raise ExecutionError(
                f"label values in {self._function}() are too long: one has at most {MAX_VALUE_LENGTH} characters, "
                f"all of one call have {MAX_CALL_LENGTH}"
            )


def label_replace(matrix: Matrix, target: str, template: str, source: str, pattern: str) -> Matrix:
    """Set a label from the groups of a regular expression that matches another label's whole value.

    Raises ExecutionError for a wrong pattern or name, and when series become the same.
    """
    try:
        # With brackets around it, as Prometheus has it: `a)(b` is right there.
        compiled = compile_pattern(f"^(?:{pattern})$", groups=True)
    except PatternError:
        raise ExecutionError(f"invalid regular expression in label_replace(): {pattern}") from None
    if not is_label_name(target):
        raise ExecutionError(f"invalid destination label name in label_replace(): {target}")
    labels: list[Labels] = []
    budget = LabelBudget("label_replace")
    for item in matrix.labels:
        found = compiled.fullmatch(label_value(item, source))
        if found is not None:
            labels.append(with_label(item, target, budget.checked(expand(template, found, MAX_VALUE_LENGTH))))
        else:
            labels.append(item)
    return unique_series(Matrix(labels, matrix.values, matrix.present))


def label_join(matrix: Matrix, target: str, separator: str, sources: tuple[str, ...]) -> Matrix:
    """Set a label to the values of others, joined. Raises ExecutionError as `label_replace` does."""
    for name in sources:
        if not is_label_name(name):
            raise ExecutionError(f"invalid source label name in label_join(): {name}")
    if not is_label_name(target):
        raise ExecutionError(f"invalid destination label name in label_join(): {target}")
    labels: list[Labels] = []
    budget = LabelBudget("label_join")
    for item in matrix.labels:
        values = [label_value(item, name) for name in sources]
        labels.append(with_label(item, target, budget.joined(values, separator)))
    return unique_series(Matrix(labels, matrix.values, matrix.present))
