"""How much a workbook unpacks to, before anything is built of it: 80 kB may hold millions of elements. Pure."""

import zipfile
import zlib
from xml.parsers import expat

from fleetkeeper.devices.importing.files.table import MEBIBYTE, refused

MOST_UNPACKED_BYTES = 64 * MEBIBYTE
MOST_PARTS = 1_000
# Rows that a sheet of any spreadsheet can have.
MOST_SHEET_ROWS = 1_048_576
# In all parts together: a table of 20,000 rows with 80 columns has fewer.
MOST_ELEMENTS = 4_000_000
# Of one row, or of a part without rows; a reader builds all of these at once.
MOST_AT_ONCE = 1_000_000
_ROW = "http://schemas.openxmlformats.org/spreadsheetml/2006/main row"
# Others are not those of workbooks, and unpack with memory that the archive asks for.
_METHODS = frozenset({zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED})
_SLICE = 64 * 1024


def check_archive(archive: zipfile.ZipFile) -> None:
    """Raise InvalidInputError for an archive that unpacks to more than a workbook of that many rows needs.

    Sizes are those that the archive tells: Python's reader never unpacks more of a part than that.
    """
    parts = archive.infolist()
    if len(parts) > MOST_PARTS or sum(one.file_size for one in parts) > MOST_UNPACKED_BYTES:
        raise refused(
            f"It unpacks to more than {MOST_UNPACKED_BYTES // MEBIBYTE} MiB",
            "Remove other sheets and pictures",
        )
    if any(one.compress_type not in _METHODS for one in parts):
        raise refused("It is compressed in a way that workbooks are not", "Save it as XLSX again, or as CSV")
    scale = _Scale()
    for one in parts:
        scale.weigh(archive, one)


class _Scale:
    """Counts the elements of parts."""

    def __init__(self) -> None:
        self._elements = self._rows = self._at_once = 0

    def weigh(self, archive: zipfile.ZipFile, part: zipfile.ZipInfo) -> None:
        """Count a part's elements. Raises InvalidInputError where they are too many."""
        self._rows = self._at_once = 0
        parser = expat.ParserCreate(namespace_separator=" ")
        parser.StartElementHandler = self._begin
        try:
            with archive.open(part) as stream:
                while several := stream.read(_SLICE):
                    parser.Parse(several, False)
        except expat.ExpatError:
            # A picture; or a part that is broken, which the reader will say of those that it reads.
            return
        except (zipfile.BadZipFile, zlib.error, EOFError, OSError, RuntimeError, NotImplementedError):
            raise refused("It is no workbook that can be read", "Save it as XLSX again, or as CSV") from None

    def _begin(self, name: str, _: dict[str, str]) -> None:
        self._elements += 1
        self._at_once += 1
        if name == _ROW:
            self._rows += 1
            self._at_once = 0
        if self._elements > MOST_ELEMENTS or self._rows > MOST_SHEET_ROWS or self._at_once > MOST_AT_ONCE:
            raise refused(
                "It has too many rows or cells", "Remove other sheets and empty rows, or save it as CSV"
            )
