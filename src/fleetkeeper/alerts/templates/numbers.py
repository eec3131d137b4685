"""Numbers as Go reads and writes them: constants in templates, and strconv.FormatFloat's shortest form."""

import re
from decimal import Decimal
from typing import NoReturn

from fleetkeeper.alerts.templates.errors import FunctionError
from fleetkeeper.telemetry.promql.numbers import parse_number

_MAX_WHOLE = 2**63
_BASES = {"0x": 16, "0o": 8, "0b": 2}
_UNDERSCORE = re.compile(r"(?<=[0-9a-fA-FxXoObB])_(?=[0-9a-fA-F])")


def number_of(text: str) -> int | float | None:
    """A template's constant: with a point or an exponent a float, else a whole number of 64 bits. None: neither."""
    plain = _UNDERSCORE.sub("", text)
    digits = plain.lstrip("+-")
    prefix = digits[:2].lower()
    is_hexadecimal = prefix == "0x"
    if "p" in digits.lower() if is_hexadecimal else set(digits.lower()) & set(".e"):
        return parse_number(plain)
    base = _BASES.get(prefix, 8 if len(digits) > 1 and digits[0] == "0" else 10)
    try:
        whole = int(digits[2:] if prefix in _BASES else digits, base)
    except ValueError:
        return None
    whole = -whole if plain.startswith("-") else whole
    return whole if -_MAX_WHOLE <= whole < _MAX_WHOLE else None


def float_of(value: object) -> float:
    """A number, or a text that is one, as a float. Raises FunctionError."""
    if isinstance(value, str):
        number = parse_number(value)
        if number is None:
            raise FunctionError(f"{value[:50]!r} is not a number")
        return number
    if isinstance(value, bool) or not isinstance(value, int | float):
        _refuse(value)
    return float(value)


def _refuse(value: object) -> NoReturn:
    kind = "nothing" if value is None else type(value).__name__
    raise FunctionError(f"cannot convert {kind} to a number")


def shortest(value: float, *, upper: bool = False) -> str:
    """The number as `%g` and `%v` write it without a precision: as few digits as read back as the same number."""
    if value != value or value in {float("inf"), float("-inf")}:  # noqa: PLR0124 - that is what NaN does
        return named(value)
    if value == 0:
        return "-0" if str(value)[0] == "-" else "0"
    _, digits, power = Decimal(repr(value)).normalize().as_tuple()
    exponent = len(digits) + int(power) - 1
    if -4 <= exponent < 6:
        return format(Decimal(repr(value)).normalize(), "f")
    sign = "-" if value < 0 else ""
    mantissa = f"{digits[0]}" + ("." + "".join(map(str, digits[1:])) if len(digits) > 1 else "")
    text = f"{sign}{mantissa}e{'-' if exponent < 0 else '+'}{abs(exponent):02d}"
    return text.upper() if upper else text


def named(value: float) -> str:
    """What Go calls numbers that are not finite."""
    return "NaN" if value != value else "+Inf" if value > 0 else "-Inf"  # noqa: PLR0124


def general(value: float, digits: int) -> str:
    """`%.<digits>g`."""
    if value != value or value in {float("inf"), float("-inf")}:  # noqa: PLR0124
        return named(value)
    return f"{value:.{digits}g}"
