"""One text for each JSON value, whatever its spelling, as RFC 8785 (JSON Canonicalization Scheme) has it. Pure."""

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from fleetkeeper.kit.text import is_storable

MOST_BYTES = 256 * 1024
DEEPEST = 32
# Beyond these a double has not every whole number; larger integers keep their digits, so that two remain two.
_EXACT = 2**53


class PayloadError(ValueError):
    """Why a value cannot be kept, in words for whoever sent it."""


def canonical(value: Any) -> bytes:
    """The value's one text: keys sorted by UTF-16, no blanks, numbers in their shortest form. Raises PayloadError."""
    parts: list[str] = []
    _write(value, parts, 0)
    return "".join(parts).encode()


def digest(request_type: str, payload: Mapping[str, Any]) -> str:
    """What two requests have in common that are the same: SHA-256 of type and payload, in hex."""
    return hashlib.sha256(canonical([request_type, dict(payload)])).hexdigest()


def _write(value: Any, parts: list[str], depth: int) -> None:
    if depth > DEEPEST:
        raise PayloadError(f"Must not be nested deeper than {DEEPEST} levels")
    if isinstance(value, Mapping):
        parts.append("{")
        for number, key in enumerate(sorted(value, key=_utf_16)):
            if number:
                parts.append(",")
            parts.append(_text(key))
            parts.append(":")
            _write(value[key], parts, depth + 1)
        parts.append("}")
    elif isinstance(value, list | tuple):
        parts.append("[")
        for number, item in enumerate(value):
            if number:
                parts.append(",")
            _write(item, parts, depth + 1)
        parts.append("]")
    else:
        parts.append(_scalar(value))


def _scalar(value: Any) -> str:
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return _text(value)
    if isinstance(value, int):
        if abs(value) >= 10**300:
            raise PayloadError("Must not contain numbers of more than 300 digits")
        return str(value)
    if isinstance(value, float):
        return _number(value)
    raise PayloadError("Must be JSON")


def _text(value: str) -> str:
    if not is_storable(value):
        raise PayloadError("Must not contain NUL characters or halves of surrogate pairs")
    return json.dumps(value, ensure_ascii=False)


def _utf_16(key: str) -> bytes:
    return key.encode("utf-16-be", "surrogatepass")


def _number(value: float) -> str:
    """As ECMAScript writes a double (ECMA-262, Number::toString)."""
    if value != value or value in {float("inf"), float("-inf")}:  # noqa: PLR0124 - NaN alone differs from itself
        raise PayloadError("Must not contain NaN or infinite numbers")
    if value == 0:
        return "0"
    if value.is_integer() and abs(value) < _EXACT:
        return str(int(value))
    sign, shortest = ("-", repr(value)[1:]) if value < 0 else ("", repr(value))
    mantissa, _, exponent = shortest.partition("e")
    whole, _, fraction = mantissa.partition(".")
    digits = (whole + fraction).lstrip("0")
    # Where the point stands, counted from before the first digit.
    point = int(exponent or 0) + (len(whole) if whole != "0" else len(digits) - len(fraction))
    digits = digits.rstrip("0")
    if len(digits) <= point <= 21:
        return f"{sign}{digits.ljust(point, '0')}"
    if 0 < point <= 21:
        return f"{sign}{digits[:point]}.{digits[point:]}"
    if -6 < point <= 0:
        return f"{sign}0.{'0' * -point}{digits}"
    power = point - 1
    shown = digits if len(digits) == 1 else f"{digits[0]}.{digits[1:]}"
    return f"{sign}{shown}e{'+' if power > 0 else '-'}{abs(power)}"
