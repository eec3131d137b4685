"""What a file is called in its store: by its ID first, so that the same file is found again. Pure."""

import re
from uuid import UUID

from fleetkeeper.annotations.attachments.names import clean_name

_LONGEST_BYTES = 150
_LONGEST_EXTENSION = 20
# Besides letters and digits of any language.
_OTHERS = re.compile(r"[^\w. -]")
# SharePoint takes this for the name of a folder of its own.
_RESERVED = re.compile("_vti_", re.IGNORECASE)
# SharePoint writes properties into such files, so that they come back as others than were sent.
_REWRITTEN = re.compile(
    r"\.(do[ct][mx]?|xl[st][bmx]?|p[op][ts][mx]?|vs[dst][mx]?|one|mpp|pub|html?|aspx|mht)$", re.IGNORECASE
)
_SHAPE = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}-[^/\\\x00-\x1f]{1,200}")


def store_name(file_id: UUID, given: str, provider: str) -> str:
    """The name in the store, such as `0198c0de-7c00-7a00-8000-000000000000-photo.jpg`."""
    name = _RESERVED.sub("_", _OTHERS.sub("_", clean_name(given))).strip(" .") or "file"
    name = _shortened(name)
    if provider == "sharepoint" and _REWRITTEN.search(name):
        name += ".bin"
    return f"{file_id}-{name}"


def joined(folder: str, name: str) -> str:
    """The path of a name in a folder."""
    return f"{folder}/{name}" if folder else name


def is_store_name(name: str) -> bool:
    """Whether a name is one that `store_name` makes."""
    return _SHAPE.fullmatch(name) is not None


def _shortened(name: str) -> str:
    stem, dot, extension = name.rpartition(".")
    if not stem or len(extension.encode()) > _LONGEST_EXTENSION:
        stem, dot, extension = name, "", ""
    rest = f"{dot}{extension}"
    while len((stem + rest).encode()) > _LONGEST_BYTES:
        stem = stem[:-1]
    return (stem.rstrip(" .") + rest) or "file"
