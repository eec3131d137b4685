"""A table of texts as it comes from a file, and what it must not exceed. Pure."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time
from typing import Any

from fleetkeeper.errors import FieldError, InvalidInputError
from fleetkeeper.kit.text import is_storable

MOST_ROWS = 20_000
MOST_COLUMNS = 200
LONGEST_CELL = 5_000
LONGEST_HEADER = 100
MEBIBYTE = 1024 * 1024
MOST_BYTES = 10 * MEBIBYTE


@dataclass(frozen=True)
class Table:
    """Columns by their names, and rows with a text for each column."""

    columns: Sequence[str]
    rows: Sequence[Sequence[str]]
    # What was assumed while reading.
    notes: Sequence[str] = field(default=())


def refused(message: str, cure: str = "") -> InvalidInputError:
    """What a file that cannot be imported answers."""
    return InvalidInputError(
        "The file cannot be imported.", fields=[FieldError("file", f"{message}. {cure}".strip())]
    )


def text_of(value: Any) -> str:
    """A value of any format as the text of a cell."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e15:
        return str(int(value))
    if isinstance(value, datetime):
        return value.date().isoformat() if value.time() == time() else value.isoformat(sep=" ")
    if isinstance(value, date):
        return value.isoformat()
    return str(value)


def table_of(header: Sequence[str], rows: Iterable[Sequence[str]], notes: Sequence[str] = ()) -> Table:
    """The table, with each row as long as its header. Raises InvalidInputError that names row and column."""
    columns = _columns(header)
    kept: list[list[str]] = []
    for number, row in enumerate(_filled(rows), 2):
        if len(kept) >= MOST_ROWS:
            raise refused(f"It has more than {MOST_ROWS:,} rows", "Split it into several files")
        kept.append(_row(row, number, columns))
    if not kept:
        raise refused("It has no rows below its header", "Add one row for each device")
    return Table(columns, kept, notes)


def _columns(header: Sequence[str]) -> list[str]:
    names = [one.strip() for one in header]
    while names and not names[-1]:
        names.pop()
    if not names:
        raise refused("It has no header", "The first row names the columns, such as name, serial_number")
    if len(names) > MOST_COLUMNS:
        raise refused(f"It has more than {MOST_COLUMNS} columns", "Remove those that are not imported")
    named = [one or f"Column {place}" for place, one in enumerate(names, 1)]
    first: dict[str, int] = {}
    for place, one in enumerate(named, 1):
        if len(one) > LONGEST_HEADER or not is_storable(one):
            raise refused(f"The name of column {place} is too long or has characters that are none")
        if one in first:
            raise refused(
                f"Columns {first[one]} and {place} are both named {one!r}", "Rename or remove one of them"
            )
        first[one] = place
    return named


def _filled(rows: Iterable[Sequence[str]]) -> Iterator[Sequence[str]]:
    """Rows that say something; spreadsheets end in thousands that do not."""
    for row in rows:
        if any(one.strip() for one in row):
            yield row


def _row(row: Sequence[str], number: int, columns: Sequence[str]) -> list[str]:
    cells = list(row[: len(columns)])
    if any(one.strip() for one in row[len(columns) :]):
        raise refused(f"Row {number} has more cells than the header", "Check its separators and quotes")
    for name, cell in zip(columns, cells, strict=False):
        if len(cell) > LONGEST_CELL:
            raise refused(f"Row {number}, column {name!r}: more than {LONGEST_CELL:,} characters")
        if not is_storable(cell):
            raise refused(f"Row {number}, column {name!r}: a character that is no text", "Remove it")
    return cells + [""] * (len(columns) - len(cells))


def table_of_objects(objects: Iterable[Any], notes: Sequence[str] = ()) -> Table:
    """The table of objects with texts by name, whose columns are all names that occur. Raises InvalidInputError."""
    columns: dict[str, int] = {}
    rows: list[dict[str, str]] = []
    for number, one in enumerate(objects, 1):
        if not isinstance(one, dict):
            raise refused(f"Entry {number} is no object with names and values")
        if len(rows) >= MOST_ROWS:
            raise refused(f"It has more than {MOST_ROWS:,} entries", "Split it into several files")
        for name in one:
            columns.setdefault(str(name), len(columns))
        if len(columns) > MOST_COLUMNS:
            raise refused(f"It has more than {MOST_COLUMNS} different names")
        rows.append({str(name): _flat(value) for name, value in one.items()})
    return table_of(list(columns), ([row.get(name, "") for name in columns] for row in rows), notes)


def _flat(value: Any) -> str:
    """A list of texts with commas; what is deeper stays out of cells."""
    if isinstance(value, list):
        return ", ".join(text_of(one) for one in value if not isinstance(one, list | dict))
    return "" if isinstance(value, dict) else text_of(value)
