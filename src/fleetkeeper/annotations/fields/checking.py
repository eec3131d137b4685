"""What a value of a custom field must be. Pure."""

import math
import re
from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import date
from typing import Any
from urllib.parse import urlsplit

from fleetkeeper.annotations.fields.schemas import LONGEST, FieldWrite
from fleetkeeper.errors import FieldError
from fleetkeeper.identity.texts import is_line
from fleetkeeper.kit.expressions import PatternError, compile_pattern

# Floating point holds each number of so many digits.
_LARGEST = 10**15
_NUMBER = re.compile(r"[+-]?(\d{1,16}(\.\d{0,20})?|\.\d{1,20})([eE][+-]?\d{1,3})?", re.ASCII)
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
_TRUTH = {"true": True, "false": False}


@dataclass(frozen=True)
class Rule:
    """What a field asks of its values."""

    kind: str
    choices: Collection[str] = ()
    pattern: str = ""


class ValueRefusedError(ValueError):
    """What is wrong with a value, in words that follow its name."""


def checked_value(rule: Rule, value: Any) -> str | float | bool | date | None:
    """The value as it is stored; None for an empty one. Raises ValueRefusedError."""
    if isinstance(value, str):
        value = value.strip()
        if not is_line(value):
            raise ValueRefusedError("Must not contain control characters")
        if len(value) > LONGEST:
            raise ValueRefusedError(f"Must have at most {LONGEST} characters")
    if value is None or value == "":
        return None
    checked = _KINDS[rule.kind](value, rule)
    if rule.pattern and isinstance(checked, str) and not _matches(rule.pattern, checked):
        raise ValueRefusedError(f"Must match the pattern {rule.pattern}")
    return checked


def wrong_with(wanted: FieldWrite) -> list[FieldError]:
    """What does not fit together in a definition."""
    wrong = []
    if (wanted.kind == "choice") != bool(wanted.choices):
        cure = (
            "Add at least one choice"
            if wanted.kind == "choice"
            else "Only fields of the kind choice have them"
        )
        wrong.append(FieldError("choices", cure))
    if len(set(wanted.choices)) < len(wanted.choices):
        wrong.append(FieldError("choices", "Must not name a choice twice"))
    if any("," in one for one in wanted.choices):
        wrong.append(FieldError("choices", "Must not contain commas, which separate values in filters"))
    if wanted.pattern and (problem := _wrong_with_pattern(wanted)):
        wrong.append(FieldError("pattern", problem))
    if wanted.is_sensitive and wanted.kind != "text":
        wrong.append(FieldError("is_sensitive", "Only fields of the kind text can be sensitive"))
    if wanted.is_sensitive and wanted.default:
        wrong.append(FieldError("default", "A sensitive field has no default"))
    if not wrong and wanted.default:
        try:
            checked_value(Rule(wanted.kind, wanted.choices, wanted.pattern), wanted.default)
        except ValueRefusedError as error:
            wrong.append(FieldError("default", str(error)))
    return wrong


def _wrong_with_pattern(wanted: FieldWrite) -> str:
    if wanted.kind not in {"text", "url"}:
        return "Only fields of the kinds text and url have a pattern"
    try:
        compile_pattern(wanted.pattern)
    except PatternError as error:
        return f"Must be a regular expression in RE2's syntax: {error}"
    return ""


def _matches(pattern: str, text: str) -> bool:
    return compile_pattern(pattern).fullmatch(text) is not None


def _text(value: Any, rule: Rule) -> str:
    del rule
    if not isinstance(value, str):
        raise ValueRefusedError("Must be text")
    return value


def _number(value: Any, rule: Rule) -> float:
    del rule
    if isinstance(value, str) and _NUMBER.fullmatch(value):
        value = float(value)
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ValueRefusedError("Must be a number such as 12.5")
    if (isinstance(value, float) and not math.isfinite(value)) or abs(value) > _LARGEST:
        raise ValueRefusedError("Must be a number of at most 15 digits")
    return float(value)


def _boolean(value: Any, rule: Rule) -> bool:
    del rule
    found = _TRUTH.get(value.lower()) if isinstance(value, str) else value
    if not isinstance(found, bool):
        raise ValueRefusedError("Must be true or false")
    return found


def _date(value: Any, rule: Rule) -> date:
    del rule
    try:
        if isinstance(value, str) and _DATE.fullmatch(value):
            return date.fromisoformat(value)
    except ValueError:
        pass
    raise ValueRefusedError("Must be a date such as 2026-11-27")


def _choice(value: Any, rule: Rule) -> str:
    if not isinstance(value, str) or value not in rule.choices:
        raise ValueRefusedError(f"Must be one of {', '.join(rule.choices)}")
    return value


def _url(value: Any, rule: Rule) -> str:
    del rule
    try:
        parts = urlsplit(value) if isinstance(value, str) else None
        is_web = parts is not None and parts.scheme in {"http", "https"} and bool(parts.hostname)
        # Reading the port checks it.
        has_secret = parts is not None and (parts.port is not None, parts.username is not None)[1]
    except ValueError:
        is_web = has_secret = False
    if not is_web or any(mark.isspace() or mark in '\\"<>' for mark in value):
        raise ValueRefusedError("Must be a URL such as https://example.com/page")
    if has_secret:
        raise ValueRefusedError("Must not contain a username or password")
    return str(value)


_KINDS: dict[str, Callable[[Any, Rule], str | float | bool | date]] = {
    "text": _text,
    "number": _number,
    "boolean": _boolean,
    "date": _date,
    "choice": _choice,
    "url": _url,
}
