"""Values as texts, as fmt.Print of Go writes them, and no longer than a value may be."""

from collections.abc import Iterable

from fleetkeeper.alerts.templates.effort import MAX_VALUE_LENGTH, Effort
from fleetkeeper.alerts.templates.errors import FunctionError
from fleetkeeper.alerts.templates.numbers import shortest
from fleetkeeper.alerts.templates.values import Arguments, Data, Labels, Row, Rows

_MAX_NESTING = 20


def shown(value: object, effort: Effort) -> str:
    """`%v` of a value. Raises FunctionError when that gets too long."""
    if isinstance(value, str):
        return value
    pieces: list[str] = []
    _write(value, pieces, [MAX_VALUE_LENGTH], 0)
    return effort.value("".join(pieces))


def _write(value: object, pieces: list[str], left: list[int], depth: int) -> None:
    parts = _parts(value, is_outermost=depth == 0)
    text = plain(value) if parts is None else ""
    left[0] -= len(text) + (len(parts) if parts else 0)
    if left[0] < 0 or depth > _MAX_NESTING:
        raise FunctionError(f"a value is longer than {MAX_VALUE_LENGTH} characters, or nests too deep")
    pieces.append(text)
    for part in parts or ():
        _write(part, pieces, left, depth + 1)


def _parts(value: object, *, is_outermost: bool) -> list[object] | None:
    """What a value is written of, one after the other; None for one that holds no others."""
    if isinstance(value, Labels | Arguments):
        entries: list[object] = []
        for name in sorted(value):
            entries += [" " if entries else "", f"{name}:", value[name]]
        return ["map[", *entries, "]"]
    if isinstance(value, Rows):
        return ["[", *_spaced(value), "]"]
    if isinstance(value, Row):
        return ["{" if is_outermost else "&{", value.labels, " ", value.value, "}"]
    if isinstance(value, Data):
        return ["{", *_spaced((value.labels, value.external_labels, value.external_url, value.value)), "}"]
    return None


def _spaced(values: Iterable[object]) -> list[object]:
    return [part for value in values for part in (" ", value)][1:]


def plain(value: object) -> str:
    """`%v` of what holds nothing else."""
    if value is None:
        return "<nil>"
    if isinstance(value, bool):
        return "true" if value else "false"
    return shortest(value) if isinstance(value, float) else str(value)


def printed(values: list[object], effort: Effort) -> str:
    """`fmt.Sprint`: blanks between two values of which none is a text."""
    pieces: list[str] = []
    for index, value in enumerate(values):
        if index and not isinstance(value, str) and not isinstance(values[index - 1], str):
            pieces.append(" ")
        pieces.append(shown(value, effort))
    return effort.value("".join(pieces))
