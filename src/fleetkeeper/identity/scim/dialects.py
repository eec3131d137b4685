"""What providers send otherwise than the standard says, in the standard's words. Pure.

Microsoft Entra and Okta document these habits: flags as texts, a manager as text, one value where a list belongs and a
list where one belongs, attribute paths as keys. A value that cannot be read stays as it is, and is refused later.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeGuard
from uuid import UUID

from pydantic_core import from_json
from scim2_models import EnterpriseUser, Group, InvalidFilterException, InvalidSyntaxException, User

MAX_OPERATIONS = 2000
MAX_FILTER_LENGTH = 2000
MAX_FILTER_DEPTH = 10
MAX_COMPARISONS = 20
_USER = f"{User.__schema__}:".lower()
_GROUP = f"{Group.__schema__}:".lower()
_ONE_MEMBER = re.compile(r'members\[\s*value\s+eq\s+"([0-9a-f-]{32,36})"\s*\]')
_ENTERPRISE = str(EnterpriseUser.__schema__).lower()
_MANAGER = f"{_ENTERPRISE}:manager"
_FLAGS = frozenset({"active", "primary"})
_TRUTH = {"true": True, "false": False}
_LISTS = frozenset(
    {
        "addresses",
        "emails",
        "entitlements",
        "groups",
        "ims",
        "members",
        "phonenumbers",
        "photos",
        "roles",
        "x509certificates",
    }
)
_TEXT = re.compile(r'"(?:[^"\\]|\\.)*"')
_COMPARISON = re.compile(r"\b(?:eq|ne|co|sw|ew|gt|ge|lt|le|pr|not)\b", re.IGNORECASE)
# A flag that a filter compares with a text, as in `roles[primary eq "True"]`; any other text; and a manager without its
# schema.
_IN_FILTERS = re.compile(
    r'\b(?P<flag>(?:active|primary)\s+(?:eq|ne)\s+)"(?P<truth>true|false)"'
    r'|"(?:[^"\\]|\\.)*"'
    r"|(?<![\w:.$-])(?P<manager>manager)(?=\s+(?:eq|ne)\s)",
    re.IGNORECASE,
)


def read_body(content: bytes) -> dict[str, Any]:
    """A request's JSON object. Raises InvalidSyntaxException."""
    try:
        body = from_json(content, allow_inf_nan=False)
    except ValueError:
        raise InvalidSyntaxException(detail="The body is no JSON.") from None
    if not isinstance(body, dict):
        raise InvalidSyntaxException(detail="The body is no JSON object.")
    return body


def plain_filter(text: str) -> str:
    """A filter or a path in which flags are compared with flags, and attributes of extensions have their names."""

    def plain(match: re.Match[str]) -> str:
        if match["flag"]:
            return match["flag"] + match["truth"].lower()
        return f"{EnterpriseUser.__schema__}:manager.value" if match["manager"] else match[0]

    return _IN_FILTERS.sub(plain, text)


def plain_search(given: Mapping[str, Any]) -> dict[str, Any]:
    """What a search asks for. Raises InvalidSyntaxException for more than anybody needs, which would take long."""
    plain = dict(given)
    for name, value in given.items():
        size = sum(len(str(one)) for one in value) if _is_list(value) else len(str(value))
        if size > MAX_FILTER_LENGTH or "\x00" in str(value):
            raise InvalidSyntaxException(
                detail=f"{name} has at most {MAX_FILTER_LENGTH} characters, none of them NUL."
            )
        if name.lower() == "filter" and isinstance(value, str):
            check_filter(value)
            plain[name] = plain_filter(value)
    return plain


