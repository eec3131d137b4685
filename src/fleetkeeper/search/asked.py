"""What somebody typed, read as words, an address, a network or a MAC address. Pure."""

import ipaddress
import re
from dataclasses import asdict, dataclass
from typing import Any

# How a hit fits: it is exactly what was typed, begins so, or has all words in it.
EXACT, BEGINS, CONTAINS = 0, 1, 2
MOST_WORDS = 6
# Indexes of texts go by three letters in a row.
SHORTEST_PART = 3
_MAC_BEGINNING = re.compile(
    r"([0-9a-f]{2}[:-]){1,5}[0-9a-f]{0,2}|([0-9a-f]{4}\.){1,2}[0-9a-f]{0,4}|[0-9a-f]{6,12}"
)
_ADDRESS_BEGINNING = re.compile(
    r"\d{1,3}(\.\d{1,3}){1,3}\.?|\d{1,3}\.|[0-9a-f]{1,4}:[0-9a-f:.]*|::[0-9a-f:.]*"
)
_MAC_DIGITS = 12


@dataclass(frozen=True)
class Asked:
    """A text in lower case, and what else it may be; patterns are those of LIKE."""

    text: str
    parts: tuple[str, ...]
    begins: str
    first: str
    # Empty where the text is too short to look for it inside of others.
    words: tuple[str, ...]
    # A MAC address or how one begins, as the database writes it.
    mac_begins: str | None = None
    mac: str | None = None
    mac_from: str | None = None
    mac_to: str | None = None
    address: str | None = None
    network_from: str | None = None
    network_to: str | None = None
    address_begins: str | None = None

    def rank(self, *texts: str) -> int:
        """How well the best of these texts fits, of which one has the words in it."""
        low = [text.lower() for text in texts]
        if self.text in low:
            return EXACT
        return BEGINS if any(one.startswith(self.text) for one in low) else CONTAINS

    @property
    def forms(self) -> tuple[str, ...]:
        """What may stand in a text that was found: the words, and addresses as the database writes them."""
        return (*self.parts, *(form for form in (self.mac_begins, self.address) if form))

    @property
    def told(self) -> dict[str, Any]:
        """As the database takes it."""
        return {name: value for name, value in asdict(self).items() if value is not None}


def asked_for(typed: str) -> Asked:
    """Read what was typed; blanks around and between words do not matter."""
    parts = typed.lower().split()[:MOST_WORDS]
    text = " ".join(parts)
    longest = max(parts, key=len, default="")
    is_long = len(longest) >= SHORTEST_PART
    return Asked(
        text=text,
        parts=tuple(parts),
        begins=_escaped(text) + "%",
        first=longest,
        words=tuple(f"%{_escaped(part)}%" for part in parts) if is_long else (),
        **_mac(text),
        **_address(text),
    )


def _escaped(text: str) -> str:
    return re.sub(r"([\\%_])", r"\\\1", text)


def _mac(text: str) -> dict[str, str]:
    if not _MAC_BEGINNING.fullmatch(text):
        return {}
    digits = re.sub("[^0-9a-f]", "", text)
    if len(digits) == _MAC_DIGITS:
        return {"mac": _with_colons(digits), "mac_begins": _with_colons(digits)}
    return {
        "mac_begins": _with_colons(digits),
        "mac_from": _with_colons(digits.ljust(_MAC_DIGITS, "0")),
        "mac_to": _with_colons(digits.ljust(_MAC_DIGITS, "f")),
    }


def _with_colons(digits: str) -> str:
    return ":".join(digits[at : at + 2] for at in range(0, len(digits), 2))


def _address(text: str) -> dict[str, str]:
    """One whole address also begins others: 10.0.0.1 is how 10.0.0.10 begins."""
    found: dict[str, str] = {}
    if _ADDRESS_BEGINNING.fullmatch(text):
        found["address_begins"] = _escaped(text) + "%"
    if "%" in text:  # A zone is none of the address.
        return found
    try:
        one = ipaddress.ip_interface(text)
    except ValueError:
        return found
    if "/" not in text or one.ip != one.network.network_address:
        found["address"] = str(one.ip)
    if "/" in text:
        found |= {"network_from": str(one.network[0]), "network_to": str(one.network[-1])}
    return found
