"""Strings, numbers and durations of a query, as Go reads them."""

import re

from fleetkeeper.telemetry.promql.errors import BadDataError
from fleetkeeper.telemetry.promql.formatting import quoted

# Prometheus keeps durations in 64-bit nanoseconds.
MAX_DURATION_US = 2**63 // 1000
_ESCAPE = re.compile(
    r"\\(?:([abfnrtv\\\"'])|([0-7]{3})|x([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|(.?))", re.DOTALL
)
_SINGLE = {"a": "\a", "b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v"}
_DURATION = re.compile(
    r"(?:(\d+)y)?(?:(\d+)w)?(?:(\d+)d)?(?:(\d+)h)?(?:(\d+)m)?(?:(\d+)s)?(?:(\d+)ms)?", re.ASCII
)
_UNITS_US = (
    31_536_000_000_000,
    604_800_000_000,
    86_400_000_000,
    3_600_000_000,
    60_000_000,
    1_000_000,
    1000,
)
_DECIMAL = re.compile(r"(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?", re.ASCII)
_HEXADECIMAL = re.compile(r"0[xX][0-9a-fA-F]+")
_OCTAL = re.compile(r"0[0-7]+")
_MAX_WHOLE = 2**63 - 1


def unquoted(text: str, at: int) -> str:
    """The value of a string with its quotes. Raises BadDataError for a wrong escape; the string begins at `at`."""
    quote, inner = text[0], text[1:-1]
    if quote == "`" or "\\" not in inner:
        return inner

    def escaped(found: re.Match[str]) -> bytes:
        single, octal, byte, short, long, other = found.groups()
        where = at + 1 + found.start(), at + 1 + found.end()
        if single is not None and (single not in "\"'" or single == quote):
            return _SINGLE.get(single, single).encode()
        # Octal and \x give bytes, the others characters.
        if octal is not None or byte is not None:
            number = int(octal, 8) if octal is not None else int(byte, 16)
            if number < 256:
                return bytes([number])
        elif short is not None or long is not None:
            number = int(short or long, 16)
            if number <= 0x10FFFF and not 0xD800 <= number < 0xE000:
                return chr(number).encode()
        else:
            raise BadDataError(f"parse error: unknown escape sequence {quoted(single or other)}", where)
        raise BadDataError("parse error: escape sequence is an invalid Unicode code point", where)

    pieces: list[bytes] = []
    last = 0
    for found in _ESCAPE.finditer(inner):
        pieces += (inner[last : found.start()].encode(), escaped(found))
        last = found.end()
    pieces.append(inner[last:].encode())
    return b"".join(pieces).decode(errors="replace")


def number_of(text: str) -> float | None:
    """A number in a query: with a leading zero octal, as Go's `ParseInt` has it. None when it is none, or too large."""
    if text in {"inf", "nan"}:
        return float(text)
    if _HEXADECIMAL.fullmatch(text) or _OCTAL.fullmatch(text):
        whole = int(text, 16 if text[1] in "xX" else 8)
        # Beyond 64 bits Go reads the digits as a decimal number, and hexadecimal ones not at all.
        if whole <= _MAX_WHOLE:
            return float(whole)
    if not _DECIMAL.fullmatch(text):
        return None
    number = float(text)
    return None if number == float("inf") else number


def duration_of(text: str) -> int | None:
    """A duration in microseconds; None when it is none, or longer than Prometheus can hold."""
    found = _DURATION.fullmatch(text)
    if found is None or len(text) > 100:
        return None
    micros = sum(int(part or 0) * unit for part, unit in zip(found.groups(), _UNITS_US, strict=True))
    return micros if micros <= MAX_DURATION_US else None