def check_filter(text: str) -> None:
    """Raise InvalidFilterException for a filter or a path that is too long or too deep."""
    without_texts = _TEXT.sub('""', text)
    depth = deepest = 0
    for mark in without_texts:
        depth += (mark in "([") - (mark in ")]")
        deepest = max(deepest, depth)
    comparisons = len(_COMPARISON.findall(without_texts))
    if len(text) > MAX_FILTER_LENGTH or deepest > MAX_FILTER_DEPTH or comparisons > MAX_COMPARISONS:
        raise InvalidFilterException(
            detail=f"A filter has at most {MAX_FILTER_LENGTH} characters, {MAX_COMPARISONS} comparisons, and "
            f"{MAX_FILTER_DEPTH} levels of brackets."
        )


def plain_resource(body: Mapping[str, Any]) -> dict[str, Any]:
    """A user or a group, as POST and PUT bring it."""
    return {name: _plain_value(name, value) for name, value in body.items()}


def operations_of(body: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The operations of a PATCH, in the standard's words. Raises InvalidSyntaxException."""
    found = next((value for name, value in body.items() if name.lower() == "operations"), None)
    if not _is_list(found) or not found or not all(isinstance(one, dict) for one in found):
        raise InvalidSyntaxException(detail="Operations is a list of one or more operations.")
    if len(found) > MAX_OPERATIONS:
        raise InvalidSyntaxException(detail=f"A request has at most {MAX_OPERATIONS} operations.")
    operations = [{name.lower(): value for name, value in one.items()} for one in found]
    return [_plain_operation(part) for one in operations for part in _parts(one)]


def _parts(operation: dict[str, Any]) -> list[dict[str, Any]]:
    """An operation with an operation of its own for each key that is a path with a filter."""
    value = operation.get("value")
    if operation.get("path") or not isinstance(value, dict):
        return [operation]
    filtered = {name: inner for name, inner in value.items() if "[" in name}
    rest = {name: inner for name, inner in value.items() if name not in filtered}
    parts = [{"op": operation.get("op"), "path": name, "value": inner} for name, inner in filtered.items()]
    return [*parts, operation | {"value": rest}] if rest or not parts else parts


def disables(operation: Mapping[str, Any]) -> bool:
    """Whether an operation on a user disables the account."""
    return operation["op"] in {"add", "replace"} and any(
        _attribute(name) == "active" and value is False for name, value in _written(operation)
    )


def is_disabled(body: Mapping[str, Any]) -> bool:
    """Whether a resource says that its account is disabled."""
    return any(name.lower() == "active" and value is False for name, value in body.items())


def named_members(body: Mapping[str, Any]) -> frozenset[UUID] | None:
    """A group's members as a resource names them; None where they cannot be told."""
    members = next((value for name, value in body.items() if name.lower() == "members"), None)
    return _ids(members) if _is_list(members) else None


@dataclass(frozen=True)
class MemberChange:
    """Members that come (`add`), go (`remove`; None is all), or are all that there are (`replace`)."""

    op: str
    members: frozenset[UUID] | None

    def applied_to(self, present: frozenset[UUID]) -> frozenset[UUID]:
        """The members afterwards."""
        if self.op == "add":
            return present | (self.members or frozenset())
        if self.op == "remove":
            return frozenset() if self.members is None else present - self.members
        return self.members or frozenset()


def split_members(
    operations: Iterable[dict[str, Any]],
) -> tuple[list[MemberChange], list[dict[str, Any]]]:
    """What operations on a group do to its members, and the rest. The two do not touch each other.

    Sets of thousands of members are changed at once, where a general filter would look at each for each.
    """
    changes, rest = [], []
    for operation in operations:
        left = operation
        for name, value in _written(operation):
            change = _member_change(operation["op"], name, value)
            if change is None:
                continue
            changes.append(change)
            if operation.get("path"):
                left = {}
            else:
                left = left | {"value": {key: one for key, one in left["value"].items() if key != name}}
        if left:
            rest.append(left)
    return changes, rest


def _member_change(op: str, name: str, value: Any) -> MemberChange | None:
    attribute = _attribute(name).removeprefix(_GROUP)
    one = _ONE_MEMBER.fullmatch(attribute)
    if one is not None and op == "remove":
        members = _ids([{"value": one[1]}])
    elif attribute != "members":
        return None
    elif value is None:
        return MemberChange("remove", None) if op in {"remove", "replace"} else None
    else:
        members = _ids(value)
    return None if members is None or op not in {"add", "remove", "replace"} else MemberChange(op, members)


def _ids(members: Any) -> frozenset[UUID] | None:
    try:
        return frozenset(UUID(one["value"]) for one in members)
    except (TypeError, KeyError, ValueError, AttributeError):
        return None


def _written(operation: Mapping[str, Any]) -> list[tuple[str, Any]]:
    path, value = operation.get("path"), operation.get("value")
    if isinstance(path, str) and path:
        return [(path, value)]
    return list(value.items()) if isinstance(value, dict) else []


def _plain_operation(operation: dict[str, Any]) -> dict[str, Any]:
    operation["op"] = str(operation.get("op", "")).lower()
    path = operation.get("path")
    if isinstance(path, str) and path:
        check_filter(path)
        operation["path"] = path = plain_filter(path)
        if operation["op"] == "remove":
            # The path says what goes, and a list's value which of its entries.
            value = _plain_list(operation.pop("value", None)) if _attribute(path) in _LISTS else None
            return operation if value is None else operation | {"value": value}
        operation["value"] = _plain_value(path, operation.get("value"))
        if operation["value"] is None and _attribute(path) == _MANAGER:
            return {"op": "remove", "path": path}
    elif isinstance(operation.get("value"), dict):
        operation["value"] = {
            plain_filter(name): _plain_value(name, inner) for name, inner in operation["value"].items()
        }
    return operation


def _attribute(path: str) -> str:
    """A path in small letters, without the schema that needs no name."""
    return path.strip().lower().removeprefix(_USER)


def _plain_value(path: str, value: Any) -> Any:
    """The value of what a path or a key names."""
    attribute = _attribute(path)
    last = attribute.rpartition(".")[2]
    if attribute == _ENTERPRISE and isinstance(value, dict):
        return {name: _plain_value(f"{_ENTERPRISE}:{name}", inner) for name, inner in value.items()}
    if attribute == _MANAGER:
        return _plain_manager(value)
    if attribute in _LISTS:
        return _plain_list(value)
    if attribute == "schemas":
        return value
    if attribute.startswith("urn:") and not attribute.startswith(_ENTERPRISE):
        return value
    # One value in a list, or in an object besides a reference.
    if _is_list(value) and len(value) == 1:
        value = value[0]
        if isinstance(value, dict) and set(value) <= {"$ref", "value"}:
            value = value.get("value")
    return _plain_flag(value) if last in _FLAGS else value


def _plain_flag(value: Any) -> Any:
    return _TRUTH.get(value.strip().lower(), value) if isinstance(value, str) else value


def _plain_manager(value: Any) -> Any:
    if _is_list(value):
        value = value[0] if value else None
    if isinstance(value, str):
        value = {"value": value}
    if not isinstance(value, dict):
        return value
    manager = {name: inner for name, inner in value.items() if inner not in {None, ""}}
    if "value" not in manager:
        return None
    # The standard wants it, and providers leave it out.
    return {"$ref": f"../Users/{manager['value']}"} | manager


def _plain_list(value: Any) -> Any:
    if value is None or value == "":
        return None
    return [_plain_entry(one) for one in (value if _is_list(value) else [value]) if one is not None]


def _plain_entry(entry: Any) -> Any:
    if isinstance(entry, str) and not entry.startswith("urn:"):
        return {"value": entry}
    if not isinstance(entry, dict):
        return entry
    return {
        name: _plain_flag(inner) if name.lower() in _FLAGS else inner
        for name, inner in entry.items()
        if inner is not None
    }


def _is_list(value: Any) -> TypeGuard[Sequence[Any]]:
    return isinstance(value, list)
