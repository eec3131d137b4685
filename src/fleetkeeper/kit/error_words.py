"""What is wrong with an input, in words for those who sent it: one wording for API, console and CLI. Pure."""

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from fleetkeeper.errors import FieldError
from fleetkeeper.kit.patterns import pattern_words

# By the kind of the validator's error; a name in braces comes from the error's own facts.
_WORDS = {
    "bool_parsing": "Must be true or false",
    "bool_type": "Must be true or false",
    "bytes_type": "Must be text",
    "date_from_datetime_inexact": "Must be a date without a time, such as 2026-11-27",
    "date_from_datetime_parsing": "Must be a date such as 2026-11-27",
    "date_parsing": "Must be a date such as 2026-11-27",
    "date_type": "Must be a date such as 2026-11-27",
    "datetime_from_date_parsing": "Must be a date and time such as 2026-11-27T16:00:00Z",
    "datetime_object_invalid": "Must be a date and time such as 2026-11-27T16:00:00Z",
    "datetime_parsing": "Must be a date and time such as 2026-11-27T16:00:00Z",
    "datetime_type": "Must be a date and time such as 2026-11-27T16:00:00Z",
    "dict_type": "Must be an object",
    "enum": "Must be {expected}",
    "extra_forbidden": "Unknown field; remove it",
    "finite_number": "Must be a finite number",
    "float_parsing": "Must be a number",
    "float_type": "Must be a number",
    "greater_than": "Must be more than {gt}",
    "greater_than_equal": "Must be at least {ge}",
    "int_from_float": "Must be a whole number",
    "int_parsing": "Must be a whole number",
    "int_parsing_size": "Must be a smaller number",
    "int_type": "Must be a whole number",
    "ip_any_address": "Must be an IP address such as 192.0.2.10 or 2001:db8::1",
    "ip_any_network": "Must be a network such as 192.0.2.0/24",
    "json_invalid": "Must be valid JSON",
    "json_type": "Must be valid JSON",
    "less_than": "Must be less than {lt}",
    "less_than_equal": "Must be at most {le}",
    "list_type": "Must be a list",
    "literal_error": "Must be {expected}",
    "mapping_type": "Must be an object",
    "missing": "Required",
    "model_attributes_type": "Must be an object",
    "model_type": "Must be an object",
    "multiple_of": "Must be a multiple of {multiple_of}",
    "none_required": "Must be empty",
    "set_type": "Must be a list",
    "string_sub_type": "Must be text",
    "string_type": "Must be text",
    "string_unicode": "Must be text in UTF-8",
    "time_delta_parsing": "Must be a duration such as PT1H",
    "timezone_aware": "Must name its time zone, such as a Z at the end",
    "timezone_naive": "Must not name a time zone",
    "tuple_type": "Must be a list",
    "union_tag_invalid": "Must be one of {expected_tags}",
    "union_tag_not_found": "Required; it says which kind this is",
    "url_parsing": "Must be a URL such as https://example.com",
    "url_scheme": "Must be a URL that begins with {expected_schemes}",
    "url_type": "Must be a URL such as https://example.com",
    "uuid_parsing": "Must be an ID such as 0198c0de-7c00-7a00-8000-000000000000",
    "uuid_type": "Must be an ID such as 0198c0de-7c00-7a00-8000-000000000000",
    "uuid_version": "Must be an ID of version {expected_version}",
}
# What the validator's own words begin with, for kinds that have no words above.
_OWN_WORDS = re.compile(r"^(?:Value error, |Assertion failed, )")
_SUBJECTS = re.compile(r"^[A-Z]\w*(?: input)? (?:should|is not) (?:be )?(?=an? )")
# Where a value was: the reader sees that, or it does not matter.
_PLACES = frozenset({"body", "cookie", "header", "path", "query"})
_ACRONYMS = {"id": "ID", "ip": "IP", "mac": "MAC", "url": "URL", "cpu": "CPU", "ids": "IDs", "ttl": "TTL"}


def error_words(item: Mapping[str, Any]) -> str:
    """One error of the validator (an item of `errors()`) in the reader's words."""
    kind, facts = item["type"], item.get("ctx", {})
    if kind in {"string_too_short", "too_short"}:
        return _at_least(facts["min_length"], "characters" if kind.startswith("string") else "items")
    if kind in {"string_too_long", "too_long"}:
        return _at_most(facts["max_length"], "characters" if kind.startswith("string") else "items")
    if kind == "string_pattern_mismatch":
        return pattern_words(facts["pattern"]) or "Contains characters that are not allowed here"
    words = _WORDS.get(kind)
    if words is not None:
        return words.format_map(facts)
    message = str(item["msg"])
    own = _OWN_WORDS.sub("", message)
    if own != message:
        return own
    rest = _SUBJECTS.sub("", message)
    return message if rest == message else f"Must be {rest}"


def _at_least(number: int, what: str) -> str:
    return "Must not be empty" if number == 1 else f"Must have at least {number} {what}"


def _at_most(number: int, what: str) -> str:
    return f"Must have at most {number} {what if number != 1 else what.removesuffix('s')}"


def field_errors(errors: Iterable[Mapping[str, Any]], prefix: Sequence[str] = ()) -> list[FieldError]:
    """All errors of the validator by their fields; what several readings of one value say comes once."""
    found: dict[str, list[str]] = {}
    for item in errors:
        words = found.setdefault(field_path((*prefix, *item["loc"])), [])
        if (text := error_words(item)) not in words:
            words.append(text)
    return [FieldError(field, ", or: ".join(words)) for field, words in found.items()]


def field_path(parts: Sequence[Any]) -> str:
    """A place in the input; the names that the validator gives to its own steps are left out."""
    named = [
        str(part) for part in parts if part != "body" and not re.search(r"[\[\]()]|^constrained-", str(part))
    ]
    return ".".join(named) or "body"


def field_words(path: str) -> str:
    """A field's path as people read it: `query.device_id` as `Device ID`."""
    place, _, rest = path.partition(".")
    words = (rest if rest and place in _PLACES else path).replace("_", " ").replace(".", ", ").split(" ")
    text = " ".join(_ACRONYMS.get(word, word) for word in words)
    return text[:1].upper() + text[1:]
