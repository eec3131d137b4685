"""CSV in the ways in which spreadsheets write it. Pure."""

import codecs
import csv
import io

from fleetkeeper.devices.importing.files.table import Table, refused, table_of

_SEPARATORS = (",", ";", "\t", "|")
_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)


def read_csv(content: bytes) -> Table:
    """A CSV file. Raises InvalidInputError."""
    text, notes = _decoded(content)
    first, _, rest = text.partition("\n")
    told = first.strip().strip('"')
    if told.lower().startswith("sep=") and len(told) == 5:
        separator, text = told[-1], rest
    else:
        separator = _separator_of(text)
    try:
        rows = csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True)
        header = next(rows, [])
        return table_of(header, rows, notes)
    except csv.Error as error:
        raise refused(f"Its quotes or separators are wrong ({error})", "Save it as CSV again") from None


def _decoded(content: bytes) -> tuple[str, list[str]]:
    encoding = next((name for mark, name in _MARKS if content.startswith(mark)), "utf-8")
    try:
        return content.decode(encoding), []
    except UnicodeDecodeError:
        if encoding != "utf-8":
            raise refused(f"It is not valid {encoding}", "Save it as CSV in UTF-8") from None
    return content.decode("cp1252", errors="replace"), [
        "The file is not in UTF-8 and was read as Windows-1252; check letters with accents"
    ]


def _separator_of(text: str) -> str:
    """The separator that stands most often in the header, outside of quotes."""
    counts = dict.fromkeys(_SEPARATORS, 0)
    is_quoted = False
    for mark in text[:20_000]:
        if mark == '"':
            is_quoted = not is_quoted
        elif not is_quoted and mark in "\r\n" and any(counts.values()):
            break
        elif not is_quoted and mark in counts:
            counts[mark] += 1
    return max(_SEPARATORS, key=lambda one: counts[one])
