"""Names of files, as they are safe in a page, a header and a folder. Pure."""

import mimetypes
import re
import unicodedata
from urllib.parse import quote

LONGEST = 200
_LONGEST_BYTES = 240
_LONGEST_EXTENSION = 20
_PARTS = re.compile(r"[/\\]")
# Of Windows: it opens these as devices, whatever stands after the first dot.
_DEVICES = re.compile(r"(con|prn|aux|nul|com\d|lpt\d)(\.|$)", re.IGNORECASE)
_FORBIDDEN = re.compile(r'[<>:"|?*]')
# The machine's own list may differ from the next one's.
_TYPES = mimetypes.MimeTypes()
OCTETS = "application/octet-stream"


def clean_name(given: str) -> str:
    """The last part of a path, without what shows nothing, turns text round, or means something to a system."""
    name = unicodedata.normalize("NFC", _PARTS.split(given)[-1])
    name = "".join(mark for mark in name if mark.isprintable() and not 0xD800 <= ord(mark) <= 0xDFFF)
    name = _FORBIDDEN.sub("_", name).strip(" .")
    if _DEVICES.match(name):
        name = f"_{name}"
    return _shortened(name) or "file"


def type_of(name: str) -> str:
    """What a file seems to be, by its name."""
    return _TYPES.guess_type(name)[0] or OCTETS


def disposition_of(name: str) -> str:
    """The header by which a browser saves the file under its name, and never shows it."""
    plain = "".join(mark if mark.isascii() and mark not in '"\\%' else "_" for mark in name)
    return f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(name, safe='')}"


def _shortened(name: str) -> str:
    """Within bounds of characters and bytes; its extension stays."""
    stem, dot, extension = name.rpartition(".")
    if not stem or len(extension) > _LONGEST_EXTENSION:
        stem, dot, extension = name, "", ""
    rest = f"{dot}{extension}"
    stem = stem[: LONGEST - len(rest)]
    while len((stem + rest).encode()) > _LONGEST_BYTES:
        stem = stem[:-1]
    return (stem.rstrip(" .") + rest).strip(" .")
