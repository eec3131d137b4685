"""Numbers and slugs of what is known by its name alone. Pure."""

import hashlib
import re
import unicodedata

# JavaScript and JSON readers keep whole numbers of 53 bits.
_BITS = 52
LONGEST_SLUG = 100
_NO_SLUG = re.compile(r"[^a-z0-9_]+")
_SLUG = re.compile(r"[-a-zA-Z0-9_]+", re.ASCII)


def number_of(kind: str, maker: str, name: str) -> int:
    """The same number for the same name on every installation, so that a name needs no row to have one."""
    digest = hashlib.sha256(f"{kind}\0{maker}\0{name}".encode()).digest()
    return (int.from_bytes(digest[:8]) >> (64 - _BITS)) | 1


def slug_of(name: str) -> str:
    """A name as a slug; what has no letter that could stand in one is spelled by its code points."""
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    slug = _NO_SLUG.sub("-", plain).strip("-")
    if not slug:
        slug = "-".join(f"u{ord(mark):x}" for mark in name[:20])
    return slug[:LONGEST_SLUG] or "none"


def is_slug(text: str) -> bool:
    """Whether NetBox would take a text as a slug."""
    return len(text) <= LONGEST_SLUG and _SLUG.fullmatch(text) is not None
