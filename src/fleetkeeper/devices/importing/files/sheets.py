"""The first sheet of an XLSX workbook, which is a ZIP archive of XML: both can be made to explode."""

import io
import warnings
import zipfile
import zlib
from collections.abc import Iterator
from typing import Any
from xml.etree.ElementTree import ParseError

import openpyxl
from openpyxl.utils.exceptions import InvalidFileException

from fleetkeeper.devices.importing.files.table import (
    MOST_COLUMNS,
    MOST_ROWS,
    Table,
    refused,
    table_of,
    text_of,
)
from fleetkeeper.devices.importing.files.weighing import check_archive

_BROKEN = (
    zipfile.BadZipFile,
    InvalidFileException,
    ParseError,
    KeyError,
    ValueError,
    TypeError,
    AttributeError,
    IndexError,
    EOFError,
    OSError,
    NotImplementedError,
    RuntimeError,
    ArithmeticError,
    zlib.error,
)


def read_xlsx(content: bytes) -> Table:
    """The first sheet. Formulas count as the value that was last computed. Raises InvalidInputError."""
    _check_archive(content)
    try:
        with warnings.catch_warnings():
            # Of parts that nobody imports, such as styles.
            warnings.simplefilter("ignore")
            book = openpyxl.load_workbook(
                io.BytesIO(content), read_only=True, data_only=True, keep_links=False
            )
            try:
                rows = _rows(book.worksheets[0])
                return table_of(next(rows, []), rows)
            finally:
                book.close()
    except _BROKEN as error:
        raise refused("It is no workbook that can be read", "Save it as XLSX again, or as CSV") from error


def _check_archive(content: bytes) -> None:
    """Raise InvalidInputError for what is no archive, or one that unpacks to too much."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            check_archive(archive)
    except (zipfile.BadZipFile, ValueError, OSError, NotImplementedError):
        raise refused("It is no XLSX workbook", "Save it as XLSX, or as CSV") from None


def _rows(sheet: Any) -> Iterator[list[str]]:
    """Rows as texts; one more of each than may be, so that it is noticed."""
    sheet.reset_dimensions()
    for row in sheet.iter_rows(max_row=MOST_ROWS * 2, max_col=MOST_COLUMNS + 1, values_only=True):
        yield [text_of(one) for one in row]
