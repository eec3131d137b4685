"""`printf`, as fmt.Sprintf of Go: verbs, flags, width, precision; what does not fit is written as `%!d(string=x)`."""

import re
from dataclasses import dataclass

from fleetkeeper.alerts.templates.effort import MAX_VALUE_LENGTH, Effort
from fleetkeeper.alerts.templates.errors import FunctionError
from fleetkeeper.alerts.templates.formatting import plain, shown
from fleetkeeper.alerts.templates.numbers import named, shortest
from fleetkeeper.alerts.templates.values import type_name
from fleetkeeper.telemetry.promql.formatting import quoted

_VERB = re.compile(r"%([-+# 0]*)(\*|\d*)(?:(\.)(\*|\d*))?(\[\d*\])?(.?)", re.DOTALL)
_MAX_WIDTH = 1000


@dataclass(frozen=True)
class Directive:
    """A verb with what stands before it."""

    flags: str
    width: int
    precision: int | None
    verb: str


def printf(layout: str, values: list[object], effort: Effort) -> str:
    """The layout with values in the place of its verbs. Raises FunctionError."""
    pieces: list[str] = []
    last = taken = length = 0
    for found in _VERB.finditer(layout):
        directive = _directive(found)
        pieces.append(layout[last : found.start()])
        last = found.end()
        if directive.verb == "%":
            pieces.append("%")
        elif not directive.verb:
            pieces.append("%!(NOVERB)")
        elif taken == len(values):
            pieces.append(f"%!{directive.verb}(MISSING)")
        else:
            pieces.append(_written(values[taken], directive, effort))
            taken += 1
        length += len(pieces[-1]) + len(pieces[-2])
        if length > MAX_VALUE_LENGTH:
            break
    pieces.append(layout[last:])
    if taken < len(values):
        extra = ", ".join(_described(value, effort) for value in values[taken:])
        pieces.append(f"%!(EXTRA {extra})")
    return effort.value("".join(pieces))


def _directive(found: re.Match[str]) -> Directive:
    flags, width, point, precision, place, verb = found.groups()
    if place or "*" in {width, precision}:
        raise FunctionError("printf takes widths and places as numbers in the text only, such as %6.2f")
    if max(len(width), len(precision or "")) > 4 or max(int(width or 0), int(precision or 0)) > _MAX_WIDTH:
        raise FunctionError(f"printf takes widths up to {_MAX_WIDTH}")
    return Directive(flags, int(width or 0), int(precision or 0) if point else None, verb)


def _described(value: object, effort: Effort) -> str:
    return "<nil>" if value is None else f"{type_name(value)}={shown(value, effort)}"


def _written(value: object, directive: Directive, effort: Effort) -> str:
    verb = directive.verb
    if verb == "T":
        return _padded("<nil>" if value is None else type_name(value), directive, zeros=False)
    if value is None:
        return _padded("<nil>", directive, zeros=False) if verb == "v" else f"%!{verb}(<nil>)"
    text = None
    if isinstance(value, bool):
        text = plain(value) if verb in {"t", "v"} else None
    elif isinstance(value, int):
        return _whole(value, directive) or f"%!{verb}({_described(value, effort)})"
    elif isinstance(value, float):
        return _float(value, directive) or f"%!{verb}({_described(value, effort)})"
    else:
        text = _text(value, directive, effort)
    if text is None:
        return f"%!{verb}({_described(value, effort)})"
    return _padded(text, directive, zeros=isinstance(value, str))


def _text(value: object, directive: Directive, effort: Effort) -> str | None:
    verb, precision = directive.verb, directive.precision
    if not isinstance(value, str):
        # What holds others gives the verb to each of them in Go; here the usual ones do.
        return shown(value, effort) if verb in {"v", "s"} else None
    if verb in {"v", "s", "q"}:
        cut = value if precision is None else value[:precision]
        return quoted(cut) if verb == "q" else cut
    if verb in {"x", "X"}:
        data = value.encode() if precision is None else value.encode()[:precision]
        text = data.hex(" ") if " " in directive.flags else data.hex()
        text = f"0x{text}" if "#" in directive.flags and text else text
        return text.upper() if verb == "X" else text
    return None


_WHOLE = {"d": "d", "v": "d", "x": "x", "X": "X", "o": "o", "b": "b"}
_PREFIXES = {"x": "0x", "X": "0X", "o": "0", "b": "0b"}


def _whole(value: int, directive: Directive) -> str | None:
    verb = directive.verb
    if verb in {"c", "q", "U"}:
        mark = (
            chr(value)
            if 0 <= value < 0x110000 and not 0xD800 <= value < 0xE000
            else "\N{REPLACEMENT CHARACTER}"
        )
        text = {"c": mark, "q": f"'{quoted(mark)[1:-1]}'", "U": f"U+{value:04X}"}[verb]
        return _padded(text, directive, zeros=False)
    if verb not in _WHOLE:
        return None
    digits = format(abs(value), _WHOLE[verb])
    if directive.precision is not None:
        digits = "" if directive.precision == value == 0 else digits.rjust(directive.precision, "0")
    prefix = _PREFIXES.get(verb, "") if "#" in directive.flags else ""
    return _signed(value < 0, prefix + digits, directive, zeros=directive.precision is None)


def _float(value: float, directive: Directive) -> str | None:
    verb, precision = directive.verb, directive.precision
    if verb not in set("vgGeEfF"):
        return None
    if value - value != 0:
        text = named(abs(value)).removeprefix("+")
        is_plus = value > 0 and ("+" in directive.flags or " " not in directive.flags)
        # Go writes the sign of infinity always.
        text = f"+{text}" if is_plus else f" {text}" if value > 0 else f"-{text}" if value < 0 else text
        return _padded(text, directive, zeros=False)
    is_negative = str(value)[0] == "-"
    number = abs(value)
    if verb in {"v", "g", "G"}:
        text = shortest(number) if precision is None else f"{number:.{precision}g}"
    else:
        text = format(number, f".{6 if precision is None else precision}{verb.lower()}")
    return _signed(is_negative, text.upper() if verb in {"G", "E"} else text, directive, zeros=True)


def _signed(is_negative: bool, digits: str, directive: Directive, *, zeros: bool) -> str:
    sign = "-" if is_negative else "+" if "+" in directive.flags else " " if " " in directive.flags else ""
    if zeros and "0" in directive.flags and "-" not in directive.flags:
        digits = digits.rjust(directive.width - len(sign), "0")
    return _padded(sign + digits, directive, zeros=False)


def _padded(text: str, directive: Directive, *, zeros: bool) -> str:
    if "-" in directive.flags:
        return text.ljust(directive.width)
    return text.rjust(directive.width, "0" if zeros and "0" in directive.flags else " ")
