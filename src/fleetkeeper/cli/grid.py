"""Lays out rows of texts for a terminal or a pipe; no text is ever cut, and no word is broken. Pure."""

import textwrap
from collections.abc import Iterator, Sequence
from itertools import zip_longest

from rich.cells import cell_len

GAP = "  "
# A column this narrow is not worth wrapping.
NARROW = 12


def laid_out(heads: Sequence[str], rows: Sequence[Sequence[str]], width: int | None) -> Iterator[str]:
    """Lines of a table no wider than `width` columns (None: any). Where it cannot fit, each row is a block of lines."""
    columns = [list(column) for column in zip(heads, *rows, strict=True)]
    widths = _fitting(columns, width)
    if widths is None:
        yield from _blocks(heads, rows)
        return
    for row in (heads, *rows):
        cells = [_wrapped(text, room) for text, room in zip(row, widths, strict=True)]
        for line in zip_longest(*cells, fillvalue=""):
            yield GAP.join(_padded(text, room) for text, room in zip(line, widths, strict=True)).rstrip()


def _fitting(columns: Sequence[Sequence[str]], width: int | None) -> list[int] | None:
    widths = [max(map(cell_len, column)) for column in columns]
    least = [
        max(min(wide, NARROW), _longest_word(column)) for wide, column in zip(widths, columns, strict=True)
    ]
    room = None if width is None else width - len(GAP) * (len(columns) - 1)
    if room is None or sum(widths) <= room:
        return widths
    if sum(least) > room:
        return None
    while sum(widths) > room:
        # The widest gives way, down to the next one or its longest word.
        place = max(range(len(widths)), key=lambda one: (widths[one] > least[one], widths[one]))
        others = [
            wide for one, wide in enumerate(widths) if wide < widths[place] and widths[one] > least[one]
        ]
        aim = max([least[place], *others])
        widths[place] = max(
            aim if aim < widths[place] else widths[place] - 1, widths[place] - (sum(widths) - room)
        )
    return widths


def _longest_word(column: Sequence[str]) -> int:
    return max((cell_len(word) for text in column for word in text.split()), default=0)


def _wrapped(text: str, room: int) -> list[str]:
    if cell_len(text) <= room:
        return [text]
    return textwrap.wrap(text, room, break_long_words=False, break_on_hyphens=False)


def _padded(text: str, room: int) -> str:
    return text + " " * (room - cell_len(text))


def _blocks(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> Iterator[str]:
    room = max(map(cell_len, heads))
    for number, row in enumerate(rows):
        if number:
            yield ""
        for head, text in zip(heads, row, strict=True):
            yield f"{_padded(head, room)}{GAP}{text}".rstrip()
