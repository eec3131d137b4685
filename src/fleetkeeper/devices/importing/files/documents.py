"""JSON and YAML: a list of devices, each an object with names and values. Pure."""

import json
from collections.abc import Iterator
from typing import Any

import yaml

from fleetkeeper.devices.importing.files.table import Table, refused, table_of_objects

# In the whole file; 20,000 devices with lists of tags have fewer.
MOST_CONTAINERS = 200_000
MOST_VALUES = 5_000_000
DEEPEST = 20
# Under which lists come wrapped, such as in answers of APIs.
_WRAPPERS = ("results", "devices", "items", "data")
_NOTHING = frozenset({"", "~", "null", "Null", "NULL"})


def read_json(content: bytes) -> Table:
    """A JSON file. Raises InvalidInputError."""
    if content.count(b"{") + content.count(b"[") > MOST_CONTAINERS:
        raise refused("It has too many nested values")
    try:
        found = json.loads(content.decode("utf-8-sig"), parse_constant=_no_number)
    except UnicodeDecodeError:
        raise refused("It is not in UTF-8", "Save it in UTF-8") from None
    except RecursionError:
        raise refused("It is nested too deeply", "Give a list of objects, one for each device") from None
    except ValueError as error:
        raise refused(f"It is no JSON ({error})") from None
    return table_of_objects(_list_in(found))


def read_yaml(content: bytes) -> Table:
    """A YAML file, whose scalars are texts as they stand. Raises InvalidInputError, also for aliases."""
    try:
        text = content.decode("utf-8-sig")
        return table_of_objects(_list_in(_built(text)))
    except UnicodeDecodeError:
        raise refused("It is not in UTF-8", "Save it in UTF-8") from None
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f" in line {mark.line + 1}" if mark is not None else ""
        raise refused(f"It is no YAML{where}") from None


def _no_number(text: str) -> Any:
    raise ValueError(f"{text} is no number")


def _list_in(found: Any) -> list[Any]:
    if isinstance(found, dict):
        found = next((found[name] for name in _WRAPPERS if isinstance(found.get(name), list)), found)
    if not isinstance(found, list):
        raise refused("It is no list", "Give a list of objects, one for each device")
    return found


def _built(text: str) -> Any:
    """What the events of the parser say; nothing is looked up, made or repeated."""
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    return _node(_counted(yaml.parse(text, Loader=loader)), 0)


def _counted(events: Iterator[Any]) -> Iterator[Any]:
    for number, event in enumerate(events):
        if number > MOST_VALUES:
            raise refused("It has too many values")
        if isinstance(event, yaml.AliasEvent):
            raise refused("It has aliases (*name)", "Write the values out")
        if not isinstance(event, yaml.StreamStartEvent | yaml.DocumentStartEvent):
            yield event


_END = object()


def _node(events: Iterator[Any], depth: int) -> Any:
    event = next(events)
    if depth > DEEPEST:
        raise refused("It is nested too deeply", "Give a list of objects, one for each device")
    if isinstance(event, yaml.ScalarEvent):
        return "" if event.implicit[0] and event.value in _NOTHING else event.value
    if isinstance(event, yaml.SequenceStartEvent):
        return list(iter(lambda: _node(events, depth + 1), _END))
    if isinstance(event, yaml.MappingStartEvent):
        return _mapping(events, depth)
    return _END if not isinstance(event, yaml.StreamEndEvent) else ""


def _mapping(events: Iterator[Any], depth: int) -> dict[str, Any]:
    made: dict[str, Any] = {}
    while (key := _node(events, depth + 1)) is not _END:
        if not isinstance(key, str):
            raise refused("A name is a list or an object")
        if key in made:
            raise refused(f"An entry has {key[:100]!r} twice", "Remove one of them")
        made[key] = _node(events, depth + 1)
    return made
