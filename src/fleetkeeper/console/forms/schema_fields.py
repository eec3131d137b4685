"""What a schema's fields say of how they are entered. Pure."""

import types
from collections.abc import Iterator, Sequence
from datetime import date
from decimal import Decimal
from enum import StrEnum
from functools import cache
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from annotated_types import Ge, Le
from pydantic import BaseModel, SecretStr, TypeAdapter, ValidationError
from pydantic.fields import FieldInfo

from fleetkeeper.console.contexts.panels import Option

LONG_TEXT = 500


_ABBREVIATIONS = {"vm": "VM", "vlan": "VLAN"}


def words_of(value: str) -> str:
    """A value of a schema as people read it."""
    return _ABBREVIATIONS.get(value) or value.replace("_", " ").replace("-", " ").capitalize()


def kind_of(name: str, info: FieldInfo, *, has_options: bool) -> str:
    """How a field is shown: the kind of an `Entry`."""
    inner = _inner(info.annotation)
    if is_toggle(info):
        return "toggle"
    if is_list(info):
        return "ticks" if has_options else "text"
    if has_options or own_options(info):
        return "select"
    if inner is SecretStr or name.endswith(("password", "secret")):
        return "password"
    return _kind_of_text(name, info)


def _kind_of_text(name: str, info: FieldInfo) -> str:
    inner = _inner(info.annotation)
    if isinstance(inner, type) and issubclass(inner, int | float | Decimal):
        return "number"
    if inner is date:
        return "date"
    if name == "email":
        return "email"
    longest = next((one.max_length for one in info.metadata if hasattr(one, "max_length")), 0)
    return "area" if longest >= LONG_TEXT else "text"


def bounds_of(info: FieldInfo) -> tuple[str, str]:
    """The least and the greatest number that may be entered; empty where there is none."""
    facts = list(_facts(info))
    least = next((text_of(one.ge) for one in facts if isinstance(one, Ge)), "")
    return least, next((text_of(one.le) for one in facts if isinstance(one, Le)), "")


def is_toggle(info: FieldInfo) -> bool:
    """Whether it is true or false."""
    return _inner(info.annotation) is bool


def is_list(info: FieldInfo) -> bool:
    """Whether there may be several values."""
    return get_origin(_inner(info.annotation)) in {list, set, frozenset}


def own_options(info: FieldInfo) -> tuple[Option, ...]:
    """The choices that a schema lists itself."""
    inner = _inner(info.annotation)
    if get_origin(inner) is Literal:
        listed = tuple(Option(str(one), words_of(str(one))) for one in get_args(inner))
        # Where nothing may be chosen, the first one must not be taken for an answer.
        may_be_none = type(None) in get_args(info.annotation) and info.default is None
        return (Option("", "Not set"), *listed) if may_be_none else listed
    if isinstance(inner, type) and issubclass(inner, StrEnum):
        # Those that are no plain words say themselves what people read.
        return tuple(Option(str(one), getattr(one, "label", words_of(one))) for one in inner)
    return ()


def chosen(options: Sequence[Option], value: Any) -> tuple[Option, ...]:
    """The options, with those marked that a value names."""
    values = value if isinstance(value, list | set | frozenset | tuple) else [value]
    present = {text_of(one) for one in values}
    return tuple(Option(one.value, one.label, one.value in present, one.hint) for one in options)


def text_of(value: Any) -> str:
    """A value as a field shows it."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else ""
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    if isinstance(value, list | set | frozenset | tuple):
        return ", ".join(map(str, value))
    return str(value)


def items_in(texts: Sequence[str]) -> list[str]:
    """Several values that were entered as one text, with commas."""
    return [item.strip() for text in texts for item in text.split(",") if item.strip()]


def _facts(info: FieldInfo) -> Iterator[Any]:
    """What a field's type is annotated with, at any depth."""
    yield from info.metadata
    for part in get_args(info.annotation):
        for fact in get_args(part)[1:] if get_origin(part) is Annotated else ():
            yield from fact.metadata if isinstance(fact, FieldInfo) else (fact,)


def _inner(annotation: Any) -> Any:
    """The type without its bounds and without None."""
    while True:
        origin = get_origin(annotation)
        if origin is Annotated:
            annotation = get_args(annotation)[0]
        elif origin in {Union, types.UnionType}:
            rest = [one for one in get_args(annotation) if one is not type(None)]
            if len(rest) != 1:
                return annotation
            annotation = rest[0]
        else:
            return annotation


@cache
def empty_value(model: type[BaseModel], name: str) -> str | None:
    """What a field that was left empty means: an empty text where that is allowed, else nothing."""
    info = model.model_fields[name]
    kind: Any = info.annotation
    adapter: TypeAdapter[Any] = TypeAdapter(Annotated[kind, *info.metadata] if info.metadata else kind)
    try:
        adapter.validate_python("")
    except ValidationError:
        return None
    return ""
