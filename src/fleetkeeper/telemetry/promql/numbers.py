"""Numbers as Go's `ParseFloat` reads them."""

import re

_DECIMAL = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?")
_HEXADECIMAL = re.compile(r"[+-]?0[xX](?:[0-9a-fA-F]+\.?[0-9a-fA-F]*|\.[0-9a-fA-F]+)[pP][+-]?\d+")
_NAMED = re.compile(r"[+-]?inf(?:inity)?|nan", re.IGNORECASE)


def parse_number(text: str) -> float | None:
    """The number, or None when it is none or too large."""
    if _DECIMAL.fullmatch(text):
        number = float(text)
        return None if number in {float("inf"), float("-inf")} else number
    if _NAMED.fullmatch(text):
        return float(text)
    if _HEXADECIMAL.fullmatch(text):
        try:
            return float.fromhex(text)
        except OverflowError:
            return None
    return None
