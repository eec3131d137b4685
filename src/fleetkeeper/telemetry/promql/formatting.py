"""Numbers and texts as Go spells them, which is what clients of Prometheus read."""

from decimal import Decimal


def format_number(value: float) -> str:
    """The shortest decimal without exponent that reads back as the same number (Go's `FormatFloat(v, 'f', -1, 64)`)."""
    text = repr(value)
    if text[-2:] == ".0":
        return text[:-2]
    if "e" not in text and "n" not in text:
        return text
    return _NAMED.get(text) or format(Decimal(text), "f")


def format_sample(value: float) -> str:
    """The same for samples of vectors and matrices, which Prometheus gives an exponent where they are tiny or huge."""
    text = repr(value)
    if "e" in text and not 1e-6 <= abs(value) < 1e21:
        return text
    return format_number(value)


_NAMED = {"nan": "NaN", "inf": "+Inf", "-inf": "-Inf"}
_ESCAPES = {
    "\\": "\\\\",
    '"': '\\"',
    "\n": "\\n",
    "\r": "\\r",
    "\t": "\\t",
    "\a": "\\a",
    "\b": "\\b",
    "\f": "\\f",
    "\v": "\\v",
}


def quoted(text: str) -> str:
    """A text in double quotes with Go's escapes."""
    marks = [
        _ESCAPES.get(mark)
        or (
            mark
            if mark.isprintable()
            else f"\\x{ord(mark):02x}"
            if ord(mark) < 128
            else f"\\u{ord(mark):04x}"
            if ord(mark) < 65536
            else f"\\U{ord(mark):08x}"
        )
        for mark in text
    ]
    return f'"{"".join(marks)}"'
