"""`eq`, `lt` and their kin, as text/template compares: whole numbers and floats are not of one kind."""

from fleetkeeper.alerts.templates.errors import FunctionError
from fleetkeeper.alerts.templates.values import Arguments, Labels, Rows, type_name

_BASIC = (bool, int, float, str)


def equal(first: object, *others: object) -> bool:
    """Whether the first is one of the others."""
    if not others:
        raise FunctionError("missing argument for comparison")
    _check_comparable(first)
    return any(_is_equal(first, other) for other in others)


def _is_equal(first: object, other: object) -> bool:
    if first is None or other is None:
        return first is other
    _check_comparable(other)
    if isinstance(first, _BASIC) or isinstance(other, _BASIC):
        _check_same_kind(first, other)
    return first == other if isinstance(first, _BASIC) else first is other


def _check_comparable(value: object) -> None:
    if isinstance(value, Labels | Arguments | Rows):
        raise FunctionError(f"values of type {type_name(value)} cannot be compared")


def _check_same_kind(first: object, other: object) -> None:
    if type(first) is not type(other):
        names = f"{type_name(first)} and {type_name(other)}"
        cure = " (write the whole number with a point, such as 1.0)" if "float64" in names else ""
        raise FunctionError(f"incompatible types for comparison: {names}{cure}")


def less(first: object, other: object) -> bool:
    """Whether the first is smaller."""
    for value in (first, other):
        if not isinstance(value, int | float | str) or isinstance(value, bool):
            raise FunctionError(f"invalid type for comparison: {type_name(value)}")
    _check_same_kind(first, other)
    return bool(first < other)  # type: ignore[operator]


def less_or_equal(first: object, other: object) -> bool:
    """Whether the first is smaller, or the same."""
    return less(first, other) or equal(first, other)


def greater(first: object, other: object) -> bool:
    """Whether the first is not smaller and not the same, which is true of NaN as it is in Go."""
    return not less_or_equal(first, other)


def greater_or_equal(first: object, other: object) -> bool:
    """Whether the first is not smaller."""
    return not less(first, other)
