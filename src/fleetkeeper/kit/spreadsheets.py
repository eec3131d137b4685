"""Texts for spreadsheets, which take some of them for formulas."""

import re

_CONTROLS = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]")
# Some take full-width ones for their narrow sisters.
FORMULA_MARKS = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")


def guarded(text: str) -> str:
    """A text that no spreadsheet takes for a formula, and no terminal for a command."""
    plain = _CONTROLS.sub("\N{REPLACEMENT CHARACTER}", text)
    return f"'{plain}" if plain.lstrip(" ").startswith(FORMULA_MARKS) else plain
